"""Checks of the fitted state of the estimators that load without trust."""
