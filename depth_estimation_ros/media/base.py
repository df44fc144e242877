# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What readers of videos and of image sequences give, and what part of it is wanted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Clip:
    """The part that is wanted.

    Attributes:
        start: Seconds from the beginning, exact: 0.1 as a float lies behind a frame at 1/10 s.
        end: The same; what is shown from there on is left out.
        stride: 1 takes every frame, 2 every second one, and so on.

    Raises:
        ValueError: There is no such part.
    """

    start: Fraction = Fraction(0)
    end: Fraction | float = math.inf
    stride: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(
                f'from {float(self.start):g} s to {float(self.end):g} s there is nothing: give a '
                '--start of 0 or more, and an --end behind it'
            )
        if self.stride < 1:
            raise ValueError(f'the stride must be at least 1 (every frame), not {self.stride}')

    def wanted(self, seconds: float, rate: float) -> int:
        """About how many frames of so many seconds."""
        length = max(min(float(self.end), seconds) - float(self.start), 0.0)
        return math.ceil(length * rate / self.stride)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A frame of a video or a file of a sequence.

    Attributes:
        image: [H, W, 3] uint8 RGB, upright, pixels square.
        time: Seconds from the beginning at which it is shown.
        name: What it may be called in a folder.
    """

    image: NDArray[np.uint8]
    time: Fraction
    name: str


class Reader(Protocol):
    """Pictures of one size in order, each with its time.

    Attributes:
        width, height: Of every picture, in pixels.
        time_base: Seconds of which times are multiples.
        rate: Frames in a second, on average.
        total: About how many there are; None: nobody knows.
    """

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    total: int | None

    def __iter__(self) -> Iterator[Picture]: ...

    @property
    def remarks(self) -> list[str]:
        """What people should know of it, once all has been read."""

    @property
    def loss(self) -> list[str]:
        """What of it could not be read, once all has been."""

    def close(self) -> None:
        """Nothing can be read any more."""
