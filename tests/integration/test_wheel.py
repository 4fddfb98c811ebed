"""What users install: the wheel, with the built-in challenges inside, used from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness import __version__
from tests.support.cohorts import REPOSITORY
from tests.support.images import build_example
from tests.support.runs import derived_bytes, write_submission


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Built from the checkout and installed into a folder of its own; the dependencies are this environment's.
    folder = tmp_path_factory.mktemp("wheel")
    quiet = {"check": True, "capture_output": True}
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY], **quiet)  # type: ignore[call-overload]
    [wheel] = folder.glob("*.whl")
    assert wheel.name.startswith(f"fomo_eval-{__version__}-")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "harness/task_specs/fomo25/challenge.yaml" in names
    assert "harness/reports/html/templates/page.css" in names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "containers/"))]
    target = folder / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", "--target", target, wheel], **quiet)  # type: ignore[call-overload]
    return target


def run_installed(installed: Path, folder: Path, *arguments: str) -> str:
    # -S keeps the editable checkout out; the dependencies come from this environment's folder.
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), dependencies])}
    words = [sys.executable, "-S", "-m", "harness", *arguments]
    return subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def test_built_in_challenges_are_inside(installed: Path, tmp_path: Path) -> None:
    listed = run_installed(installed, tmp_path, "tasks", "list")
    assert [line for line in listed.splitlines() if line.startswith("fomo25/")] == [
        "fomo25/infarct: Infarct classification",
        "fomo25/meningioma: Meningioma segmentation",
        "fomo25/brain_age: Brain-age regression",
    ]
    shown = run_installed(installed, tmp_path, "tasks", "show", "meningioma")
    assert shown == (REPOSITORY / "task_specs/fomo25/meningioma.yaml").read_text()


def test_a_submission_is_started_from_any_folder(installed: Path, tmp_path: Path) -> None:
    run_installed(installed, tmp_path, "init", "submission", "--task", "meningioma")
    assert {".dockerignore", "Dockerfile", "predict.py"} <= {path.name for path in (tmp_path / "submission").iterdir()}


@pytest.mark.docker
def test_a_whole_run_from_any_folder(installed: Path, tmp_path: Path, cohort: Path) -> None:
    write_submission(tmp_path / "submissions", "constant", {"infarct": build_example()})
    words = ("--challenge", "fomo25", "--data", str(cohort), "--submissions", "submissions", "--out", "run")
    shown = run_installed(installed, tmp_path, "run", *words, "--gpus", "none")
    assert "Infarct classification (4 cases)" in shown
    before = derived_bytes(tmp_path / "run")
    run_installed(installed, tmp_path, "score", "run")
    assert derived_bytes(tmp_path / "run") == before
    pages = tmp_path / "run" / "report"
    written = (pages / "index.html").read_bytes()  # at the end of the run
    run_installed(installed, tmp_path, "report", "run", "--format", "html,svg")
    assert (pages / "index.html").read_bytes() == written
    assert (pages / "figures" / "method-infarct-roc.svg").is_file()


def test_it_is_the_installed_package_that_answers(installed: Path, tmp_path: Path) -> None:
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), dependencies])}
    script = "import harness, harness.metrics.surface as s; print(harness.__file__); print(s._normals().shape)"
    words = [sys.executable, "-S", "-c", script]
    out = subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    file, shape = out.splitlines()
    assert Path(file).is_relative_to(installed)
    assert shape.startswith("(256")


def test_the_command_has_the_entry_point(installed: Path) -> None:
    entry_points = next(installed.glob("fomo_eval-*.dist-info")) / "entry_points.txt"
    assert "fomo-eval = harness.cli:main" in entry_points.read_text()
