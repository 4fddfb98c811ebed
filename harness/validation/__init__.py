"""Trying one submission before it is handed in: cases made up from the task spec, and a verdict for each check."""
