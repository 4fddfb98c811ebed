"""The example images, built by build.sh and run as a challenge runs them: without root, network or a writable disk."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import yaml

from tests.support.cohorts import REPOSITORY, write_cohort

pytestmark = pytest.mark.docker

PREFIX = "fomo-eval-test"  # images that learned from a handful of cases must not replace the real ones
USER = 65532
HARDENED = [
    "--rm", "--network=none", "--read-only", f"--user={USER}:{USER}", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--pids-limit=64", "--memory=1g", "--memory-swap=1g", "--init", "--ipc=private",
    "--tmpfs=/tmp:rw,exec,nosuid,nodev,size=64m", "--env=HOME=/tmp",
]  # fmt: skip
SUBMISSIONS = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((REPOSITORY / "examples/submissions").glob("*.yaml"))
}
ENTRIES = [(team, task) for team, submission in SUBMISSIONS.items() for task in submission["images"]]
TASKS = {"infarct": 1, "meningioma": 2, "brain_age": 3}


@pytest.fixture(scope="module")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cohort with just enough finetuning cases to learn something from."""
    return write_cohort(tmp_path_factory.mktemp("cohort") / "small", "1,1,1", "8,4,12").parent


@pytest.fixture(scope="module")
def built(small_cohort: Path) -> list[str]:
    """The images that build.sh says it built."""
    return build(small_cohort)


def build(cohort: Path, *teams: str) -> list[str]:
    command = ["containers/build.sh", "--cohort", str(cohort), "--prefix", PREFIX, *teams]
    return subprocess.run(command, check=True, cwd=REPOSITORY, capture_output=True, text=True).stdout.split()


def case_folder(cohort: Path, task: str) -> Path:
    return next((cohort / "validation" / f"fomo-task{TASKS[task]}-val" / "preprocessed").iterdir()) / "ses_1"


def predict(team: str, task: str, inputs: Path, output: Path) -> Path:
    """Run a team's image on a folder of volumes; return the one file that it wrote."""
    output.mkdir()
    output.chmod(0o777)
    name = "prediction.nii.gz" if task == "meningioma" else "prediction.txt"
    flags = [word for path in sorted(inputs.iterdir()) for word in (f"--{path.name[:-7]}", f"/input/{path.name}")]
    mounts = [f"--volume={inputs}:/input:ro", f"--volume={output}:/output"]
    command = ["docker", "run", *HARDENED, *mounts, f"{PREFIX}/{team}:1", *flags, "--output", f"/output/{name}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert [path.name for path in output.iterdir()] == [name]
    assert (output / name).stat().st_uid == USER
    return output / name


def inspect(image: str) -> Any:
    shown = subprocess.run(["docker", "image", "inspect", image], check=True, capture_output=True, text=True).stdout
    return json.loads(shown)[0]


def test_every_submission_has_its_image(built: list[str]) -> None:
    assert sorted(built) == sorted(f"{PREFIX}/{team}:1" for team in SUBMISSIONS)
    for team, submission in SUBMISSIONS.items():
        assert set(submission["images"].values()) == {f"fomo-eval-example/{team}:1"}


def test_images_declare_the_contract(built: list[str]) -> None:
    assert {image: inspect(image)["Config"]["Labels"]["org.fomo-eval.contract"] for image in built} == dict.fromkeys(
        built, "1"
    )


def test_building_again_changes_nothing(built: list[str], small_cohort: Path) -> None:
    before = [inspect(image)["Id"] for image in built]
    assert build(small_cohort) == built
    assert [inspect(image)["Id"] for image in built] == before


def test_an_unknown_team_is_refused_by_name(small_cohort: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build(small_cohort, "nobody")
    assert "there is no team 'nobody'" in failed.value.stderr


def test_the_containers_here_are_as_confined_as_a_challenges(built: list[str]) -> None:
    code = """
import os, socket
def tried(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
print(os.getuid(), tried(lambda: open("/app/x", "w")), tried(lambda: open("/tmp/x", "w")),
      [name for _, name in socket.if_nameindex()])
"""
    command = ["docker", "run", *HARDENED, "--entrypoint=python", built[0], "-c", code]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown == f"{USER} OSError done ['lo']\n"


@pytest.mark.parametrize(("team", "task"), ENTRIES)
@pytest.mark.usefixtures("built")
def test_a_team_predicts_what_it_entered_for(team: str, task: str, small_cohort: Path, tmp_path: Path) -> None:
    inputs = case_folder(small_cohort, task)
    prediction = predict(team, task, inputs, tmp_path / "output")
    if task == "meningioma":
        mask, flair = load(prediction), load(inputs / "flair.nii.gz")
        assert mask.shape == flair.shape
        assert np.array_equal(mask.affine, flair.affine)
        assert set(np.unique(mask.dataobj)) <= {0, 1}
    else:
        number = float(prediction.read_text(encoding="utf-8"))
        assert 0 <= number <= (1 if task == "infarct" else 120)
        assert math.isfinite(number)


@pytest.mark.parametrize("team", ["thresholds", "forest", "surfacer"])
@pytest.mark.usefixtures("built")
def test_a_mask_does_not_depend_on_how_the_volumes_are_stored(team: str, small_cohort: Path, tmp_path: Path) -> None:
    inputs = case_folder(small_cohort, "meningioma")
    stored = load(predict(team, "meningioma", inputs, tmp_path / "stored"))
    turned_inputs = tmp_path / "turned-inputs"
    turned_inputs.mkdir()
    for path in inputs.iterdir():
        nib.save(turned(load(path)), turned_inputs / path.name)
    mask = load(predict(team, "meningioma", turned_inputs, tmp_path / "turned"))
    expected = turned(stored)
    assert np.asarray(stored.dataobj).any()
    assert np.array_equal(mask.affine, expected.affine)
    assert np.array_equal(mask.dataobj, expected.dataobj)


def load(path: Path) -> Any:
    return nib.load(path)


def turned(image: Any) -> Any:
    """Return an image with its axes stored in another order and direction, at the same place in the world."""
    orientations: Any = nib.orientations
    wanted = orientations.axcodes2ornt(("S", "L", "P"))
    change = orientations.ornt_transform(orientations.io_orientation(image.affine), wanted)
    return image.as_reoriented(change)


@pytest.mark.usefixtures("built")
def test_a_team_without_a_task_says_so(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="predicts brain age only"):
        predict("ventricles", "infarct", case_folder(small_cohort, "infarct"), tmp_path / "output")
