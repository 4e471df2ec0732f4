"""Formatting of tables as plain text or Markdown."""


def format_columns(columns: list[list[str]], *, style: str = "text", width: int = 80) -> str:
    """Format columns, whose first cells are headers, as a table; `style`, `width` as in `accuracy_table`."""
    if style not in ("text", "markdown"):
        raise ValueError(f"style must be 'text' or 'markdown'; got {style!r}")
    padded = [_pad(column, left=position == 0) for position, column in enumerate(columns)]
    return _markdown(padded) if style == "markdown" else _text(padded, width)


def _pad(column: list[str], *, left: bool) -> list[str]:
    """Pad the cells of a column to the same length."""
    size = max(map(len, column))
    return [cell.ljust(size) if left else cell.rjust(size) for cell in column]


def _text(columns: list[list[str]], width: int) -> str:
    """Join columns with two spaces, in several blocks if they exceed `width`."""
    blocks = [[columns[0]]]
    for column in columns[1:]:
        used = sum(len(other[0]) + 2 for other in blocks[-1])
        if used + len(column[0]) > width and len(blocks[-1]) > 1:
            blocks.append([columns[0]])
        blocks[-1].append(column)
    return "\n\n".join("\n".join("  ".join(row) for row in zip(*block, strict=True)) for block in blocks)


def _markdown(columns: list[list[str]]) -> str:
    """Join columns as a Markdown table."""
    rows = ["| " + " | ".join(row) + " |" for row in zip(*columns, strict=True)]
    rules = [
        ":" + "-" * (len(columns[0][0]) + 1),
        *("-" * (len(column[0]) + 1) + ":" for column in columns[1:]),
    ]
    return "\n".join([rows[0], "|" + "|".join(rules) + "|", *rows[1:]])
