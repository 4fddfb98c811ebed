"""The command line: parse, call a command, show what came of it, end with its exit code."""

from harness.cli.main import main

__all__ = ["main"]
