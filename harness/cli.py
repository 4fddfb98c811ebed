"""The command line: parse, call a command, show what came of it, end with its exit code."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness import __version__
from harness.errors import FomoEvalError, UsageError

if TYPE_CHECKING:
    from harness.scoring.leaderboard import Leaderboard

DONE, INFRASTRUCTURE_FAILED = 0, 3

app = typer.Typer(
    name="fomo-eval",
    help="Run containerised brain-MRI models case by case through a fixed contract, score them and rank them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
tasks_app = typer.Typer(name="tasks", help="Show the built-in challenges and tasks.", no_args_is_help=True)
app.add_typer(tasks_app)


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


Challenge = Annotated[str, typer.Option("--challenge", help="A built-in challenge, or a folder with challenge.yaml.")]
Data = Annotated[Path | None, typer.Option("--data", help="The data folder; default: the one the run used.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")]
PrintFormat = Annotated[Format, typer.Option("--format", help="A table for people, or JSON alone on standard output.")]


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"fomo-eval {__version__}")
        raise typer.Exit(DONE)


@app.command()
def run(
    challenge: Challenge,
    data: Annotated[Path, typer.Option("--data", help="The data folder, with volumes and references.")],
    submissions: Annotated[list[Path], typer.Option("--submissions", help="A submission file, or a folder of them.")],
    out: Annotated[Path, typer.Option("--out", help="The run directory: new, or one to go on with.")],
    tasks: Annotated[str, typer.Option("--tasks", help="Only these tasks, separated by commas.")] = "",
    teams: Annotated[str, typer.Option("--teams", help="Only these teams, separated by commas.")] = "",
    gpus: Annotated[str, typer.Option("--gpus", help="'all', 'none', or device ids separated by commas.")] = "all",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Cases side by side; default: one per GPU, or per CPU without GPUs."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.001, help="Seconds a case may take, instead of the spec's.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Shuffles the order of cases.")] = 0,
    fail_fast_after: Annotated[
        int,
        typer.Option(
            "--fail-fast-after",
            min=0,
            help="Once so many cases of an entry have all failed alike, record its others so, unrun; 0: never.",
        ),
    ] = 20,
    runtime: Annotated[
        str | None, typer.Option("--runtime", help="The OCI runtime of the containers, such as runsc (gVisor).")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    show: PrintFormat = Format.TABLE,
) -> None:
    """Run every case of every submission that has no result yet; then score and rank."""
    from harness.commands.planning import RunOptions
    from harness.commands.run import run as carry_out

    summary = carry_out(
        RunOptions(
            challenge=challenge,
            data=data,
            submissions=tuple(submissions),
            out=out,
            tasks=_words(tasks),
            teams=_words(teams),
            gpus=gpus,
            workers=workers,
            seconds=timeout,
            seed=seed,
            fail_fast_after=fail_fast_after,
            runtime=runtime,
            dry_run=dry_run,
        )
    )
    if summary.leaderboard is None:
        if show is Format.JSON:
            _print_json({"hash": summary.plan.hash, **summary.plan.model_dump(mode="json")})
        return
    _show(summary.leaderboard, show)
    typer.echo(f"Run directory: {out} (leaderboard.json, .csv and .md; scores.json; records/)", err=True)
    if summary.unresolved:
        typer.echo(
            f"{summary.unresolved} trials have no result yet: the machine failed in each attempt (see {out}/attempts). "
            "Mend it, and run the same command again.",
            err=True,
        )
        raise typer.Exit(INFRASTRUCTURE_FAILED)


@app.command()
def score(folder: RunFolder, data: Data = None) -> None:
    """Score a run again from its records and predictions, without running a container."""
    from harness.commands.score import score_run

    score_run(folder, data)
    typer.echo(f"Scored: {folder} (scores.json; leaderboard.json, .csv and .md)")


@app.command()
def leaderboard(folder: RunFolder, data: Data = None, show: PrintFormat = Format.TABLE) -> None:
    """Show a run's leaderboard, all of it computed anew from records and predictions."""
    from harness.commands.score import score_run

    _show(score_run(folder, data), show)


@app.command()
def clean(
    folder: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The run directory; without it, containers of all dead runs.")
    ] = None,
) -> None:
    """Remove what killed runs left behind: containers, and a run's mounts and unfinished files."""
    from harness.commands.clean import clean as remove

    removed = remove(folder)
    found = [
        *(f"container {name}" for name in removed.containers),
        *(f"mount {point}" for point in removed.mounts),
        *(str(path) for path in removed.paths),
    ]
    for each in found:
        typer.echo(f"Removed: {each}")
    if not found:
        typer.echo("Nothing was left behind.")


@tasks_app.command("list")
def tasks_list(
    challenge: Annotated[str | None, typer.Option("--challenge", help="Only this challenge.")] = None,
) -> None:
    """List tasks: inputs, output and ranked metrics."""
    from harness.commands.tasks import list_tasks

    for line in list_tasks(challenge):
        typer.echo(f"{line.challenge}/{line.name}: {line.title}")
        typer.echo(f"  inputs   {line.inputs}")
        typer.echo(f"  output   {line.output}")
        typer.echo(f"  ranked   {line.metrics}")


@tasks_app.command("show")
def tasks_show(
    name: Annotated[str, typer.Argument(help="A task, or 'challenge'.")],
    challenge: Challenge = "fomo25",
) -> None:
    """Print a task's spec as YAML."""
    from harness.commands.tasks import show_task

    typer.echo(show_task(challenge, name), nl=False)


@tasks_app.command("schema")
def tasks_schema(kind: Annotated[str, typer.Argument(help="'challenge', 'task' or 'submission'.")]) -> None:
    """Print the JSON Schema of a kind of spec, for editors."""
    from harness.commands.tasks import schema

    _print_json(schema(kind))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _show(board: Leaderboard, show: Format) -> None:
    if show is Format.JSON:
        _print_json(board.model_dump(mode="json"))
        return
    from harness.reports import console

    console.stdout().print(console.leaderboard_tables(board))


def _print_json(content: Any) -> None:
    from harness.records.files import to_json

    sys.stdout.write(to_json(content).decode())


def main() -> None:
    """Run the command line; every foreseeable fault ends in one sentence and an exit code."""
    try:
        app()
    except FomoEvalError as fault:
        kind = "Error" if isinstance(fault, UsageError) else "Stopped"
        typer.echo(f"{kind}: {fault}", err=True)
        sys.exit(fault.exit_code)
