"""Writes ``nsd_monai.csv``: MONAI's surface Dice of the pairs of ``nsd_pairs``.

MONAI needs PyTorch, which is no dependency of this project. In an environment that has both and NumPy, from the
repository's root:

    python -m tests.golden.nsd_monai
"""

from __future__ import annotations

from pathlib import Path

from tests.golden.nsd_pairs import pairs

FILE = Path(__file__).with_name("nsd_monai.csv")


def main() -> None:
    import monai
    import torch
    from monai.metrics import compute_surface_dice

    lines = [f"# MONAI {monai.__version__}, compute_surface_dice with use_subvoxels=True, PyTorch {torch.__version__}"]
    for pair in pairs():
        prediction, reference = (torch.from_numpy(mask)[None, None] for mask in (pair.prediction, pair.reference))
        value = compute_surface_dice(
            prediction,
            reference,
            class_thresholds=[pair.tolerance_mm],
            include_background=True,
            spacing=pair.spacing_mm,
            use_subvoxels=True,
        )
        lines.append(repr(value.item()))
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
