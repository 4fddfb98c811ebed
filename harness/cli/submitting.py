"""``fomo-eval validate``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import FAILED, INFRASTRUCTURE_FAILED, Challenge, Format, PrintFormat, print_json

if TYPE_CHECKING:
    from harness.commands.validate import Validation


def validate(
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="The image: a tag, a digest, or a 'docker save' archive.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="The task that the image is for.")] = None,
    submission: Annotated[
        Path | None, typer.Option("--submission", help="Instead of IMAGE: a submission file, for all its tasks.")
    ] = None,
    challenge: Challenge = "fomo25",
    data: Annotated[
        Path | None, typer.Option("--data", help="Cases to use instead of made-up ones; no references are needed.")
    ] = None,
    case: Annotated[int | None, typer.Option("--case", min=1, help="Only the case of this number.")] = None,
    gpus: Annotated[
        str, typer.Option("--gpus", help="'auto' (all that there are), 'all', 'none', or ids separated by commas.")
    ] = "auto",
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0.001, help="Seconds a case may take, instead of the spec's.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option("--runtime", help="The OCI runtime of the containers, such as runsc (gVisor).")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file too.")] = None,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the work folder, and print how to run a case by hand.")
    ] = False,
    show: PrintFormat = Format.TABLE,
) -> None:
    """Try a container as a run would, on made-up cases, and say what is wrong with it and what helps."""
    from harness.commands.validate import ValidateOptions
    from harness.commands.validate import validate as carry_out

    validation = carry_out(
        ValidateOptions(
            challenge=challenge,
            image=image,
            submission=submission,
            task=task,
            data=data,
            case=case,
            keep=keep,
            gpus=gpus,
            seconds=timeout,
            runtime=runtime,
        )
    )
    _show(validation, show)
    if junit is not None:
        from harness.records.files import write_atomically
        from harness.reports.junit import to_junit

        write_atomically(junit, to_junit(validation.verdicts))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _tell_github(validation)
    if validation.failures:
        raise typer.Exit(FAILED)
    if validation.unresolved:
        typer.echo(
            f"{validation.unresolved} cases have no result: the machine failed. Mend it, and try again.", err=True
        )
        raise typer.Exit(INFRASTRUCTURE_FAILED)


def _show(validation: Validation, show: Format) -> None:
    if show is Format.JSON:
        print_json([verdict.model_dump(mode="json") for verdict in validation.verdicts])
    else:
        from harness.reports import console
        from harness.reports.validation import verdict_tables

        console.stdout().print(verdict_tables(validation.verdicts))
        for verdict in validation.verdicts:
            if verdict.by_hand:  # as it is, however long: it is to be copied
                typer.echo(f"By hand: {verdict.by_hand}")
    if validation.kept is not None:
        typer.echo(f"Work folder: {validation.kept}", err=True)


def _tell_github(validation: Validation) -> None:
    """Annotate on standard error, which GitHub reads as well: standard output may be JSON."""
    from harness.records.files import writing
    from harness.reports.github import annotation_lines, step_summary

    for line in annotation_lines(validation.verdicts):
        typer.echo(line, err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with writing(Path(summary)), Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(step_summary(validation.verdicts))
