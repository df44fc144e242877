# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What README.md and docs/ show people to type."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')))


class Shown(NamedTuple):
    """A line of a block of code."""

    document: str
    line: str


@functools.cache
def shown() -> tuple[Shown, ...]:
    """All lines of blocks, fenced or indented by four, without the comments behind them."""
    return tuple(
        Shown(path.name, re.sub(r'\s+#\s.*', '', line).strip())
        for path in DOCUMENTS
        for line in _blocks(path.read_text('utf-8').splitlines())
    )


def _blocks(lines: list[str]):
    fenced = indented = False
    before = ''
    for line in lines:
        if line.lstrip().startswith('```'):
            fenced = not fenced
        elif fenced:
            yield line
        else:
            # Behind an empty line; otherwise it goes on with what is said before.
            indented = line.startswith('    ') and (indented or not before.strip())
            if indented and line.strip():
                yield line
        before = line


def commands(beginning: str) -> list[str]:
    """The lines that begin with these words, each once, in the order of the documents."""
    found = (line for _, line in shown() if f'{line} '.startswith(f'{beginning} '))
    return list(dict.fromkeys(found))


def arguments(command: str) -> list[str]:
    """What is behind `depth-estimation` in the lines of one of its commands, itself included."""
    lines = commands(f'depth-estimation {command}')
    return [line.removeprefix('depth-estimation ') for line in lines]
