"""Makes a small Python base image out of the running interpreter, for machines that reach no image registry.

The image holds this interpreter and its standard library under /usr/local, a virtual environment with pip under
/opt/venv, a shell with a handful of tools, the shared libraries that all of these and common wheels need, and the CA
bundle of this machine. It stands in for ``python:3.11-slim``; Dockerfiles need not tell the two apart.

The same files always give the same bytes, hence the same image id: paths are sorted, dates are the epoch, owners are
root. An image that already carries the key of these files is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from containers.base.archive import ARCHITECTURES, Entry, File, Folder, Link, docker_archive, layer

TAG = "fomo-eval/base:local"
KEY_LABEL = "org.fomo-eval.base.key"

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PREFIX, VENV, CA_BUNDLE = "usr/local", "opt/venv", "etc/ssl/certs/ca-certificates.crt"
SKIPPED_FOLDERS = {
    "__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3",
    "site-packages", "dist-packages",
}  # fmt: skip
TOOLS = ("sh", "cat", "chmod", "cp", "echo", "env", "false", "head", "id", "ln", "ls", "mkdir", "mv", "rm", "sleep",
         "tail", "touch", "true", "uname")  # fmt: skip
# Wheels built to the manylinux rules take these from the system; so does the C library, for names and addresses.
WHEEL_LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")
NAME_LIBRARIES = ("libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2")
# Nearly empty since glibc 2.34, but still asked for by name.
OLD_GLIBC_LIBRARIES = ("libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1")
EXTRA_LIBRARIES = (*WHEEL_LIBRARIES, *NAME_LIBRARIES, *OLD_GLIBC_LIBRARIES)
ACCOUNTS = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
}
PIP_COMMAND = f"#!/{VENV}/bin/python\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


def main() -> int:
    """Load the image unless the engine holds it already, and print its tag."""
    parser = argparse.ArgumentParser(prog="python -m containers.base.local_base", description=main.__doc__)
    parser.add_argument("--archive", type=Path, metavar="FILE", help="write a docker-archive instead of loading it")
    archive_path: Path | None = parser.parse_args().archive
    try:
        entries = collect()
    except BaseImageError as error:
        print(f"local_base: {error}", file=sys.stderr)
        return 1
    key = content_key(entries)
    if archive_path is not None:
        archive_path.write_bytes(docker_archive(TAG, layer(entries), image_config(entries, key)))
    elif key_of_loaded_image() != key:
        archive = docker_archive(TAG, layer(entries), image_config(entries, key))
        subprocess.run(["docker", "load", "--quiet"], input=archive, stdout=subprocess.DEVNULL, check=True)
    print(TAG)
    return 0


class BaseImageError(Exception):
    """Something that the image is made of is not on this machine; the message says what."""


def collect() -> dict[str, Entry]:
    """Return everything that the image holds, by its path in the image (relative, POSIX)."""
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        raise BaseImageError("a base image can be made on Linux (x86-64, arm64) only; use one from a registry instead")
    entries: dict[str, Entry] = {
        **{path: File(content=content) for path, content in ACCOUNTS.items()},
        **{folder: Link(f"usr/{folder}") for folder in ("bin", "lib", "lib64", "sbin")},
        **{
            folder: Folder() for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "root", "proc", "sys", "dev")
        },
        "tmp": Folder(0o1777),
        "var/tmp": Folder(0o1777),
        **dict(interpreter()),
        **dict(virtual_environment()),
        **dict(tools()),
    }
    programs = [entry.source for path, entry in entries.items() if isinstance(entry, File) and is_binary(path, entry)]
    entries |= shared_libraries([program for program in programs if program is not None])
    bundle = ca_bundle()
    if bundle is not None:
        entries[CA_BUNDLE] = File(bundle)
    return entries


def is_binary(path: str, entry: File) -> bool:
    """Tell whether the loader may have to find libraries for this file."""
    return entry.source is not None and (path.endswith(".so") or entry.mode == 0o755)


def interpreter() -> Iterator[tuple[str, Entry]]:
    """Yield the interpreter and its standard library, moved to /usr/local whatever their prefix is here."""
    yield f"{PREFIX}/bin/{PYTHON}", File(Path(sys.executable).resolve(), mode=0o755)
    # Inside a virtual environment too, this is the folder of the interpreter behind it.
    library = Path(sysconfig.get_path("stdlib"))
    inside = f"{PREFIX}/{library.relative_to(sys.base_prefix).as_posix()}"
    for path in files_below(library):
        if not path.name.startswith(("_test", "_tkinter", "_ctypes_test", "xx", "sitecustomize")):
            yield f"{inside}/{path.relative_to(library).as_posix()}", File(path)


def files_below(root: Path) -> Iterator[Path]:
    """Yield the files that programs need at run time; tests, caches and graphics stay behind."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("config-")]
        # Distributions link out of the standard library; what such a link leads to is copied, if anything.
        yield from (path for name in names if (path := Path(folder, name)).is_file())


def virtual_environment() -> Iterator[tuple[str, Entry]]:
    """Yield the environment that pip installs into.

    Distributions patch where their own interpreter installs to; inside a virtual environment they all agree.
    """
    settings = f"home = /{PREFIX}/bin\ninclude-system-site-packages = false\nversion = {platform.python_version()}\n"
    yield f"{VENV}/pyvenv.cfg", File(content=settings.encode())
    yield f"{VENV}/lib64", Link("lib")
    for name in ("python", "python3", PYTHON):
        yield f"{VENV}/bin/{name}", Link(f"/{PREFIX}/bin/{PYTHON}")
    for name in ("pip", "pip3"):
        yield f"{VENV}/bin/{name}", File(content=PIP_COMMAND.encode(), mode=0o755)
    yield from ((f"{VENV}/lib/{PYTHON}/site-packages/{name}", file) for name, file in pip_files())


def pip_files() -> Iterator[tuple[str, File]]:
    """Yield pip as it is installed here, else as it lies in the wheel that the standard library brings."""
    found = importlib.util.find_spec("pip")
    if found is not None and found.submodule_search_locations:
        package = Path(found.submodule_search_locations[0])
        for folder in (package, *package.parent.glob("pip-*.dist-info")):
            yield from ((path.relative_to(package.parent).as_posix(), File(path)) for path in files_below(folder))
        return
    bundled = Path(
        sysconfig.get_config_var("WHEEL_PKG_DIR") or Path(sysconfig.get_path("stdlib"), "ensurepip/_bundled")
    )
    wheel = max(bundled.glob("pip-*.whl"), default=None)
    if wheel is None:
        raise BaseImageError(f"no pip for {sys.executable}; run `{sys.executable} -m ensurepip` or install python3-pip")
    with zipfile.ZipFile(wheel) as opened:
        for name in opened.namelist():
            yield name, File(content=opened.read(name))


def tools() -> Iterator[tuple[str, Entry]]:
    """Yield the shell and what build steps most often call from it."""
    for name in TOOLS:
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is None:
            raise BaseImageError(f"this machine has no `{name}` in /usr/bin or /bin")
        yield f"usr/bin/{name}", File(Path(found).resolve(), mode=0o755)


def shared_libraries(programs: list[Path]) -> dict[str, Entry]:
    """Return the libraries that programs and wheels load, all in the C library's folder, where the loader looks."""
    linked = ldd(programs)
    if "libc.so.6" not in linked:
        raise BaseImageError("the interpreter is not linked to glibc; use a base image from a registry instead")
    system = linked["libc.so.6"].parent
    lacking = [name for name in WHEEL_LIBRARIES if not (system / name).exists()]
    if lacking:
        raise BaseImageError(
            f"{' and '.join(lacking)} not found in {system}; install your distribution's package of it"
        )
    extra = [system / name for name in EXTRA_LIBRARIES if (system / name).exists()]
    linked = {path.name: path for path in extra} | ldd(extra) | linked
    # The loader alone is named by an absolute path inside programs; it must stay where it is.
    return {
        merged(name if name.startswith("/") else str(system / name)): File(path, mode=0o755)
        for name, path in linked.items()
    }


def ldd(programs: list[Path]) -> dict[str, Path]:
    """Return where the loader finds the libraries of these programs, by the name they ask for."""
    listing = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^\s+(\S+)(?: => (/\S+))? \(0x", listing, re.MULTILINE)
    return {name: Path(path or name) for name, path in found if path or name.startswith("/")}


def merged(path: str) -> str:
    """Return the path in an image whose /lib and /lib64 are links into /usr."""
    relative = path.lstrip("/")
    return f"usr/{relative}" if relative.startswith(("lib/", "lib64/")) else relative


def ca_bundle() -> Path | None:
    """Return the certificate authorities that this machine trusts, which pip needs to reach a package index."""
    candidates = (
        os.environ.get("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        ssl.get_default_verify_paths().cafile,
    )
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def content_key(entries: Mapping[str, Entry]) -> str:
    """Return a short key that changes with any of the files, and with how the image is made."""
    lines = [f"{path} {type(entry).__name__} {entry.fingerprint()}" for path, entry in sorted(entries.items())]
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256("\n".join([*sources, *lines]).encode()).hexdigest()[:16]


def key_of_loaded_image() -> str | None:
    """Return the key of the image that the engine holds, if it holds one."""
    inspect = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{KEY_LABEL}"}}}}', TAG]
    answer = subprocess.run(inspect, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def image_config(entries: Mapping[str, Entry], key: str) -> dict[str, object]:
    """Return the settings that containers start with."""
    environment = [f"PATH=/{VENV}/bin:/{PREFIX}/bin:/usr/bin:/bin", "LANG=C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK=1"]
    if CA_BUNDLE in entries:
        environment += [f"SSL_CERT_FILE=/{CA_BUNDLE}", f"PIP_CERT=/{CA_BUNDLE}"]
    return {"Env": environment, "Cmd": ["python3"], "Labels": {KEY_LABEL: key}}


if __name__ == "__main__":
    sys.exit(main())
