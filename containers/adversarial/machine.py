"""Attacks on the machine: processes, memory, scratch space, time, the log."""

import os
import signal
import sys
import time
from pathlib import Path

MIB = 1 << 20
FLOOD_MIB = 64
ANSWER = "0.5"


def fork_bomb() -> None:
    """Fork for ever, in every child."""
    while True:
        try:
            os.fork()
        except OSError:
            continue


def memory_bomb() -> None:
    """Hold more and more memory."""
    held = []
    while True:
        held.append(b"x" * MIB)


def memory_bomb_in_a_child() -> None:
    """Have a child killed for its memory, and answer as if nothing had been."""
    child = os.fork()
    if child == 0:
        memory_bomb()
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        sys.exit("the child was not killed")
    _answer()


def scratch_flood() -> None:
    """Fill all scratch space, and answer once there is no more."""
    for folder in (Path("/tmp"), Path("/dev/shm")):
        with (folder / "flood").open("wb", buffering=0) as flood:
            try:
                while True:
                    flood.write(b"x" * MIB)
            except OSError:
                print(folder, flood.tell() // MIB, "MiB")
        (folder / "flood").unlink()
    _answer()


def scratch_files() -> None:
    """Make empty files in scratch space without end: each holds memory of the kernel."""
    number = 0
    while True:
        os.mknod(f"/tmp/{number}")
        number += 1


def log_flood() -> None:
    """Write long lines to both streams."""
    for _ in range(FLOOD_MIB):
        print("x" * MIB)
        print("x" * MIB, file=sys.stderr)
    _answer()


def log_flood_in_one_line() -> None:
    """Write one line without an end."""
    for _ in range(FLOOD_MIB):
        sys.stdout.write("x" * MIB)
    _answer()


def ignored_signals() -> None:
    """Outlast every signal that can be ignored."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)


def stopped_process() -> None:
    """Stop without ending."""
    os.kill(os.getpid(), signal.SIGSTOP)


def pretended_kill() -> None:
    """End as if the engine had been stopped, in the hope of never being counted."""
    os.kill(os.getpid(), signal.SIGKILL)


def _answer() -> None:
    """Write the prediction that was asked for."""
    Path(sys.argv[-1]).write_text(ANSWER)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
