"""One trial, from staging a case to what is to be recorded: the same function wherever trials run."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.engines.engine import EngineFacts, RunResult
from harness.engines.outcome import Ending, Outcome, classify
from harness.errors import FomoEvalError, InfrastructureError
from harness.execution.bench import Bench
from harness.execution.collect import Collected, collect
from harness.execution.plan import container_limits
from harness.execution.request import Trial, trial_request
from harness.execution.stage import Staged, clear, stage
from harness.execution.verify import verify
from harness.records.record import Machine, OutcomeRecord, PredictionRecord, Record, UsageRecord
from harness.records.store import prediction_file


@dataclass(frozen=True)
class Attempt:
    """One attempt at a trial, ready to be recorded.

    Attributes
    ----------
    record
        What is to be kept of it.
    prediction
        The collected file, in a folder of its own below the work folder; None where there is none.
    log
        What the container wrote to standard output and error.
    """

    record: Record
    prediction: Path | None
    log: bytes


@dataclass
class Spans:
    """Seconds spent on each step of a trial."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add a block's time to a step."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0.0) + time.perf_counter() - began, 6)


@dataclass(frozen=True)
class _Ran:
    """What came of running a container and looking at what it left."""

    outcome: Outcome
    result: RunResult | None = None
    prediction: Collected | None = None


def run_trial(trial: Trial, bench: Bench, number: int) -> Attempt:
    """Run one trial's container and look at what it left.

    Parameters
    ----------
    trial
        What to run.
    bench
        Where.
    number
        1 for the first attempt at this trial.

    Returns
    -------
    Attempt
        A fault of the machine is an outcome like any other.

    Raises
    ------
    DatasetError
        A volume has changed since it was planned.
    """
    began, spans, device = datetime.now(UTC), Spans(), None
    ran = _wrong_platform(trial, bench.machine)
    if ran is None:
        with bench.devices.lease(wanted=trial.limits.gpu) as device:
            ran = _run(trial, bench, device, spans)
    record = Record(
        run=bench.run,
        trial=trial.key,
        attempt=number,
        outcome=OutcomeRecord.of(ran.outcome),
        prediction=None if ran.prediction is None else _kept(trial, ran.prediction),
        image=trial.entry.image.id,
        exit_code=None if ran.result is None else ran.result.exit_code,
        device=device,
        began=began.isoformat(timespec="milliseconds"),
        spans=spans.seconds,
        usage=UsageRecord() if ran.result is None else UsageRecord(**asdict(ran.result.usage)),
        machine=_machine(bench.machine),
        container={} if ran.result is None else dict(ran.result.configuration),
    )
    return Attempt(
        record,
        prediction=None if ran.prediction is None else ran.prediction.path,
        log=b"" if ran.result is None else ran.result.log,
    )


def not_run(trial: Trial, bench: Bench, outcome: Outcome) -> Attempt:
    """Record a trial that is not worth running, with the outcome that it is bound to have."""
    record = Record(
        run=bench.run,
        trial=trial.key,
        attempt=1,
        outcome=OutcomeRecord.of(outcome),
        image=trial.entry.image.id,
        began=datetime.now(UTC).isoformat(timespec="milliseconds"),
        spans={},
        machine=_machine(bench.machine),
        container={},
    )
    return Attempt(record, prediction=None, log=b"")


def _run(trial: Trial, bench: Bench, device: str | None, spans: Spans) -> _Ran:
    try:
        with spans.timed("stage"):
            bounds = container_limits(trial.limits) if bench.bounds_output else None
            case = stage(trial.task, trial.case, root=bench.root, work=bench.work, bounds=bounds)
        request = trial_request(trial, case, bench, device)
        try:
            result = bench.engine.run(request)
            spans.seconds |= {"start": round(result.start_seconds, 6), "container": round(result.seconds, 6)}
            return _judged(trial, result, case, bench, spans)
        finally:
            # A container that may live on could still write there; the clean-up after the run ends it first.
            if bench.engine.is_gone(request.name):
                clear(case)
    except InfrastructureError as fault:
        return _Ran(classify(fault))
    except FomoEvalError:
        raise
    except Exception as fault:  # of our own: it must not end the other trials, and is not the team's
        return _Ran(Outcome(Ending.ENGINE_FAULT, f"an error of fomo-eval itself: {fault!r}"))


def _judged(trial: Trial, result: RunResult, case: Staged, bench: Bench, spans: Spans) -> _Ran:
    ended = classify(result)
    if ended.ending is not Ending.OK:
        return _Ran(ended, result)
    with spans.timed("collect"):
        taken = collect(case.output_folder, trial.task.output.file, case.taken, largest=trial.limits.output_bytes)
    if isinstance(taken, Outcome):
        return _Ran(classify(result, taken), result)
    with spans.timed("verify"):
        written = verify(trial.task, trial.case, taken.path, root=bench.root)
    return _Ran(classify(result, written), result, taken)


def _wrong_platform(trial: Trial, machine: EngineFacts) -> _Ran | None:
    image = trial.entry.image.platform
    if image == machine.platform:
        return None
    detail = f"the image is for {image}, the evaluation machine is {machine.platform}"
    return _Ran(Outcome(Ending.WRONG_PLATFORM, detail))


def _kept(trial: Trial, prediction: Collected) -> PredictionRecord:
    file = prediction_file(trial.key, trial.task.output.file)
    return PredictionRecord(file=file, bytes=prediction.bytes, sha256=prediction.sha256)


def _machine(facts: EngineFacts) -> Machine:
    return Machine(
        host=socket.gethostname(),
        platform=facts.platform,
        engine=f"{facts.name} {facts.version}",
        cpus=facts.cpus,
        fomo_eval=__version__,
    )
