# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What came of recordings, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from depth_estimation_ros.jobs.base import Outcome

_COLUMNS = 99  # of a line, at most, where its parts can be told apart


def row(outcome: Outcome) -> dict[str, Any]:
    """What came of an item, for programs."""
    return {
        'source': str(outcome.item.source),
        'target': str(outcome.item.target),
        'error': outcome.error,
        'seconds': round(outcome.seconds, 3),
        **outcome.summary,
    }


def text(outcomes: Sequence[Outcome]) -> str:
    """What came of all, for people: of each that did not fail, and of several a table."""
    from depth_estimation_ros.table import table

    lines = [line for outcome in outcomes if not outcome.error for line in _lines(outcome)]
    if len(outcomes) > 1:
        rows = [
            (
                outcome.item.source.name,
                'FAILED' if outcome.error else 'done',
                str(outcome.summary.get('frames', '–')),
                f'{outcome.seconds:.1f}',
            )
            for outcome in outcomes
        ]
        lines += ['', table(('', '', 'frames', 's'), rows, words=2)]
    return '\n'.join(lines)


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f'{outcome.item.source} → {outcome.item.target}'
    for key, value in outcome.summary.items():
        if value not in ('', None, []):
            yield from _told(key, value, '  ')


def _told(key: str, value: Any, indent: str) -> Iterator[str]:
    """A JSON value for people: in one line where it fits, else a line for each of its parts."""
    told = key if '/' in key else key.replace('_', ' ')  # a topic is called as it is
    line = f'{indent}{told}: {_value(value)}'
    if len(line) <= _COLUMNS or not isinstance(value, dict | list):
        yield line
        return
    yield f'{indent}{told}:'
    if isinstance(value, list):
        yield from (f'{indent}  {_value(part)}' for part in value)
        return
    for name, part in value.items():
        yield from _told(name, part, f'{indent}  ')


def _value(value: Any) -> str:
    """A JSON value in one line."""
    if isinstance(value, dict):
        return ', '.join(f'{key} {_value(part)}' for key, part in value.items())
    if isinstance(value, list):
        return ', '.join(map(_value, value))
    return f'{value:.4g}' if isinstance(value, float) else str(value)
