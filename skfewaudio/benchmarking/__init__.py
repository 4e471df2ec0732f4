"""Benchmark of the pipelines of a suite on one dataset, with a report."""

from ._run_all import main
from ._run_report import write_run_report

__all__ = ["main", "write_run_report"]
