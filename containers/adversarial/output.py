"""Attacks on the disk: more in ``/output`` than it may hold. What is refused ends the script with an error."""

import os
import sys
from itertools import count
from pathlib import Path

MIB = 1 << 20
SMALL = 64 << 10
OUTPUT = Path(sys.argv[-1])


def huge_file() -> None:
    """Write the prediction without end."""
    with OUTPUT.open("wb", buffering=0) as stream:
        _write_for_ever(stream.fileno())


def sparse_terabyte() -> None:
    """Make a file of a terabyte that holds nothing."""
    with OUTPUT.open("wb") as stream:
        stream.truncate(1 << 40)


def sparse_prediction() -> None:
    """Leave a prediction of more bytes than it may have, none of which takes space."""
    with OUTPUT.open("wb") as stream:
        stream.truncate(24 * MIB)


def many_files() -> None:
    """Make files without end."""
    for number in count():
        (OUTPUT.parent / str(number)).touch()


def folder_tower() -> None:
    """Put folders into each other, until no path is long enough to name them, and write into the innermost."""
    os.chdir(OUTPUT.parent)
    for _ in range(40):
        Path("x" * 200).mkdir()
        os.chdir("x" * 200)
    _write_for_ever(os.open("flood", os.O_CREAT | os.O_WRONLY))


def closed_folder() -> None:
    """Write into a folder that nobody may list."""
    folder = OUTPUT.parent / "closed"
    folder.mkdir()
    folder.chmod(0o300)
    for number in count():
        (folder / str(number)).write_bytes(b"x" * SMALL)


def closed_output() -> None:
    """Write into the output folder once nobody may list it."""
    OUTPUT.parent.chmod(0o300)
    for number in count():
        (OUTPUT.parent / str(number)).write_bytes(b"x" * SMALL)


def changing_names() -> None:
    """Have a child rename what is listed first, again and again, and write into what is listed last."""
    for number in range(40):
        (OUTPUT.parent / f"folder{number}").mkdir()
    *first, last = OUTPUT.parent.iterdir()
    for each in first:
        each.rmdir()
    if os.fork() == 0:
        pairs = list(zip(first[:6], first[6:12], strict=True))
        for one, _ in pairs:
            one.touch()
        while True:
            for one, other in pairs:
                one.rename(other)
            for one, other in pairs:
                other.rename(one)
    for number in count():
        (last / str(number % 4)).write_bytes(b"x" * 8 * MIB)


def nameless_file() -> None:
    """Write into a file that has no name any more."""
    with OUTPUT.open("wb", buffering=0) as stream:
        OUTPUT.unlink()
        _write_for_ever(stream.fileno())


def _write_for_ever(file: int) -> None:
    """Write until it is refused."""
    while True:
        os.write(file, b"x" * MIB)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
