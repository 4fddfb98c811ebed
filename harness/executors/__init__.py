"""Where trials run: every executor is a ``concurrent.futures.Executor``."""
