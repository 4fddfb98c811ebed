"""Command line: ``python -m examples.cohort --out DIR``."""

import argparse
import signal
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from examples.cohort.cohort import (
    DEFAULT_VALIDATION,
    FINETUNING,
    FULL_VALIDATION,
    NOTICE,
    CohortError,
    Counts,
    Request,
    make_cohort,
)


def three_counts(text: str) -> Counts:
    """Read ``"20,10,24"``."""
    try:
        first, second, third = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three whole numbers such as 20,10,24") from None
    if min(first, second, third) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} has a negative number")
    return first, second, third


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.cohort", description=f"Write a demo cohort. {NOTICE}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    parser.add_argument("--seed", type=int, default=25, help="default: %(default)s")
    parser.add_argument("--full", action="store_true", help="1 mm and FOMO25's numbers of validation cases: some 4 GB")
    parser.add_argument("--processes", type=positive, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--cases", type=three_counts, metavar="A,B,C", help="validation cases of tasks 1, 2, 3; default: 20,10,24"
    )
    parser.add_argument(
        "--finetuning", type=three_counts, default=FINETUNING, metavar="A,B,C", help="default: 21,23,200"
    )
    return parser.parse_args(arguments)


def progress(done: int, total: int) -> None:
    """Keep one line on the terminal up to date; in a log, write one line in fifty."""
    if sys.stderr.isatty():
        print(f"\r{done}/{total} cases", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done % 50 == 0 or done == total:
        print(f"{done}/{total} cases", file=sys.stderr, flush=True)


def main() -> int:
    """Run the command and return its exit status."""
    options = parse()
    validation = options.cases or (FULL_VALIDATION if options.full else DEFAULT_VALIDATION)
    request = Request(options.seed, options.full, validation, options.finetuning)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being stopped clears up just as Ctrl-C does
    start = time.monotonic()
    try:
        made = make_cohort(options.out, request, options.processes, progress)
    except CohortError as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, BrokenProcessPool) as error:
        print(f"The cohort could not be written: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing was left behind.", file=sys.stderr)
        return 130
    if made.already_there:
        print(f"{made.root} already holds this cohort ({made.cases} cases). {NOTICE}")
    else:
        print(f"{made.root}: {made.cases} cases in {time.monotonic() - start:.0f} s. {NOTICE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
