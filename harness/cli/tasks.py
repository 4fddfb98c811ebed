"""``fomo-eval tasks``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import Challenge, print_json

tasks_app = typer.Typer(name="tasks", help="Show the built-in challenges and tasks.", no_args_is_help=True)


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
def tasksshow_leaderboard(
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

    print_json(schema(kind))
