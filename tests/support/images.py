"""Container images for tests: one Python script each, on the base of the example images."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Mapping

from tests.support.cohorts import REPOSITORY

EXAMPLE = "fomo-eval-example/constant:1"
ENTRYPOINT = 'ENTRYPOINT ["python", "/app/predict.py"]'


def build_example() -> str:
    """Build the example image that needs neither packages nor a cohort's volumes; return its tag."""
    if not _here(EXAMPLE):
        raise AssertionError(f"{EXAMPLE} is not built; run 'make images' first")
    return EXAMPLE


def script_image(script: str, *, lines: str = ENTRYPOINT) -> str:
    """Build an image that runs a Python script as ``/app/predict.py``; return its tag.

    Parameters
    ----------
    script
        The whole of predict.py; it may import what the standard library has.
    lines
        Dockerfile lines after the script was copied.
    """
    dockerfile = f"FROM {build_example()}\nENTRYPOINT []\nCMD []\nCOPY predict.py /app/predict.py\n{lines}\n"
    return built_image(dockerfile, {"predict.py": script})


def built_image(dockerfile: str, files: Mapping[str, str]) -> str:
    """Build an image of a Dockerfile and the files that it copies, unless it is there; return its tag."""
    everything = {"Dockerfile": dockerfile, **files}
    tag = f"fomo-eval-test/{hashlib.sha256(''.join(everything.values()).encode()).hexdigest()[:16]}:1"
    if not _here(tag):
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, text in everything.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(text.encode()), 0o644
                archive.addfile(member, io.BytesIO(text.encode()))
        command = ["docker", "build", "--quiet", "--tag", tag, "-"]
        subprocess.run(command, input=context.getvalue(), check=True, cwd=REPOSITORY, capture_output=True)
    return tag


def _here(tag: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0
