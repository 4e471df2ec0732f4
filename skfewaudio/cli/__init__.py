"""The command line: one command a file, and no more in it than the parts joined."""

from ._main import main

__all__ = ["main"]
