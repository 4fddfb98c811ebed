"""How fast and how small: thresholds that belong to a machine, and so not in the tests."""
