"""A long search, guided by coverage, for contents that upset the two parsers of what strangers write.

Not part of the tests: ``make fuzz`` runs it for ten minutes, half of them on each parser. It needs atheris, which no
other part of the project does (``pip install --group fuzz``)::

    python -m tests.fuzz.parsers numbers -max_total_time=300
    python -m tests.fuzz.parsers masks -max_total_time=300 [CORPUS]

Options are libFuzzer's. What it finds is written to a file named in its last lines; a content that was mended is kept
in ``tests/unit/test_fuzz_parsers.py`` as one of ``FOUND``.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["harness"]):
    from harness.datasets.scalars import NotOneNumber, parse_number
    from harness.engines.outcome import Ending
    from harness.execution.verify import verify
    from harness.specs.loading import load_challenge

from tests.support.datasets import first_case, write_tiny_data
from tests.support.volumes import mask, nifti_bytes


def read_number(content: bytes) -> None:
    """Read a content as a number: that number or a refusal, and nothing else."""
    try:
        value = parse_number(content)
    except NotOneNumber:
        return
    assert value == float(content.decode().strip())  # of more kinds of white space than float() ignores


class Masks:
    """Judges contents as masks of one case, straight and compressed.

    Parameters
    ----------
    folder
        For the case, and for each content.
    """

    def __init__(self, folder: Path) -> None:
        challenge = load_challenge("fomo25")
        self._root = write_tiny_data(folder / "data", challenge, ("case_1",))
        self._task = challenge.task("meningioma")
        self._case = first_case(self._root, self._task)
        self._file = folder / "prediction.nii.gz"

    def judge(self, content: bytes) -> None:
        """Judge a content: accepted or refused, and nothing else."""
        for written in (content, gzip.compress(content, 1)):
            self._file.write_bytes(written)
            outcome = verify(self._task, self._case, self._file, root=self._root)
            assert outcome.ending in (Ending.OK, Ending.INVALID_OUTPUT)


def main() -> None:
    """Search until libFuzzer's options end it."""
    if sys.argv[1:2] not in (["numbers"], ["masks"]):
        sys.exit("Name what is searched, 'numbers' or 'masks'; libFuzzer's options follow.")
    what = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        (seeds / "good").write_bytes(nifti_bytes(mask()) if what == "masks" else b" 0.25\n")
        search = Masks(Path(folder)).judge if what == "masks" else read_number
        atheris.Setup([*sys.argv, str(seeds)], search)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
