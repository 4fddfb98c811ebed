"""Carrying out a validation's trials: by the functions that carry out a run's, on the same plan and bench."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from harness.datasets.case import Case
from harness.engines.engine import Engine, ImageFacts, RunRequest, RunResult
from harness.execution.bench import Bench
from harness.execution.drive import carry_out
from harness.execution.patience import FailFast, Retries
from harness.execution.request import Trial, probe_request
from harness.records.plan import Entry, Plan
from harness.records.record import Record
from harness.records.store import RunStore
from harness.validation.evidence import Evidence, Relaxed, Seen
from harness.validation.surroundings_checks import LADDER, ROOT_AND_WRITABLE, UNCHANGED, explicable

AGAIN, LAST = ".again", ".last"
GPU_LISTING = ("nvidia-smi", "--list-gpus")
GPU_LISTING_S = 30.0
RETRIES = Retries(waits_s=(1.0,))
"""Fewer than a run's: here a person waits, and is told what the machine spoiled."""


@dataclass(frozen=True)
class Site:
    """Where trials are carried out, and where they are kept.

    Attributes
    ----------
    titles
        What is peculiar about each case of each task, in words.
    on_record
        Told of each record of a case; not of those with restrictions lifted.
    """

    plan: Plan
    store: RunStore
    bench: Bench
    executor: Executor
    workers: int
    images: Mapping[str, ImageFacts]
    titles: Mapping[tuple[str, str], str]
    on_record: Callable[[Record], None]


class RelaxedEngine:
    """An engine that lifts restrictions from every container.

    Only a validation has one, for a team's own image on made-up cases; what it lifts does not change the limits.

    Parameters
    ----------
    engine
        What runs the containers.
    relaxed
        The restrictions to lift.
    """

    def __init__(self, engine: Engine, relaxed: Relaxed) -> None:
        self._engine, self._relaxed = engine, relaxed
        self.changed: tuple[str, ...] = ()
        self.facts, self.find_image, self.load_archive = engine.facts, engine.find_image, engine.load_archive
        self.is_gone = engine.is_gone
        self.probe, self.stop_all, self.remove_leftovers = engine.probe, engine.stop_all, engine.remove_leftovers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the engine to whoever opened it."""

    def run(self, request: RunRequest) -> RunResult:
        """Run one container without some of its restrictions."""
        result = self._engine.run(replace(request, relaxed=self._relaxed))
        self.changed = result.changed
        return result


def with_repeats(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """Have the first case once more beside its first time, and once more after all others."""
    first = cases[0]
    again, last = (first.model_copy(update={"id": first.id + mark}) for mark in (AGAIN, LAST))
    return (first, again, *cases[1:], last)


def try_all(site: Site, contract: int) -> list[Evidence]:
    """Run every case of every entry, then what tells why some failed.

    Parameters
    ----------
    site
        Where.
    contract
        The version that the challenge asks for.

    Raises
    ------
    RunInterrupted
        Ctrl-C or SIGTERM; running containers were ended.
    EngineUnavailable
        The engine gave up.
    """
    _run(site, [trial for entry in site.plan.entries for trial in _trials(site.plan, entry)], site.bench)
    return [_evidence(site, entry, contract) for entry in site.plan.entries]


def _trials(plan: Plan, entry: Entry) -> list[Trial]:
    task = plan.task(entry.task)
    return [Trial(entry, task.spec, task.limits, case) for case in task.cases]


def _run(site: Site, trials: Iterable[Trial], bench: Bench, on_record: Callable[[Record], None] | None = None) -> None:
    carry_out(
        trials,
        bench,
        site.store,
        site.executor,
        window=site.workers + 2,
        on_record=on_record or site.on_record,
        patience=(RETRIES, FailFast(0)),
    )


def _evidence(site: Site, entry: Entry, contract: int) -> Evidence:
    by_case = {trial.case.id: _seen(site, trial) for trial in _trials(site.plan, entry)}
    first = next(iter(by_case))
    repeats = {mark: by_case.pop(first + mark, None) for mark in (AGAIN, LAST)}
    seen = tuple(by_case.values())
    return Evidence(
        entry=entry,
        task=site.plan.task(entry.task),
        image=site.images[entry.task],
        machine=site.bench.machine,
        contract=contract,
        seen=seen,
        again=repeats[AGAIN],
        last=repeats[LAST],
        relaxed=_relaxed(site, entry, seen),
        gpu_listing=_gpu_listing(site, entry),
    )


def _relaxed(site: Site, entry: Entry, seen: tuple[Seen, ...]) -> dict[Relaxed, Seen]:
    """Try one case with restrictions lifted: all of them where it failed, else only to see where it would write."""
    fitting = entry.image.platform == site.bench.machine.platform
    if not fitting or all(each.is_the_machines for each in seen):
        return {}
    failed = explicable(seen)
    ladder = (*LADDER, ROOT_AND_WRITABLE) if failed else (ROOT_AND_WRITABLE,)
    tried: dict[Relaxed, Seen] = {}
    for relaxed in ladder:
        tried[relaxed] = _try_relaxed(site, entry, (failed or seen[0]).case, relaxed)
        if relaxed == UNCHANGED and tried[relaxed].is_ok:
            break
    return tried


def _try_relaxed(site: Site, entry: Entry, case: Case, relaxed: Relaxed) -> Seen:
    task = site.plan.task(entry.task)
    name = "-".join(sorted(relaxed)) or "once-more"
    trial = Trial(entry, task.spec, task.limits, case.model_copy(update={"id": f"{case.id}.{name}"}))
    engine = RelaxedEngine(site.bench.engine, relaxed)
    _run(site, [trial], replace(site.bench, engine=engine), on_record=lambda _: None)
    return replace(_seen(site, trial), changed=engine.changed)


def _seen(site: Site, trial: Trial) -> Seen:
    record = site.store.record(trial.key) or site.store.spoiled(trial.key)[-1]
    prediction = None if record.prediction is None else site.store.folder / record.prediction.file
    title = site.titles.get((trial.task.name, trial.case.id), "")
    return Seen(trial.case, title, record, site.store.log(trial.key), prediction)


def _gpu_listing(site: Site, entry: Entry) -> str | None:
    """Ask a container what it sees of its GPU, as the driver's own program tells."""
    limits = site.plan.task(entry.task).limits
    if not limits.gpu:
        return None
    with site.bench.devices.lease(wanted=True) as device:
        request = probe_request(entry, limits, site.store.facts.id, site.bench.work, device)
        within = replace(request.limits, seconds=min(request.limits.seconds, GPU_LISTING_S))
        result = site.bench.engine.run(replace(request, command=GPU_LISTING, limits=within))
    listed = result.log.decode(errors="replace").strip() if result.exit_code == 0 else ""
    return listed.splitlines()[0] if listed else ""
