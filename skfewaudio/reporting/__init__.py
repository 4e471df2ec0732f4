"""Results, tables and pictures."""

from ._embedding import EmbeddingDisplay
from ._few_shot_curve import FewShotCurveDisplay
from ._report import write_report
from ._store import ResultStore
from ._tables import accuracy_table, summarize

__all__ = [
    "EmbeddingDisplay",
    "FewShotCurveDisplay",
    "ResultStore",
    "accuracy_table",
    "summarize",
    "write_report",
]
