"""Command-line interface, with one module per command."""

from ._main import main

__all__ = ["main"]
