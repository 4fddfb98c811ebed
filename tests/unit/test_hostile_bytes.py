"""Whatever bytes a stranger writes, the readers answer in their own words: nothing escapes, nothing is printed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.datasets.case import Case
from harness.engines.outcome import Ending, Refusal
from harness.errors import SpecError
from harness.execution.verify import verify
from harness.specs import reading
from harness.specs.challenge import Challenge
from harness.specs.loading import builtin_folder
from harness.specs.task import TaskSpec
from tests.support.datasets import first_case, write_tiny_data
from tests.support.specs import one_line
from tests.support.volumes import HEADER_BYTES, mask, nifti_bytes

GOOD = nifti_bytes(mask())
ONCE_PER_TEST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

changed_bytes = st.lists(st.tuples(st.integers(0, HEADER_BYTES - 1), st.integers(0, 255)), min_size=1, max_size=30)
changed_text = st.lists(
    st.tuples(
        st.integers(0, 10_000), st.sampled_from([*"{}[]:,#&*!|>'\"%@`\n\t -?0a.~\x00\x85\u2028é", "!!set", ".nan"])
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data"), fomo25, ("case_1",))


@pytest.fixture(scope="module")
def case(root: Path, fomo25: Challenge) -> Case:
    return first_case(root, fomo25.task("meningioma"))


@ONCE_PER_TEST
@given(changes=changed_bytes, compressed=st.booleans())
def test_any_header_is_judged_in_silence(
    root: Path,
    case: Case,
    tmp_path: Path,
    fomo25: Challenge,
    caplog: pytest.LogCaptureFixture,
    changes: list[tuple[int, int]],
    compressed: bool,
) -> None:
    content = bytearray(GOOD)
    for place, byte in changes:
        content[place] = byte
    path = tmp_path / "prediction.nii.gz"
    path.write_bytes(gzip.compress(bytes(content), 1) if compressed else bytes(content))
    outcome = verify(fomo25.task("meningioma"), case, path, root=root)
    assert outcome.ending in (Ending.OK, Ending.INVALID_OUTPUT)
    assert isinstance(outcome.refusal, Refusal) == (outcome.ending is Ending.INVALID_OUTPUT)
    assert outcome.detail.isprintable()
    assert caplog.records == []


@ONCE_PER_TEST
@given(
    content=st.binary(max_size=500), start=st.sampled_from([b"", b"\x1f\x8b", gzip.compress(GOOD)[:150], GOOD[:360]])
)
def test_any_bytes_are_judged_in_silence(
    root: Path,
    case: Case,
    tmp_path: Path,
    fomo25: Challenge,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    start: bytes,
) -> None:
    path = tmp_path / "prediction.nii.gz"
    path.write_bytes(start + content)
    outcome = verify(fomo25.task("meningioma"), case, path, root=root)
    assert outcome.ending in (Ending.OK, Ending.INVALID_OUTPUT)
    assert outcome.detail.isprintable()
    assert caplog.records == []


@ONCE_PER_TEST
@given(changes=changed_text)
def test_any_text_is_a_spec_or_refused_in_one_line(tmp_path: Path, changes: list[tuple[int, str]]) -> None:
    text = (builtin_folder() / "fomo25" / "meningioma.yaml").read_text(encoding="utf-8")
    for place, word in changes:
        place %= len(text)
        text = text[:place] + word + text[place + 1 :]
    path = tmp_path / "task.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        reading.read(path, TaskSpec, SpecError)
    except SpecError as fault:
        said = one_line(fault)
    else:
        said = f"{path}: is a task"
    assert said.startswith(f"{path}: ")


@ONCE_PER_TEST
@given(content=st.binary(max_size=300))
def test_any_bytes_are_no_spec_and_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        reading.read(path, TaskSpec, SpecError)
    assert one_line(caught.value).startswith(f"{path}: ")
