"""What is asked of the engine for a trial."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.datasets.case import Case
from harness.engines.engine import RUN_LABEL, ContainerLimits, ImageFacts, RunRequest
from harness.execution.bench import Bench
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
        name=f"fomo-eval-{bench.run}-{name}",
        labels={RUN_LABEL: bench.run},
        image=_image_facts(trial.entry.image),
        command=trial.entry.command,
        arguments=case.arguments,
        input_folder=case.input_folder,
        output_folder=case.output_folder,
        limits=_container_limits(trial.limits),
        device=device,
    )


def probe_request(entry: Entry, limits: EffectiveLimits, bench: Bench, device: str, folder: Path) -> RunRequest:
    """Ask for a container of an entry's image that gets one GPU, and neither a case nor flags."""
    return RunRequest(
        name=f"fomo-eval-{bench.run}-probe",
        labels={RUN_LABEL: bench.run},
        image=_image_facts(entry.image),
        command=entry.command,
        arguments=(),
        input_folder=folder,
        output_folder=folder,
        limits=_container_limits(limits),
        device=device,
    )


def _image_facts(image: PlannedImage) -> ImageFacts:
    return ImageFacts(
        id=image.id,
        digest=image.digest,
        platform=image.platform,
        size_bytes=image.bytes,
        has_entrypoint=image.has_entrypoint,
        volumes=image.volumes,
    )


def _container_limits(limits: EffectiveLimits) -> ContainerLimits:
    return ContainerLimits(**limits.model_dump(exclude={"gpu"}))
