"""Benchmark of the pipelines of a suite on one dataset, with a report."""

from ._options import add_options
from ._run_all import DESCRIPTION, main, run
from ._run_report import write_run_report

__all__ = ["DESCRIPTION", "add_options", "main", "run", "write_run_report"]
