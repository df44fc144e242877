# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of frames: counted by reason, reported at most every five seconds."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable

_SAY_EVERY = 5.0  # seconds
_REASONS = 20  # kept; a camera that sends garbage must not fill the memory


class Faults:
    """Counts faults, from any thread, and reports them.

    Args:
        say: Takes one message; the node's logger.

    Attributes:
        latest: The fault that came last; empty before the first.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()
        self._counts: collections.Counter[str] = collections.Counter()
        self.latest = ''

    @property
    def counts(self) -> collections.Counter[str]:
        """How often each reason came, as of now."""
        with self._lock:
            return self._counts.copy()

    def add(self, reason: str) -> None:
        """Note one fault."""
        with self._lock:
            self.latest = reason
            known = reason in self._counts or len(self._counts) < _REASONS
            counted = reason if known else 'others'
            self._counts[counted] += 1
            count, now = self._counts[counted], time.monotonic()
            if now - self._said.get(counted, -_SAY_EVERY) < _SAY_EVERY:
                return
            self._said[counted] = now
        self._say(f'{reason} ({count} so far)' if known else f'{reason} ({count} of other kinds)')
