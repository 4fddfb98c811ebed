"""Says the same of every case: what a model has to beat. Standard library alone."""

import argparse
import gzip
import json
import math
import struct
from pathlib import Path

HEADER_BYTES = 348
UINT8 = 2


def main() -> None:
    """Recognise the task by the flags given, and write its constant."""
    parser = argparse.ArgumentParser()
    for name in ("flair", "dwi_b1000", "adc", "t2s", "swi", "t1", "t2"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    if given.t1:
        parameters = json.loads(Path(__file__).with_name("parameters.json").read_text())
        given.output.write_text(f"{parameters['mean_age']}\n")
    elif given.adc:
        given.output.write_text("0.5\n")
    else:
        write_empty_mask(given.output, given.flair)


def write_empty_mask(output: Path, like: Path) -> None:
    """Write zeros on the grid of a NIfTI-1 file: its header, with another type of number."""
    with gzip.open(like) as volume:
        header = bytearray(volume.read(HEADER_BYTES))
    sign = "<" if header[:4] == struct.pack("<i", HEADER_BYTES) else ">"
    voxels = math.prod(struct.unpack_from(f"{sign}3h", header, 42))
    struct.pack_into(f"{sign}2h", header, 70, UINT8, 8)
    struct.pack_into(f"{sign}3f", header, 108, HEADER_BYTES + 4, 1.0, 0.0)
    output.write_bytes(gzip.compress(bytes(header) + bytes(4 + voxels), compresslevel=1, mtime=0))


if __name__ == "__main__":
    main()
