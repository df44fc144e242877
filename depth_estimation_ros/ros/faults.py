# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of frames: counted by reason, said at most every five seconds."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable

_SAY_EVERY = 5.0  # seconds
_REASONS = 20  # kept; a camera that sends garbage must not fill the memory


class Faults:
    """Counts faults and says them.

    Args:
        say: Takes one message; the node's logger.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._said: dict[str, float] = {}
        self.counts: collections.Counter[str] = collections.Counter()

    def add(self, reason: str) -> None:
        """Note one fault."""
        if reason not in self.counts and len(self.counts) >= _REASONS:
            reason = 'others'
        self.counts[reason] += 1
        now = time.monotonic()
        if now - self._said.get(reason, -_SAY_EVERY) >= _SAY_EVERY:
            self._said[reason] = now
            self._say(f'{reason} ({self.counts[reason]} so far)')
