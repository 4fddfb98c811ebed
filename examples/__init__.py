"""Runnable examples: the demo cohort, the team tutorial and the organiser guide."""
