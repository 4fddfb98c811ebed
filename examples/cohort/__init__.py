"""A demo cohort in FOMO25's layout: real template anatomy, simulated people, pathology and ages."""
