# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage of a frame takes."""

from __future__ import annotations

import collections
import contextlib
import time
from collections.abc import Iterator

import numpy as np

_KEPT = 300  # durations per stage: ten seconds of a 30 Hz camera


class Latency:
    """Durations of named stages over the last frames."""

    def __init__(self) -> None:
        self._seconds: dict[str, collections.deque[float]] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the body of a `with` as one run of this stage."""
        started = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Note one run of a stage."""
        durations = self._seconds.get(name)
        if durations is None:
            durations = self._seconds[name] = collections.deque(maxlen=_KEPT)
        durations.append(seconds)

    def clear(self) -> None:
        """Forget everything, as when another network takes over."""
        self._seconds.clear()

    def percentiles(self) -> dict[str, tuple[float, float, float]]:
        """p50, p95 and p99 in seconds, by stage, in the order in which stages first ran."""
        return {
            name: tuple(np.percentile(list(durations), (50, 95, 99)).tolist())
            for name, durations in list(self._seconds.items())
        }
