"""The benchmark: pipelines of a suite on a data set, from its options to the report."""

from ._run_all import main
from ._run_report import write_run_report

__all__ = ["main", "write_run_report"]
