"""Writing submissions and reading run directories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DERIVED = ("scores.json", "stability.json", "leaderboard.json", "leaderboard.csv", "leaderboard.md")


def write_submission(
    folder: Path, team: str, images: dict[str, Any], *, track: str = "method", baseline: bool = False, **more: Any
) -> Path:
    """Write a submission file (JSON is YAML)."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{track}-{team}.yaml"
    file.write_text(json.dumps({"team": team, "track": track, "baseline": baseline, "images": images, **more}))
    return file


def derived_bytes(run: Path) -> dict[str, bytes]:
    """Read every file that must come out the same from the same predictions."""
    return {name: (run / name).read_bytes() for name in DERIVED}


def records(run: Path) -> dict[str, dict[str, Any]]:
    """Read every final record, by ``track/team/task/case``."""
    root = run / "records"
    return {
        file.relative_to(root).with_suffix("").as_posix(): json.loads(file.read_text())
        for file in sorted(root.rglob("*.json"))
    }


def board(run: Path) -> dict[str, dict[str, Any]]:
    """Read the leaderboard's rows, by ``track/team``."""
    content = json.loads((run / "leaderboard.json").read_text())
    return {f"{track['name']}/{row['team']}": row for track in content["tracks"] for row in track["rows"]}
