# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Processes that are compared take turns, so that what else the machine does meets all alike.

Each is told on its standard input how many frames it shall run, and answers on its standard output
with a line of JSON: their seconds; for no frames, whatever it has to report.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, cast

_PAUSE = 0.02  # seconds before a turn, in which threads of the one before stop to spin


@contextlib.contextmanager
def process(
    module: str, environment: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """A module of this package run by this interpreter, ended with the context."""
    command = [sys.executable, '-m', module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.terminate()


def ask(asked: subprocess.Popen[str], frames: int) -> Any:
    """Seconds of so many frames; what it reports for none.

    Raises:
        ChildProcessError: It ended.
    """
    to_it = cast('IO[str]', asked.stdin)
    with contextlib.suppress(BrokenPipeError):  # it has ended, as the answer will show
        to_it.write(f'{frames}\n')
        to_it.flush()
    return answer(asked)


def answer(asked: subprocess.Popen[str]) -> Any:
    """The next line that it prints, from JSON.

    Raises:
        ChildProcessError: It ended.
    """
    line = cast('IO[str]', asked.stdout).readline()
    if not line:
        raise ChildProcessError(f'the process {asked.args!r} ended: its error stands above')
    return json.loads(line)


def in_turn(
    processes: Mapping[str, subprocess.Popen[str]],
    frames: Mapping[str, int],
    rounds: Iterable[object],
    limit: float,
) -> dict[str, list[float]]:
    """Seconds of each frame, by the name of the process.

    Args:
        processes: Which have run before: first frames load and allocate.
        frames: How many each runs in its turn.
        rounds: One for each turn of all.
        limit: Seconds after which no further round begins.
    """
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    started = time.monotonic()
    for _ in rounds:
        for name, asked in processes.items():
            time.sleep(_PAUSE)
            seconds[name] += ask(asked, frames[name])
        if time.monotonic() - started > limit:
            break
    return seconds
