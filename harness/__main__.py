"""``python -m harness`` is ``fomo-eval``."""

from harness.cli import main

main()
