"""Staging: what a container can see and change, and that nothing of it outlives the case."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.datasets.case import Case
from harness.errors import DatasetError
from harness.execution.stage import Staged, clear, stage
from harness.records.files import remove_tree
from harness.specs.challenge import Challenge
from harness.specs.task import TaskSpec
from tests.support.cohorts import REPOSITORY
from tests.support.datasets import first_case, volume_of, write_inputs, write_text, write_tiny_data
from tests.support.specs import one_line
from tests.support.volumes import voxels, write_volume


@pytest.fixture
def task(fomo25: Challenge) -> TaskSpec:
    return fomo25.task("infarct")


@pytest.fixture
def root(tmp_path: Path, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path / "data", fomo25, ("secret_case_1",))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir(mode=0o711)
    return tmp_path / "work"


def staged(task: TaskSpec, root: Path, work: Path) -> tuple[Staged, Case]:
    case = first_case(root, task)
    return stage(task, case, root=root, work=work), case


def test_the_volumes_lie_under_the_names_of_their_inputs(task: TaskSpec, root: Path, work: Path) -> None:
    folder, case = staged(task, root, work)
    assert sorted(path.name for path in folder.input_folder.iterdir()) == sorted(f"{n}.nii.gz" for n in case.volumes)
    for name, volume in case.volumes.items():
        assert (folder.input_folder / f"{name}.nii.gz").read_bytes() == (root / volume.path).read_bytes()
    assert list(folder.output_folder.iterdir()) == []
    assert not folder.taken.exists()


def test_the_flags_follow_the_spec(task: TaskSpec, root: Path, work: Path) -> None:
    folder, _ = staged(task, root, work)
    assert " ".join(folder.arguments) == (
        "--flair /input/flair.nii.gz --dwi_b1000 /input/dwi_b1000.nii.gz --adc /input/adc.nii.gz "
        "--t2s /input/t2s.nii.gz --output /output/prediction.txt"
    )


def test_no_path_tells_the_case_the_task_or_where_the_data_lie(task: TaskSpec, root: Path, work: Path) -> None:
    folder, _ = staged(task, root, work)
    seen = [path.relative_to(work).as_posix() for path in folder.folder.rglob("*")] + list(folder.arguments)
    for path in folder.input_folder.iterdir():
        seen.append(str(path.readlink()) if path.is_symlink() else path.name)
    for word in ("secret_case_1", "infarct", "fomo-task1-val", "label", root.name):
        assert not [path for path in seen if word in path]


def test_two_stagings_of_one_case_share_no_name(task: TaskSpec, root: Path, work: Path) -> None:
    assert staged(task, root, work)[0].folder.name != staged(task, root, work)[0].folder.name


def test_modes_let_the_container_in_and_list_nothing(task: TaskSpec, root: Path, work: Path) -> None:
    folder, _ = staged(task, root, work)
    modes = {path: path.stat().st_mode & 0o777 for path in (folder.folder, folder.input_folder, folder.output_folder)}
    assert list(modes.values()) == [0o711, 0o755, 0o700]
    assert folder.output_folder.stat().st_uid != 0


def test_of_a_volume_its_content_is_staged_and_nothing_else(task: TaskSpec, root: Path, work: Path) -> None:
    """When a case was written, between which others, and under how many names can tell its class."""
    for number, name in enumerate(("flair", "adc", "dwi_b1000", "t2s")):
        volume = volume_of(root, task, "secret_case_1", name)
        volume.chmod(0o600 if name == "adc" else 0o644)
        os.utime(volume, (1_700_000_000 + number, 1_700_000_000 - number))
    os.link(volume_of(root, task, "secret_case_1", "flair"), root / "a second name")
    folder, case = staged(task, root, work)
    seen = [path.stat() for path in folder.input_folder.iterdir()]
    assert {(each.st_mtime_ns, each.st_atime_ns, each.st_nlink, each.st_mode & 0o777) for each in seen} == {
        (0, 0, 1, 0o444)
    }
    originals = {(root / volume.path).stat().st_ino for volume in case.volumes.values()}
    assert not originals & {each.st_ino for each in seen}


def test_a_volume_behind_a_symbolic_link_is_staged_as_a_file(task: TaskSpec, root: Path, work: Path) -> None:
    """Data sets under git-annex or DataLad hold links whose targets say where, and often whose, a volume is."""
    path = volume_of(root, task, "secret_case_1", "adc")
    store = write_volume(root.parent / "store" / "person-42.nii.gz", voxels(5))
    path.unlink()
    path.symlink_to(os.path.relpath(store, path.parent))
    folder, _ = staged(task, root, work)
    there = folder.input_folder / "adc.nii.gz"
    assert not there.is_symlink()
    assert there.read_bytes() == store.read_bytes()


def test_a_volume_that_changed_since_it_was_planned_is_refused(task: TaskSpec, root: Path, work: Path) -> None:
    case = first_case(root, task)
    write_inputs(root, task, "secret_case_1", seed=7)
    with pytest.raises(DatasetError) as caught:
        stage(task, case, root=root, work=work)
    assert one_line(caught.value).startswith(f"{volume_of(root, task, 'secret_case_1', 'flair')}: has changed since")
    assert list(work.iterdir()) == []


def test_a_volume_that_is_gone_is_refused(task: TaskSpec, root: Path, work: Path) -> None:
    case = first_case(root, task)
    path = volume_of(root, task, "secret_case_1", "t2s")
    path.unlink()
    with pytest.raises(DatasetError, match=r"t2s\.nii\.gz: is gone since it was planned"):
        stage(task, case, root=root, work=work)
    assert list(work.iterdir()) == []


def test_clearing_leaves_the_data_and_what_was_taken(task: TaskSpec, root: Path, work: Path) -> None:
    folder, case = staged(task, root, work)
    write_text(folder.taken / "prediction.txt", "0.5")
    write_text(folder.output_folder / "rest" / "more.txt", "left by the container")
    clear(folder)
    assert list(work.iterdir()) == [folder.taken]
    assert first_case(root, task) == case


def test_clearing_follows_no_link(task: TaskSpec, root: Path, work: Path) -> None:
    folder, case = staged(task, root, work)
    (folder.output_folder / "to_data").symlink_to(root)
    (folder.output_folder / "to_file").symlink_to(volume_of(root, task, "secret_case_1", "adc"))
    clear(folder)
    assert first_case(root, task) == case


def test_a_tower_of_folders_is_cleared(tmp_path: Path) -> None:
    """Deeper than a path may be long and than Python may recurse: a container can build this in a second."""
    tower = tmp_path / "tower"
    tower.mkdir()
    descriptor = os.open(tower, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("deeper", dir_fd=descriptor)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    remove_tree(tower)
    assert list(tmp_path.iterdir()) == []


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from harness.records.files import remove_tree
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
top = Path(sys.argv[1])
secret = top / "reference.txt"
secret.write_text("1")
secret.chmod(0o600)
inner = top / "case" / "out" / "a" / "b" / "c"
inner.mkdir(parents=True)
(inner / "file").touch()
(inner / "link").symlink_to(secret)
for folder, mode in ((inner, 0o000), (inner.parent, 0o500), (inner.parent.parent, 0o000), (top / "case" / "out", 0)):
    folder.chmod(mode)
remove_tree(top / "case")
print(sorted(os.listdir(top)), oct(secret.stat().st_mode & 0o777))
"""


def test_folders_closed_by_their_container_are_cleared_by_a_harness_that_is_not_root() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # tmp_path lies below folders that only its owner may enter
        command = [sys.executable, "-c", UNPRIVILEGED, folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert (ended.stdout, ended.stderr) == ("['reference.txt'] 0o600\n", "")
