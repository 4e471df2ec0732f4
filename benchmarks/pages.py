"""Regenerate the tables of docs/benchmarks from the rows in benchmarks/results.

A page contains a table between ``<!-- table: NAME -->`` and ``<!-- end -->``.

    python benchmarks/pages.py
    python benchmarks/pages.py --check   # changes nothing; status 1 if a page is not up to date
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from skfewaudio.benchmarking._large_scale.scores import tagging_tables
from skfewaudio.benchmarking._random_cnn.scores import comparison_table
from skfewaudio.reporting import ResultStore, accuracy_table

BENCHMARKS = Path(__file__).resolve().parent
PAGES = BENCHMARKS.parent / "docs" / "benchmarks"
TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(\n<!-- end -->)", flags=re.DOTALL)

# In the order of the table.
FEW_DATA = {
    "random": "random guess",
    "mfcc-1nn": "MFCC, 1-NN",
    "librosa-forest": "librosa's MFCC, random forest",
    "librosa-svm": "librosa's MFCC, SVM",
    "timbre": '`SkorchCNN("timbre")`',
    "sb-cnn": '`SkorchCNN("sb_cnn")`',
    "vgg": '`SkorchCNN("vgg")`',
    "prototypical": "`PrototypicalClassifier()`",
    "few-shot": "few-shot classifier",
}


def read_rows(*names: str) -> pd.DataFrame:
    """Load the rows of several runs."""
    return pd.concat([ResultStore(BENCHMARKS / "results" / name / "results.jsonl").frame() for name in names])


def few_data() -> str:
    """Return the table of accuracy by clips per class."""
    rows = read_rows("esc10", "esc10-librosa", "esc10-networks", "esc10-few-shot")
    ours = pd.concat(
        [rows[rows["pipeline"] == name].assign(pipeline=label) for name, label in FEW_DATA.items()]
    )
    return accuracy_table(ours, style="markdown")


def random_cnn() -> str:
    """Return the table of untrained networks by classifier of their features."""
    rows = read_rows("esc10-random-cnn")
    return comparison_table(rows[~rows["pipeline"].str.endswith("+trained")], style="markdown")


def large_scale() -> str:
    """Return the tables of large networks for tagging."""
    return tagging_tables(read_rows("sound-scenes-large-scale"), style="markdown")


TABLES: dict[str, Callable[[], str]] = {
    "few-data": few_data,
    "random-cnn": random_cnn,
    "large-scale": large_scale,
}


def update_tables(text: str) -> str:
    """Return a page with its tables regenerated."""

    def table(match: re.Match[str]) -> str:
        return f"{match[1]}\n{TABLES[match['name']]()}\n{match[3]}"

    return TABLE.sub(table, text)


def main(argv: list[str] | None = None) -> int:
    """Write the pages, or print those that would change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--pages", type=Path, default=PAGES, help=argparse.SUPPRESS)  # for the tests
    args = parser.parse_args(argv)
    stale = 0
    for path in sorted(args.pages.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = update_tables(before)
        if after != before:
            stale += 1
            print(path)
            if not args.check:
                path.write_text(after, encoding="utf-8")
    return 1 if stale and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
