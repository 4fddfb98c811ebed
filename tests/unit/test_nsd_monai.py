"""NSD beside values that MONAI gave, kept in ``tests/golden``: it needs PyTorch, which nothing here does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.metrics.parameters import NsdParameters
from harness.metrics.surface import nsd
from tests.golden.nsd_pairs import COUNT, pairs

KEPT = Path(__file__).parent.parent / "golden" / "nsd_monai.csv"


def test_values_are_those_of_monai_on_surface_elements() -> None:
    kept = np.loadtxt(KEPT)
    values = [nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm)) for pair in pairs()]

    assert len(kept) == COUNT
    np.testing.assert_allclose(values, kept, rtol=0, atol=1e-6)
    assert len(set(np.round(kept, 3))) > COUNT / 2  # the pairs differ
