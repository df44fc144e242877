# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One model's contenders in turn: how long a frame takes, what it occupies, whether they agree."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from depth_estimation_ros.benchmarks import turns
from depth_estimation_ros.benchmarks.contender import Contender

_MODULE = 'depth_estimation_ros.benchmarks.contender'
_TURN = 0.2  # seconds: quick contenders run several frames before it is the next one's turn

Process = subprocess.Popen[str]


def fill_caches(
    contenders: Iterable[Contender], environment: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Load each once and run a frame: what is kept from one start for the next is there then.

    Raises:
        ValueError: One of them cannot be loaded.
    """
    for contender in contenders:
        say(f'first load of {contender.name}')
        with contextlib.ExitStack() as stack:
            turns.ask(_load(contender, environment, stack), 1)


def compare(
    contenders: Sequence[Contender],
    environment: Mapping[str, str],
    rounds: Iterable[object],
    limit: float,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """A row of figures for each contender.

    Args:
        contenders: Of one model; the first is the one that the others are measured against.
        environment: Of their processes.
        rounds, limit: As `turns.in_turn` takes them.
        say: Is told what is being done.

    Raises:
        ValueError: One of them cannot be loaded.
    """
    with contextlib.ExitStack() as stack:
        processes: dict[str, Process] = {}
        rows: dict[str, dict[str, Any]] = {}
        for contender in contenders:
            say(f'loading {contender.name}')
            started = time.perf_counter()
            processes[contender.name] = process = _load(contender, environment, stack)
            turns.ask(process, 1)
            rows[contender.name] = {
                'contender': contender.name,
                **{key: getattr(contender, key) for key in ('side', 'runtime', 'preset')},
                'first_depth_s': time.perf_counter() - started,
            }
        frames = {
            name: max(round(_TURN / turns.ask(process, 1)[0]), 1)
            for name, process in processes.items()
        }
        seconds = turns.in_turn(processes, frames, rounds, limit)
        for name, process in processes.items():
            rows[name] |= {**_figures(seconds[name]), **turns.ask(process, 0)}
            # Some runtimes load when they see the first frame; what it takes above others is that.
            rows[name]['load_s'] = rows[name]['first_depth_s'] - rows[name]['p50_ms'] * 1e-3
    return _related(list(rows.values()))


def _load(
    contender: Contender, environment: Mapping[str, str], stack: contextlib.ExitStack
) -> Process:
    """Its process, as soon as it has loaded the model."""
    arguments = json.dumps(dataclasses.asdict(contender))
    process = stack.enter_context(turns.process(_MODULE, environment, arguments))
    if error := turns.answer(process).get('error'):
        raise ValueError(f'{contender.name}: {error}')
    return process


def _figures(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(seconds, (50, 95)) * 1e3
    return {
        'frames': len(seconds),
        'p50_ms': float(p50),
        'p95_ms': float(p95),
        'frames_per_s': len(seconds) / sum(seconds),
    }


def _related(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with how many times faster than the first, and how alike to it, each one is."""
    depths = [np.array(row.pop('depth')) for row in rows]
    for row, depth in zip(rows, depths, strict=True):
        known = np.isfinite(depth) & np.isfinite(depths[0])
        mine, other = depth[known], depths[0][known]
        row['times_faster'] = rows[0]['p50_ms'] / row['p50_ms']
        row['correlation'] = float(np.corrcoef(mine, other)[0, 1])
        row['difference'] = float(np.std(mine - other) / np.std(other))
    return rows
