"""``python -m benchmarks [name ...]``: measure, write RESULTS.md, and end with 1 where a promise is not kept."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.measuring import Row, machine

BENCHMARKS = ("metrics", "scoring")
"""Modules with a function ``rows`` that yields what it measured; a new one is one more name."""
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(names: list[str]) -> int:
    """Measure what is named, or everything."""
    if unknown := set(names) - set(BENCHMARKS):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. Known: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    where, rows = machine(), []
    for name in names or BENCHMARKS:
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            print(_line(row), flush=True)
            rows.append(row)
    if not names:
        RESULTS.write_text(_table(where, rows), encoding="utf-8")
    missed = [row for row in rows if not row.met]
    for row in missed:
        print(f"Missed: {row.what}: {row.figure}, not {row.target}.", file=sys.stderr)
    return 1 if missed else 0


def _table(where: str, rows: list[Row]) -> str:
    head = (
        "# Benchmarks\n\nWritten by `make bench`: medians of repeated, interleaved runs. A is 240 × 240 × 155 at 1 mm, "
        "B is 512 × 512 × 180 at\n0.45 × 0.45 × 1 mm, each with a tumour of 10 mL; "
        "times are of Dice and NSD together.\n\n"
        f"{where}\n\n| what | measured | target | met |\n| --- | --- | --- | --- |\n"
    )
    return head + "".join(f"{_line(row)}\n" for row in rows)


def _line(row: Row) -> str:
    return f"| {row.what} | {row.figure} | {row.target} | {'yes' if row.met else '**no**'} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
