"""One module per command: each composes the pipeline and returns what came of it."""
