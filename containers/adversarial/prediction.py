"""Attacks on whoever takes the prediction: something else than a plain file at its path, or at another time."""

import os
import socket
import sys
import time
from pathlib import Path

OUTPUT = Path(sys.argv[-1])
ANSWER = "0.5"


def nothing() -> None:
    """End as if there were an answer."""


def link_to_an_account_file() -> None:
    """Leave a link to a file that every machine has."""
    OUTPUT.symlink_to("/etc/passwd")


def link_to_a_reference() -> None:
    """Leave a link to where a reference might lie."""
    OUTPUT.symlink_to("../in/label.txt")


def link_to_another_team() -> None:
    """Leave a link to where another team's prediction lies."""
    OUTPUT.symlink_to("../../../predictions/method/honest/brain_age/patient-7f3a.txt")


def fifo() -> None:
    """Leave a pipe that nobody writes to."""
    os.mkfifo(OUTPUT)


def socket_file() -> None:
    """Leave a socket."""
    socket.socket(socket.AF_UNIX).bind(os.fspath(OUTPUT))


def folder() -> None:
    """Leave a folder."""
    OUTPUT.mkdir()


def hard_link() -> None:
    """Leave a file that has a second name; of files elsewhere none can be made."""
    for secret in (Path("/etc/passwd"), *Path("/input").iterdir()):
        try:
            OUTPUT.hardlink_to(secret)
        except OSError:
            continue
        sys.exit(f"{secret} was linked")
    OUTPUT.write_text(ANSWER)
    (OUTPUT.parent / "second").hardlink_to(OUTPUT)


def closed_file() -> None:
    """Leave a file that nobody may read."""
    OUTPUT.write_text(ANSWER)
    OUTPUT.chmod(0)


def setuid_file() -> None:
    """Leave a program that would run as its owner."""
    OUTPUT.write_text(ANSWER)
    OUTPUT.chmod(0o4755)


def endless_number() -> None:
    """Leave a number of a million digits."""
    OUTPUT.write_text("0." + "5" * 1_000_000)


def not_a_number() -> None:
    """Leave what no metric can be computed from."""
    OUTPUT.write_text("nan")


def late_child() -> None:
    """Have a daemon write the prediction after the container's own process has ended."""
    if _daemon():
        time.sleep(1)
        OUTPUT.write_text(ANSWER)


def changing_child() -> None:
    """Leave a prediction, and have a daemon put a link in its place as soon as the container has ended."""
    OUTPUT.write_text(ANSWER)
    if _daemon():
        time.sleep(0.5)
        OUTPUT.unlink()
        OUTPUT.symlink_to("/etc/passwd")


def _daemon() -> bool:
    """Fork a process that nobody waits for; return whether this is it."""
    if os.fork() != 0:
        return False
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    return True


if __name__ == "__main__":
    globals()[sys.argv[1]]()
