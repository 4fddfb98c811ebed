"""Reads brain age off the fluid in and around the brain; see train.py for how it learned to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from brain import Scan, look
from contract import request
from features import fluid_fractions

PARAMETERS = Path(__file__).with_name("parameters.json")


def main() -> None:
    """Predict for one case."""
    asked = request()
    if asked.task != "brain_age":
        sys.exit("this team predicts brain age only; it needs --t1 and --t2")
    asked.write_number(age_in_years(look(asked.volumes())))


def age_in_years(scan: Scan) -> float:
    """Return the age of the regression, kept within a human life."""
    learned = json.loads(PARAMETERS.read_text())
    age = learned["age_without_fluid"] + float(fluid_fractions(scan) @ np.array(learned["years_per_fluid"]))
    return min(110.0, max(0.0, float(age)))


if __name__ == "__main__":
    main()
