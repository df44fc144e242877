# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables that read well on a terminal and are Markdown, for the documents."""

from __future__ import annotations

from collections.abc import Sequence


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Rows under titles; the first so many columns are words, the others numbers."""
    columns = list(zip(titles, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if index < words else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f'| {" | ".join(padded)} |'

    rule = [
        '-' * width if index < words else '-' * (width - 1) + ':'
        for index, width in enumerate(widths)
    ]
    return '\n'.join([line(titles), line(rule), *map(line, rows)])
