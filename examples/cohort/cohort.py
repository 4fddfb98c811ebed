"""The flow: a request, a roster, cases made in parallel, and a folder that appears only when it is whole."""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from examples.cohort import writing
from examples.cohort.cases import TASKS, Order, Truth, make_case, roster

VERSION = 2  # raise it whenever the same seed gives other files
NOTICE = "The anatomy is the MNI152 template; ALL pathology and ALL ages are simulated. No image shows a real person."

Counts = tuple[int, int, int]
DEFAULT_VALIDATION: Counts = (20, 10, 24)
FULL_VALIDATION: Counts = (320, 107, 800)  # FOMO25's
FINETUNING: Counts = (21, 23, 200)  # FOMO25's


class CohortError(Exception):
    """The cohort cannot be written where it was asked for; the message is one sentence for the user."""


@dataclass(frozen=True)
class Request:
    """What to make: the seed, 1 mm instead of 2 mm, and the number of cases of tasks 1, 2 and 3."""

    seed: int = 25
    full: bool = False
    validation: Counts = DEFAULT_VALIDATION
    finetuning: Counts = FINETUNING

    def orders(self) -> list[Order]:
        """Return the orders of all cases, validation first."""
        counts = {"validation": self.validation, "finetuning": self.finetuning}
        return [
            order
            for split, numbers in counts.items()
            for task, number in zip(TASKS, numbers, strict=True)
            for order in roster(self.seed, split, task, number, self.full)
        ]

    def describe(self) -> dict[str, object]:
        """Return what identifies the cohort, as it stands in ``cohort.json``."""
        return {
            "generator": "examples.cohort",
            "version": VERSION,
            "seed": self.seed,
            "millimetres": 1 if self.full else 2,
            "counts": {"validation": list(self.validation), "finetuning": list(self.finetuning)},
        }


@dataclass(frozen=True)
class Made:
    """What came of a request: where, how many cases, and whether they had been there before."""

    root: Path
    cases: int
    already_there: bool


def make_cohort(
    root: Path, request: Request, processes: int = 1, report: Callable[[int, int], None] = lambda *_: None
) -> Made:
    """Write a cohort, or find that it is there.

    Parameters
    ----------
    root
        Folder to make; must not exist, be empty, or hold this very cohort.
    request
        What to make.
    processes
        How many processes work on it; the files do not depend on it.
    report
        Called with the cases done and the cases in all, after each case.

    Raises
    ------
    CohortError
        Where ``root`` holds something else.
    """
    orders = request.orders()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        require_same(root, request)
        return Made(root, len(orders), already_there=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{root.name}.", suffix=".unfinished", dir=root.parent))
    try:
        truths = list(make_cases(unfinished, orders, processes, report))
        write_front_matter(unfinished, request, truths)
        unfinished.chmod(0o755)  # mkdtemp's folders are for their owner alone
        unfinished.rename(root)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return Made(root, len(orders), already_there=False)


def require_same(root: Path, request: Request) -> None:
    """Raise `CohortError` unless ``root`` holds the whole cohort that ``request`` would make."""
    try:
        found: Any = json.loads((root / "cohort.json").read_text(encoding="utf-8"))
        same = {key: found[key] for key in request.describe()} == request.describe()
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise CohortError(
            f"{root} holds something other than this cohort; choose another folder or remove it yourself."
        )
    for order in request.orders():
        paths = [writing.volume_path(root, order.split, order.task, order.name, name) for name in order.sequences]
        for path in [*paths, writing.reference_path(root, order.split, order.task, order.name)]:
            if not path.is_file():
                raise CohortError(
                    f"{root} holds this cohort but lacks {path.relative_to(root)}; remove it and run again."
                )


def make_cases(root: Path, orders: list[Order], processes: int, report: Callable[[int, int], None]) -> Iterator[Truth]:
    """Make all cases under ``root`` and yield their truths in the orders' order."""
    make = partial(make_case, root)
    with contextlib.ExitStack() as stack:
        if processes == 1:
            truths: Iterator[Truth] = map(make, orders)
        else:
            # The processes are the parallelism: linear algebra threads of their own would only get in their way.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            # Spawned, not forked: NumPy's threads do not survive a fork.
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(processes, context, initializer=leave_interrupts_to_parent)
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            truths = pool.map(make, orders, chunksize=4)
        for done, truth in enumerate(truths, start=1):
            report(done, len(orders))
            yield truth


def leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C in a worker: the parent stops the work and clears up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def write_front_matter(root: Path, request: Request, truths: list[Truth]) -> None:
    """Write the README for people and ``cohort.json`` for programs."""
    described = request.describe() | {"notice": NOTICE, "cases": [asdict(truth) for truth in truths]}
    if (root / "validation").is_dir():
        writing.write_text(root / "validation" / "NOTICE.txt", NOTICE + "\n")
    writing.write_text(root / "cohort.json", json.dumps(described, indent=1) + "\n")
    notice = (writing.TEMPLATE_NOTICE).read_text(encoding="utf-8")
    writing.write_text(
        root / "README.md", README.format(notice=NOTICE, seed=request.seed, version=VERSION, licence=notice)
    )


README = """# A demo cohort for fomo-eval

**{notice}**

It has the layout of FOMO25's validation and finetuning sets, so that a whole evaluation can be tried without private
images. Scores on it say whether a pipeline works, and nothing about how good a network is on patients.

- `validation/fomo-task1-val`: infarct or none. `label.txt` is 1 or 0.
- `validation/fomo-task2-val`: meningioma. `seg.nii.gz` is 1 inside the tumour, on the volumes' own grid.
- `validation/fomo-task3-val`: brain age. `label.txt` is the age in years.
- `finetuning/fomo-task1`, `-task2`, `-task3`: the same, to train on.
- `cohort.json`: what every case shows. It holds all answers: do not give it to anything that is to be evaluated.

Made by `python -m examples.cohort`, version {version}, with seed {seed}; the same command makes the same files.

The template's copyright notice:

{licence}"""
