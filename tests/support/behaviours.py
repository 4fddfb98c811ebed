"""An image that behaves as it is told to, for tests of the engine and of the sandbox around containers."""

from __future__ import annotations

import os
from pathlib import Path

from harness.engines.docker import DockerEngine
from harness.engines.engine import RUN_LABEL, RunRequest
from harness.engines.sandbox import container_user
from tests.contract.engine_contract import Ask, request_of
from tests.support.images import ENTRYPOINT, script_image

_SCRIPT = r"""
import json, os, shutil, signal, socket, subprocess, sys, time

def writable(folder):
    try:
        with open(os.path.join(folder, "written"), "w") as file:
            file.write("x")
    except OSError:
        return False
    return True

def runs_from(folder):
    program = os.path.join(folder, "program")
    with open(program, "w") as file:
        file.write("#!" + sys.executable + "\nprint('ran')")
    os.chmod(program, 0o755)
    return subprocess.run([program], capture_output=True, text=True).stdout == "ran\n"

def egress():
    try:
        socket.create_connection(("198.51.100.1", 80), timeout=5)
    except OSError as fault:
        return type(fault).__name__ + " " + str(fault.errno)
    return "connected"

def children():
    alive = []
    try:
        while len(alive) < 200:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            alive.append(child)
    except OSError:
        pass
    for child in alive:
        os.kill(child, signal.SIGKILL)
    return len(alive)

def describe():
    status = dict(line.rstrip().split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
    folders = ["/", "/app", "/etc", "/usr", "/input", "/sys", "/proc", "/dev"]
    folders += ["/tmp", "/dev/shm", "/output", "/declared"]
    return {
        "writable": [folder for folder in folders if writable(folder)],
        "runs_from_tmp": runs_from("/tmp"),
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "status": {name: status[name].strip() for name in ("NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "Seccomp")},
        "interfaces": [name for _, name in socket.if_nameindex()],
        "egress": egress(),
        "environment": dict(os.environ),
        "hostname": socket.gethostname(),
        "children": children(),
    }

match sys.argv[1:]:
    case ["copy"]:
        shutil.copy("/input/words.txt", "/output")
    case ["exit", code]:
        os._exit(int(code))
    case ["hang"]:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        open("/output/started", "w").close()
        time.sleep(600)
    case ["print", size]:
        print("the first line")
        for _ in range(int(size) // 100):
            print("x" * 99)
        print("the last line", flush=True)
        print("a warning", file=sys.stderr)
    case ["shout", size]:
        sys.stdout.write("x" * int(size))
    case ["eat"]:
        eaten = [bytearray(b"x" * (8 << 20)) for _ in range(100)]
    case ["let a child eat"]:
        subprocess.run([sys.executable, __file__, "eat"])
    case ["fill", folder, files, mebibytes]:
        for number in range(int(files)):
            open(f"{folder}/{number}", "wb").write(bytes(int(mebibytes) << 20))
    case ["describe"]:
        print(json.dumps(describe()))
"""
_HOSTILE = f"""
VOLUME /declared
USER 0
ENV HOME=/root LD_LIBRARY_PATH=/nowhere
HEALTHCHECK CMD ["python", "-c", "pass"]
LABEL {RUN_LABEL}=another
{ENTRYPOINT}
"""


def behaviours_image() -> str:
    """Build an image whose flags are a behaviour's name and arguments; return its tag."""
    return script_image(_SCRIPT, lines=_HOSTILE)


def ask_of(engine: DockerEngine, image: str, folder: Path) -> Ask:
    """Have the requests of an image, with folders below ``folder`` that are the container's user's."""
    facts = engine.find_image(image)

    def ask(*words: str) -> RunRequest:
        request = request_of(facts, words, folder)
        if os.getuid() == 0:
            os.chown(request.output_folder, *container_user())
        return request

    return ask
