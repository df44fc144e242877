# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Times of frames or packets in their order, which never go back."""

from __future__ import annotations

from fractions import Fraction

_SET_BACK = Fraction(1, 2)  # s by which a clock starts anew: two recordings, one behind the other
_PAUSE = Fraction(1, 5)  # s, and frames, without any that people should know of
_PAUSED = 5


class Clock:
    """The clock of one stream.

    Args:
        origin: What the file says at the beginning, in seconds.
        tick: Seconds of which its times are multiples.
        usual: Seconds from one to the next.
    """

    def __init__(self, origin: Fraction, tick: Fraction, usual: Fraction) -> None:
        self._origin, self._tick, self._usual = origin, tick, usual
        self._last: Fraction | None = None
        self._restarts: list[Fraction] = []
        self._pauses: list[tuple[Fraction, Fraction]] = []
        self._moved = 0

    def time(self, stamp: int | None) -> Fraction:
        """Seconds from the beginning, later than the last ones.

        Args:
            stamp: In ticks; None: the file says none, and it is the usual time.
        """
        following = Fraction(0) if self._last is None else self._last + self._usual
        time = following if stamp is None else stamp * self._tick - self._origin
        if self._last is not None:
            if time < self._last - _SET_BACK:
                self._origin -= following - time
                self._restarts.append(time := following)
            elif time <= self._last:
                self._moved += 1
                time = self._last + self._tick
            elif time - self._last > max(_PAUSE, _PAUSED * self._usual):
                self._pauses.append((self._last, time))
        self._last = time
        return time

    @property
    def remarks(self) -> list[str]:
        """What people should know of it."""
        said = []
        if self._restarts:
            when = ', '.join(f'{float(time):.1f} s' for time in self._restarts)
            said.append(f'its clock is set back at {when}: times go on from there')
        if self._moved:
            said.append(f'frames not later than those before, shown a moment after: {self._moved}')
        if self._pauses:
            start, end = max(self._pauses, key=lambda pause: pause[1] - pause[0])
            others = f', and {len(self._pauses) - 1} shorter times' * (len(self._pauses) > 1)
            said.append(
                f'there is no frame from {float(start):.2f} s to {float(end):.2f} s{others}: it '
                'was not recorded, or is damaged there'
            )
        return said
