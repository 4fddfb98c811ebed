"""No attack: answers as it should. Runs beside and after attacks, and in images whose attack is the image itself."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--output", type=Path, required=True)
parser.parse_known_args()[0].output.write_text("0.5")
