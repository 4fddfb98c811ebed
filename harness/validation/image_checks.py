"""What can be said of an image before it runs, and of the machine it is to run on."""

from __future__ import annotations

from harness.engines.engine import DEFAULT_COMMAND
from harness.engines.outcome import Ending
from harness.engines.sandbox import container_user
from harness.execution.plan import CONTRACT_LABEL
from harness.validation.check import Finding, failed, not_run, passed, warning
from harness.validation.evidence import Evidence
from harness.validation.hints import NO_SCRIPT

LARGE_BYTES = 10 * 10**9
SHELL_FORM = ("/bin/sh", "-c")
IDLE_GPU_BYTES = 64 << 20
"""What a GPU holds that nobody uses, at most."""


def engine(evidence: Evidence) -> Finding:
    """Judge the engine, which was asked before."""
    machine = evidence.machine
    return passed(f"{machine.name} {machine.version}, {machine.platform}, {machine.cpus} CPUs")


def image(evidence: Evidence) -> Finding:
    """Judge that the image is there."""
    return passed(f"{evidence.entry.image.reference} is {evidence.image.id}")


def platform(evidence: Evidence) -> Finding:
    """Judge the processor that the image is for."""
    has, wanted = evidence.image.platform, evidence.machine.platform
    if has != wanted:
        return failed(
            f"the image is for {has}, this machine is {wanted}", f"Build it with 'docker build --platform {wanted}'."
        )
    return passed(has)


def size(evidence: Evidence) -> Finding:
    """Judge the image's size."""
    told = f"{evidence.image.size_bytes / 1e9:.2f} GB"
    if evidence.image.size_bytes > LARGE_BYTES:
        return warning(
            f"{told}: every machine has to fetch and hold it",
            "Leave out compilers, caches and training code; a slim or runtime base image and a second stage help.",
        )
    return passed(told)


def user(evidence: Evidence) -> Finding:
    """Tell whom containers run as, whatever the image asks for."""
    uid, gid = container_user()
    asked = evidence.image.user
    told = f"the image asks for '{asked}'" if asked else "the image asks for no user, which means root"
    return passed(f"{told}; every container runs as {uid}:{gid}, never as root")


def entry_point(evidence: Evidence) -> Finding:
    """Judge what the flags are given to."""
    command, words = evidence.entry.command, evidence.image.entrypoint
    if command is not None:
        return passed(f"the submission's own command: {' '.join(command)}")
    if words[:2] == SHELL_FORM:
        return failed(
            f"the ENTRYPOINT is a line for a shell ({' '.join(words)}), which swallows the flags",
            'Write it as a list: ENTRYPOINT ["python", "/app/predict.py"].',
        )
    if words:
        return passed(" ".join(words))
    default = " ".join(DEFAULT_COMMAND)
    if evidence.ended(Ending.CANNOT_START) or any(
        NO_SCRIPT.search(each.log) for each in evidence.ended(Ending.CRASHED)
    ):
        return failed(
            f"the image has no ENTRYPOINT, and '{default}', which then runs, is not there",
            'Add ENTRYPOINT ["python", "/path/to/predict.py"] to the Dockerfile, or put the script at /app/predict.py.',
        )
    return passed(f"none; then '{default}' runs")


def contract(evidence: Evidence) -> Finding:
    """Judge what the image says of the contract, and what it declares that the contract takes back."""
    says, wanted = evidence.entry.image.contract, str(evidence.contract)
    if says not in ("", wanted):
        return warning(
            f"the image says that it follows contract version {says}; this is version {wanted}",
            f'Read the contract, then set LABEL {CONTRACT_LABEL}="{wanted}".',
        )
    if evidence.image.volumes:
        return warning(
            f"the image declares the volume {', '.join(evidence.image.volumes)}; what it holds there is hidden",
            "Remove the VOLUME line from the Dockerfile.",
        )
    if not says:
        return warning(
            "the image does not say which version of the contract it follows",
            f'Add LABEL {CONTRACT_LABEL}="{wanted}" to the Dockerfile.',
        )
    return passed(f"version {says}")


def gpu(evidence: Evidence) -> Finding:
    """Judge whether a GPU that was asked for is seen and used."""
    if evidence.gpu_listing is None:
        if evidence.task.spec.limits.gpu:
            return not_run("the task gives each case a GPU, and it was tried without one here")
        return not_run("the task gives no GPU")
    if not evidence.gpu_listing:
        return failed(
            "nvidia-smi lists no GPU in a container of the image",
            "Remove what hides the GPU (CUDA_VISIBLE_DEVICES, an LD_LIBRARY_PATH of the image's own), and base the "
            "image on one whose C library the driver's programs can use.",
        )
    most = max((each.record.usage.gpu_memory_bytes or 0 for each in evidence.ran), default=0)
    if most < IDLE_GPU_BYTES:
        return warning(
            f"{evidence.gpu_listing}: seen, and hardly any of its memory was used",
            "Check that the model is moved to the GPU, or hand in an image without CUDA.",
        )
    return passed(f"{evidence.gpu_listing}: {most / 2**20:.0f} MiB used")
