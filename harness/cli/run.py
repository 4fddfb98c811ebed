"""``fomo-eval run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import (
    INFRASTRUCTURE_FAILED,
    Challenge,
    Format,
    PrintFormat,
    print_json,
    show_leaderboard,
    words,
)


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
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report pages at the end.")] = False,
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
            tasks=words(tasks),
            teams=words(teams),
            gpus=gpus,
            workers=workers,
            seconds=timeout,
            seed=seed,
            fail_fast_after=fail_fast_after,
            runtime=runtime,
            dry_run=dry_run,
            report=not no_report,
        )
    )
    if summary.leaderboard is None:
        if show is Format.JSON:
            plan = summary.plan
            print_json({"hash": plan.hash, "conditions": plan.conditions, **plan.model_dump(mode="json")})
        return
    show_leaderboard(summary.leaderboard, show)
    typer.echo(f"Run directory: {out} (leaderboard.json, .csv and .md; scores.json; records/)", err=True)
    if summary.report is not None:
        typer.echo(f"Report: {summary.report / 'index.html'}", err=True)
    if summary.unresolved:
        typer.echo(
            f"{summary.unresolved} trials have no result yet: the machine failed in each attempt (see {out}/attempts). "
            "Mend it, and run the same command again.",
            err=True,
        )
        raise typer.Exit(INFRASTRUCTURE_FAILED)
