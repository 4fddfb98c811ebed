"""What is asked of the engine for a trial."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.datasets.case import Case
from harness.engines.engine import OWNER_LABEL, RUN_LABEL, ImageFacts, RunRequest, container_prefix
from harness.engines.owner import this_process
from harness.execution.bench import Bench
from harness.execution.plan import container_limits
from harness.execution.stage import Staged
from harness.records.plan import EffectiveLimits, Entry, PlannedImage, TrialKey
from harness.specs.task import TaskSpec


@dataclass(frozen=True)
class Trial:
    """One team's image on one case."""

    entry: Entry
    task: TaskSpec
    limits: EffectiveLimits
    case: Case

    @property
    def key(self) -> TrialKey:
        """What the trial is called in the run directory."""
        track, team, task = self.entry.key
        return TrialKey(track=track, team=team, task=task, case=self.case.id)


def trial_request(trial: Trial, case: Staged, bench: Bench, device: str | None) -> RunRequest:
    """Ask for a container of a trial's image that sees one staged case."""
    # The name is the trial's, so that what a killed harness left is found before the trial starts again.
    name = hashlib.sha256(f"{bench.run}/{trial.key}".encode()).hexdigest()[:20]
    return RunRequest(
        name=container_prefix(bench.run) + name,
        labels=_labels(bench.run),
        image=_image_facts(trial.entry.image),
        command=trial.entry.command,
        arguments=case.arguments,
        input_folder=case.input_folder,
        output_folder=case.output_folder,
        limits=container_limits(trial.limits),
        device=device,
        runtime=_runtime(trial.entry),
    )


def probe_request(
    entry: Entry, limits: EffectiveLimits, run: str, folder: Path, device: str | None = None
) -> RunRequest:
    """Ask for a container of an entry's image that gets neither a case nor flags."""
    return RunRequest(
        name=container_prefix(run) + "probe",
        labels=_labels(run),
        image=_image_facts(entry.image),
        command=entry.command,
        arguments=(),
        input_folder=folder,
        output_folder=folder,
        limits=container_limits(limits),
        device=device,
        runtime=_runtime(entry),
    )


def _labels(run: str) -> dict[str, str]:
    return {RUN_LABEL: run, OWNER_LABEL: this_process()}


def _runtime(entry: Entry) -> str | None:
    runtime: str | None = entry.container["HostConfig"].get("Runtime")
    return runtime


def _image_facts(image: PlannedImage) -> ImageFacts:
    return ImageFacts(
        id=image.id,
        digest=image.digest,
        platform=image.platform,
        size_bytes=image.bytes,
        has_entrypoint=image.has_entrypoint,
        volumes=image.volumes,
    )
