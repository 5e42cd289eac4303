"""Results as text tables of at most 100 columns, and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], notes: Iterable[str] = ()) -> str:
    """Return an aligned table: words to the left, numbers to the right; None is shown as `-`."""
    cells = [[shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    lines = [title, "", _line(columns, widths), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths) for row in cells]
    return "\n".join([*lines, *notes, ""])


def shown(value: object) -> str:
    """Return a value as a table shows it: whole numbers with commas, others with about three digits."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def write_json(file: Path, results: dict[str, Any]) -> None:
    """Write the results of the parts, by name."""
    file.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        _aligned(cell, width, first=not place) for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _aligned(cell: str, width: int, *, first: bool) -> str:
    return cell.ljust(width) if first else cell.rjust(width)
