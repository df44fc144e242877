# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The last depth maps of a camera, and those who wait for the next one."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable

from depth_estimation_ros.frames import DepthMap

_ANSWER_WITHIN = 30.0  # seconds that somebody waits for a frame that nobody else wanted


class History:
    """What the worker brings and others ask for.

    Args:
        size: How many depth maps are kept.
        waiting: Whether an image waits for the worker.
        flowing: Whether images are worked on without being asked for.
        wake: Called when there may be something to serve.
        why_none: What to tell somebody who asks while there is no depth map.

    Attributes:
        lock: Guards what is kept, and for the owner what it was made with.
        asked: Somebody waits for the image that waits.
        jumps: How often time has jumped back: a bag that began again, a simulation that was reset.
    """

    def __init__(
        self,
        size: int,
        waiting: Callable[[], bool],
        flowing: Callable[[], bool],
        wake: Callable[[], None],
        why_none: Callable[[], str],
    ) -> None:
        self.lock = threading.Condition()
        self.asked = False
        self.jumps = 0
        self._maps: collections.deque[DepthMap] = collections.deque(maxlen=size)
        self._waiting, self._flowing, self._wake = waiting, flowing, wake
        self._why_none = why_none
        self._busy = self._failed = False

    @property
    def kept(self) -> list[DepthMap]:
        """The kept depth maps, oldest first."""
        with self.lock:
            return list(self._maps)

    def begin(self) -> None:
        """The worker has taken the image that waited; with the lock held."""
        self.asked, self._busy, self._failed = False, True, False

    def add(self, depth_map: DepthMap) -> None:
        """Keep what came of it; where time has jumped back, what was kept is of another run."""
        with self.lock:
            if self._maps and depth_map.frame.stamp < self._maps[-1].frame.stamp:
                self._maps.clear()
                self.jumps += 1
            self._maps.append(depth_map)

    def end(self, failed: bool = False) -> None:
        """The worker is through with the image that it took."""
        with self.lock:
            self._busy, self._failed = False, failed
            self.lock.notify_all()

    def abandon(self) -> None:
        """Nothing will be served any more: those who wait get what `why_none` says."""
        with self.lock:
            self.asked, self._busy, self._failed = False, False, True
            self.lock.notify_all()

    def change(self, change: Callable[[DepthMap], DepthMap]) -> None:
        """Replace each depth map that is kept."""
        with self.lock:
            again = [change(one) for one in self._maps]
            self._maps.clear()
            self._maps.extend(again)

    def clear(self) -> None:
        """Forget all."""
        with self.lock:
            self._maps.clear()

    def newest(self) -> DepthMap:
        """The newest depth map; one is made of the newest image when nobody else wants any.

        Raises:
            ValueError: No image has come, or none could be used.
        """
        with self.lock:
            if not (self._maps and self._flowing()):
                self._finish()
            if not self._maps:
                raise ValueError(self._why_none())
            return self._maps[-1]

    def at(self, stamp: int, arrived: int) -> DepthMap:
        """The kept depth map with this stamp in ns; the newest one for zero.

        Args:
            stamp: Of the image that is asked for.
            arrived: Of the image that came last.

        Raises:
            ValueError: It is not kept.
        """
        if stamp == 0:
            return self.newest()
        with self.lock:
            if stamp == arrived:  # one that is kept with this stamp may be of before a reset
                self._finish()
            kept = {depth_map.frame.stamp: depth_map for depth_map in self._maps}
        if stamp not in kept:
            stamps = ', '.join(map(_seconds, kept)) or 'none'
            raise ValueError(
                f'the frame of {_seconds(stamp)} is not kept, kept are: {stamps}; '
                'distance.history keeps more'
            )
        return kept[stamp]

    def _finish(self) -> None:
        """Wait until the image that came last has gone through, if one is waiting or under way."""
        if not (self._waiting() or self._busy):
            return
        self.asked = self._waiting()
        self._wake()
        answered = self.lock.wait_for(lambda: not (self.asked or self._busy), _ANSWER_WITHIN)
        if not answered or self._failed:
            raise ValueError(self._why_none())


def _seconds(nanoseconds: int) -> str:
    """Exactly, which a float of today's epoch is not."""
    return '{}.{:09d}'.format(*divmod(nanoseconds, 10**9))
