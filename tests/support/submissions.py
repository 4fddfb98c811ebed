"""Submissions with one thing wrong each, and what ``fomo-eval validate`` is to say of them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.images import ENTRYPOINT

LABEL = 'LABEL org.fomo-eval.contract="1"\n'
FLAGS = """
import argparse, gzip, math, os, random, socket, struct, sys, time
parser = argparse.ArgumentParser(allow_abbrev=False)
for name in ("flair", "dwi_b1000", "adc", "t2s", "swi", "t1", "t2"):
    parser.add_argument("--" + name)
parser.add_argument("--output", required=True)
given = parser.parse_args()
def say(text):
    with open(given.output, "w") as file:
        file.write(str(text))
def mask(voxel=lambda place: int(place % 7 == 3), shape=None, affine=None, datatype=2, form="B"):
    header = bytearray(gzip.open(given.flair).read(348))
    shape = shape or struct.unpack_from("<3h", header, 42)
    struct.pack_into("<3h", header, 42, *shape)
    struct.pack_into("<2h", header, 70, datatype, 8 * struct.calcsize(form))
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<2h", header, 252, 0, 2)
    if affine:
        struct.pack_into("<12f", header, 280, *affine(list(struct.unpack_from("<12f", header, 280))))
    period, size = 420, math.prod(shape)
    voxels = struct.pack("<420" + form, *map(voxel, range(period))) * (size // period + 1)
    with gzip.open(given.output, "wb", 1) as file:
        file.write(bytes(header) + bytes(4) + voxels[:size * struct.calcsize(form)])
"""
FLIPPED = "lambda rows: [-value if place < 4 else value for place, value in enumerate(rows)]"
ROOT_ONLY = """RUN ["python", "-c", "open('/app/weights', 'w').write('0.5')"]
RUN ["chmod", "600", "/app/weights"]
"""


@dataclass(frozen=True)
class Broken:
    """One image.

    Attributes
    ----------
    script
        Its predict.py.
    check
        The check that fails; no other one does.
    remedy
        Words of the remedy.
    evidence
        Words of the evidence.
    """

    script: str
    check: str
    remedy: str
    evidence: str
    task: str = "infarct"
    lines: str = LABEL + ENTRYPOINT
    seconds: float | None = None


BROKEN = {
    "wrong range": Broken(FLAGS + "say(1.5)", "range", "finite and from 0 to 1", "1.5 is above 1"),
    "integer out of range": Broken(FLAGS + "say(2)", "range", "no class index", "2 is above 1"),
    "list": Broken(FLAGS + "say([0.5])", "format", "one number in decimal notation", "something else than a number"),
    "two numbers": Broken(FLAGS + "say('0.4 0.6')", "format", "nothing else", "it holds 2 words"),
    "NaN": Broken(FLAGS + "say(math.nan)", "range", "no NaN", "it is 'nan'"),
    "wrong shape": Broken(FLAGS + "mask(shape=(9, 9, 9))", "grid", "undo every resampling", "9 × 9 × 9", "meningioma"),
    "wrong affine": Broken(
        FLAGS + "mask(affine=lambda rows: [1,0,0,0, 0,1,0,0, 0,0,1,0])",
        "grid", "Save the mask with the affine", "an affine that puts its corners", "meningioma",
    ),
    "flipped": Broken(FLAGS + f"mask(affine={FLIPPED})", "grid", "reorientation", "mm elsewhere", "meningioma"),
    "values 0 to 4": Broken(
        FLAGS + "mask(lambda place: place % 5)", "values", "merge labels", "0, 1, 2, 3, 4", "meningioma"
    ),
    "fractions": Broken(
        FLAGS + "mask(lambda place: place % 4 / 4, datatype=16, form='f')",
        "values", "threshold probabilities", "0.25", "meningioma",
    ),
    "missing dependency": Broken("import torch_of_mine", "ending", "Install torch_of_mine", "ModuleNotFoundError"),
    "assertion error": Broken(
        FLAGS + "assert False, 'no brain found'", "ending", "no brain found", "AssertionError: no brain found"
    ),
    "wrong flag name": Broken(
        FLAGS.replace('"dwi_b1000"', '"dwi"') + "say(0.5)", "flags", "Accept --dwi_b1000", "unrecognized arguments"
    ),
    "foreign flag required": Broken(
        FLAGS.replace('"dwi_b1000"', '"dwi"').replace('"--" + name)', '"--" + name, required=name == "dwi")')
        + "say(0.5)",
        "flags", "Do not ask for --dwi;", "the following arguments are required: --dwi",
    ),
    "one branch unknown": Broken(
        FLAGS.replace('"swi", ', "") + "say(0.5)", "flags", "Accept --swi", "3 of 6 cases (case-2, case-4, case-6)"
    ),
    "one branch unread": Broken(
        FLAGS + "open(given.t2s).close(); say(0.5)", "flags", "Read --swi where it is given", "every case with --swi"
    ),
    "writes to /app": Broken(
        FLAGS + "open('/app/cache', 'w').close(); say(0.5)", "writes", "Write to /tmp", "it wrote /app/cache"
    ),
    "needs network": Broken(
        # A packet that nobody answers: that there is a way out is all that is asked.
        FLAGS + "socket.socket(type=socket.SOCK_DGRAM).connect(('198.51.100.1', 53)); say(0.5)",
        "network", "Bring what is downloaded", "succeeds with a network: OSError: [Errno 101] Network is unreachable",
    ),
    "non-deterministic": Broken(FLAGS + "say(random.random())", "deterministic", "Fix the seeds", "two answers: 0."),
    "non-deterministic mask": Broken(
        FLAGS + "mask(lambda place: random.random() < 0.5)",
        "deterministic", "Fix the seeds", "voxels differ, Dice 0.", "meningioma",
    ),
    "too slow": Broken(
        FLAGS + "time.sleep(600)", "time", "Make inference faster", "killed at the time limit", seconds=1.0
    ),
    "no entry point": Broken(
        "", "entry_point", "Add ENTRYPOINT", "has no ENTRYPOINT", lines=LABEL + 'RUN ["rm", "/app/predict.py"]'
    ),
    "shell entry point": Broken(
        FLAGS + "say(0.5)", "entry_point", "Write it as a list", "swallows the flags",
        lines=LABEL + "ENTRYPOINT python /app/predict.py",
    ),
    "root-only files": Broken(
        FLAGS + "say(open('/app/weights').read())",
        "root", "Let any user read", "Permission denied: '/app/weights'", lines=LABEL + ROOT_ONLY + ENTRYPOINT,
    ),
    "nothing written": Broken(FLAGS, "output", "the path after --output", "/output is empty"),
    "entry point is not there": Broken(
        "", "start", "Check the image's ENTRYPOINT", "not found", lines=LABEL + 'ENTRYPOINT ["/nothing"]'
    ),
    "all memory": Broken(
        FLAGS + "hold = []\nwhile True: hold.append(bytearray(1 << 24))", "memory", "Use less memory", "memory limit"
    ),
}  # fmt: skip
KEEPS_STATE = (
    FLAGS
    + """
try:
    count = len(open("/app/state/count").read())
except OSError:
    count = 0
try:
    open("/app/state/count", "a").write("x")
except OSError:
    pass
say(0.1 * count)
"""
)
REDERIVES_OUTPUT = (
    FLAGS
    + """
folder, stem = os.path.split(given.output)
while "." in stem:
    stem = os.path.splitext(stem)[0]
with open(os.path.join(folder, stem + ".txt"), "w") as file:
    file.write("0.5")
"""
)
"""As FOMO25's own template does, whose validator runs ``python /app/predict.py``."""
