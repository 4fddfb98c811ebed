"""Attacks on the sandbox: what each tries must all be refused, or it ends with exit code 66 and says what was not."""

import ctypes
import os
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SUCCEEDED = 66
MARK = "fomo-eval-was-here"
INPUTS = [str(path) for path in Path("/input").glob("*")]
NEW_NAMESPACES = 0x10020000
SHARED_KEY, IPC_CREATE, KEYCTL_JOIN = 0x464F4D4F, 0o1666, 1
ADD_KEY, KEYCTL, BPF, PERF_EVENT_OPEN = (248, 250, 321, 298) if os.uname().machine == "x86_64" else (217, 219, 280, 241)
"""System calls without a function in the C library, on x86-64 and on ARM."""
C_LIBRARY = ctypes.CDLL(None, use_errno=True)


def egress() -> list[str]:
    """Reach anything at all: another interface, an address, a name."""
    found = [f"interface {name}" for _, name in socket.if_nameindex() if name != "lo"]
    for address in (("198.51.100.1", 80), ("169.254.169.254", 80), ("172.17.0.1", 2375)):
        with suppress(OSError), socket.create_connection(address, timeout=1):
            found.append(f"connected to {address}")
    with suppress(OSError):
        found.append(f"a name server said {socket.gethostbyname('example.org')}")
    return found


def escalation() -> list[str]:
    """Become root, mount, make devices, load programs into the kernel."""
    calls: dict[str, Callable[[], int]] = {
        "setuid": lambda: C_LIBRARY.setuid(0),
        "mount": lambda: C_LIBRARY.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        "umount": lambda: C_LIBRARY.umount2(b"/input", 2),
        "unshare": lambda: C_LIBRARY.unshare(NEW_NAMESPACES),
        "chroot": lambda: C_LIBRARY.chroot(b"/tmp"),
        "bpf": lambda: C_LIBRARY.syscall(BPF, 0, 0, 0),
        "perf": lambda: C_LIBRARY.syscall(PERF_EVENT_OPEN, 0, 0, 0, 0, 0),
        "keys": lambda: C_LIBRARY.syscall(KEYCTL, KEYCTL_JOIN, MARK.encode()),
        "hostname": lambda: C_LIBRARY.sethostname(b"mine", 4),
    }
    found = [name for name, call in calls.items() if call() >= 0]
    with suppress(OSError):
        os.mknod("/tmp/disk", stat.S_IFBLK | 0o666, os.makedev(8, 0))
        found.append("a disk")
    if Path("/var/run/docker.sock").exists():
        found.append("the engine's socket")
    return found


def writing() -> list[str]:
    """Write where nothing may be written."""
    paths = [f"{folder}/{MARK}" for folder in ("", "/input", "/app", "/etc", "/usr", "/dev", "/sys/fs/cgroup")]
    paths += [*INPUTS, "/app/sandbox.py", "/etc/passwd", "/sys/power/state", "/proc/sysrq-trigger"]
    paths += [f"/proc/sys/{name}" for name in ("kernel/core_pattern", "kernel/hostname", "vm/drop_caches")]
    found = []
    for path in paths:
        with suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | (os.O_CREAT if path.endswith(MARK) else 0)))
            found.append(path)
    for path in INPUTS:
        with suppress(OSError):
            Path(path).chmod(0o666)
            found.append(f"the mode of {path}")
    return found


def looking() -> list[str]:
    """Print all that could say which case, whose image and what machine this is, for somebody else to judge."""
    for process in ("self", "1"):
        for name in ("mountinfo", "cmdline", "environ", "cgroup", "status", "maps"):
            _show(f"/proc/{process}/{name}")
    for name in ("keys", "key-users", "locks", "net/unix", "sysvipc/shm", "fs/nfsd", "scsi/scsi", "mdstat"):
        _show(f"/proc/{name}")
    for folder in ("/", "/input", "/output", "/tmp", "/dev", "/dev/mapper", "/run", "/sys/class/net"):
        with suppress(OSError):
            print(folder, [(str(each), each.is_symlink() and str(each.readlink())) for each in Path(folder).iterdir()])
    print(sys.argv, dict(os.environ), os.uname())
    return []


def _show(path: str) -> None:
    """Print a file, or nothing."""
    with suppress(OSError):
        print(path, Path(path).read_bytes())


def remembering() -> list[str]:
    """Find what the container before left, and leave something for the next, wherever that could be."""
    folders = ["/tmp", "/dev/shm", "/dev/mqueue", "/kept", "/app", "/output", "/var/tmp", "/run", "/sys/fs/cgroup"]
    marks = [Path(folder) / MARK for folder in folders]
    found = [str(mark) for mark in marks if mark.exists()]
    for mark in marks:
        with suppress(OSError):
            mark.write_text("I was here")
    created = C_LIBRARY.shmget(SHARED_KEY, 4096, IPC_CREATE | 0o2000)
    if created < 0 and C_LIBRARY.shmget(SHARED_KEY, 4096, 0) >= 0:
        found.append("System V shared memory")
    try:
        socket.socket(socket.AF_UNIX).bind(f"\0{MARK}")
    except OSError:
        found.append("an abstract socket")
    if C_LIBRARY.syscall(ADD_KEY, b"user", MARK.encode(), b"x", 1, -4) >= 0:
        found.append("a key")
    return found


if __name__ == "__main__":
    refused_nothing = globals()[sys.argv[1]]()
    if refused_nothing:
        print(refused_nothing)
        sys.exit(SUCCEEDED)
    Path(sys.argv[-1]).write_text("0.5")
