"""Storage of results, tables, plots and reports."""

from ._curve_display import FewShotCurveDisplay
from ._detection_display import DetectionDisplay
from ._embedding import EmbeddingDisplay
from ._report.write import write_report
from ._store import ResultStore
from ._tables import accuracy_table, summarize

__all__ = [
    "DetectionDisplay",
    "EmbeddingDisplay",
    "FewShotCurveDisplay",
    "ResultStore",
    "accuracy_table",
    "summarize",
    "write_report",
]
