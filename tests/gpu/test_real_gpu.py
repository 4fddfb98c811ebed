"""A container sees the one GPU that it has leased and no other; on a machine with a real NVIDIA driver."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cohorts import REPOSITORY
from tests.support.commands import fomo_eval
from tests.support.images import script_image

pytestmark = pytest.mark.gpu

# The device files are what a process can open, whatever a library tells it; nvidia-smi comes with the driver.
SCRIPT = r"""
import glob, re, shutil, subprocess, sys
devices = [path for path in glob.glob("/dev/nvidia*") if re.fullmatch(r"/dev/nvidia\d+", path)]
smi = shutil.which("nvidia-smi")
listing = subprocess.run([smi, "-L"], capture_output=True, text=True).stdout if smi else ""
print("devices:", len(devices), "uuids:", *re.findall(r"UUID: (GPU-[0-9a-f-]+)", listing))
open(sys.argv[sys.argv.index("--output") + 1], "w").write("50")
"""
GREEDY = 'ENV NVIDIA_VISIBLE_DEVICES=all\nENTRYPOINT ["python", "/app/predict.py"]'


@pytest.fixture(scope="module")
def gpus() -> tuple[str, ...]:
    """The UUIDs of this machine's GPUs."""
    smi = shutil.which("nvidia-smi")
    assert smi is not None, "these tests need a real NVIDIA driver, and nvidia-smi is not installed"
    listing = subprocess.run([smi, "--query-gpu=uuid", "--format=csv,noheader"], capture_output=True, text=True)
    assert listing.returncode == 0, f"these tests need a real NVIDIA driver: {listing.stdout}{listing.stderr}"
    uuids = tuple(listing.stdout.split())
    assert uuids, "these tests need a real NVIDIA GPU, and nvidia-smi lists none"
    return uuids


def seen_inside(cohort: Path, folder: Path, asked: str) -> list[str]:
    """Run every brain-age case of the cohort; return what each container said that it sees."""
    submission = folder / "submission.yaml"
    image = script_image(SCRIPT, lines=GREEDY)
    submission.write_text(f"team: looker\ntrack: open\nimages: {{brain_age: '{image}'}}\n")
    specs = REPOSITORY / "task_specs" / "fomo25"
    assert "gpu: true" in (specs / "brain_age.yaml").read_text()
    words: list[str | Path] = ["run", "--challenge", specs, "--data", cohort, "--submissions", submission]
    words += ["--out", folder / "run", "--tasks", "brain_age", "--gpus", asked]
    finished = fomo_eval(*words)
    assert finished.code == 0, finished.err
    seen = [path.read_text().strip() for path in (folder / "run" / "logs").rglob("*.log")]
    assert len(seen) == 4
    return seen


def test_each_container_sees_one_gpu_and_all_are_used(gpus: tuple[str, ...], cohort: Path, tmp_path: Path) -> None:
    seen = seen_inside(cohort, tmp_path, "all")
    assert set(seen) <= {f"devices: 1 uuids: {uuid}" for uuid in gpus}
    assert len(set(seen)) == min(len(gpus), len(seen))


def test_a_container_sees_the_gpu_that_was_asked_for(gpus: tuple[str, ...], cohort: Path, tmp_path: Path) -> None:
    assert set(seen_inside(cohort, tmp_path, gpus[-1])) == {f"devices: 1 uuids: {gpus[-1]}"}


def test_without_gpus_a_container_sees_none(gpus: tuple[str, ...], cohort: Path, tmp_path: Path) -> None:
    assert set(seen_inside(cohort, tmp_path, "none")) == {"devices: 0 uuids:"}
