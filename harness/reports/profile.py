"""Where the time went: per entry, what its containers and the harness around them took.

Times differ from run to run, so they are kept apart from scores and leaderboard.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from harness.records.plan import Entry
from harness.records.record import Record

HARNESS_STEPS = ("stage", "start", "collect", "verify")


def profile(finished: Sequence[tuple[Entry, Sequence[Record]]]) -> list[dict[str, object]]:
    """Summarise the times of each entry's records, in seconds.

    Parameters
    ----------
    finished
        Entries with their final records.

    Returns
    -------
    list of dict
        Per entry: how many trials, the median and longest container time, the median time of the harness
        around a container, and the machines.
    """
    rows: list[dict[str, object]] = []
    for entry, records in finished:
        ran = [record for record in records if "container" in record.spans]
        if not ran:
            continue
        containers = [record.spans["container"] for record in ran]
        around = [sum(record.spans.get(step, 0.0) for step in HARNESS_STEPS) for record in ran]
        rows.append(
            {
                "track": entry.track,
                "team": entry.team,
                "task": entry.task,
                "trials": len(ran),
                "container_median_s": round(statistics.median(containers), 3),
                "container_longest_s": round(max(containers), 3),
                "harness_median_s": round(statistics.median(around), 3),
                "hosts": sorted({record.machine.host for record in ran}),
            }
        )
    return rows
