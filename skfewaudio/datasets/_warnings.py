"""Warnings that point to the user's code."""

import sys
import warnings

_PACKAGE = __name__.rpartition(".")[0]


def warn_user(message: str) -> None:
    """Issue a UserWarning at the line that called this package, however deep in it the warning arises."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
