r"""Label tracks of Audacity.

A line holds start, end and label, separated by tabs. In the extended format, a line that starts with a
backslash follows, with the lowest and highest frequency.
"""

from pathlib import Path

from .._reading.times import is_number, parse_seconds
from .events import Event, Options


def looks_like_audacity(text: str) -> bool:
    """Return whether the first line with content starts with a number and a tab."""
    start, tab, _ = next((line for line in text.splitlines() if line.strip()), "").partition("\t")
    return bool(tab) and is_number(start.strip())


def parse_audacity(text: str, path: Path, options: Options) -> list[Event]:
    """Return the labels of a label track."""
    events = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        first, last, *label = [field.strip() for field in line.split("\t")] + [""] * ("\t" not in line)
        where = f"{path}, line {number}: "
        start = parse_seconds(first, f"{where}start", decimal_comma=True)
        end = parse_seconds(last, f"{where}end", decimal_comma=True)
        if end < start:
            raise ValueError(
                f"{where}end is {last!r} and start is {first!r}; expected an end after the start"
            )
        events.append(Event(start, end, " ".join(label), f"line {number}"))
    return events
