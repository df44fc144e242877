# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures with their true depth, and data sets of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import Frame

# Rows and columns of the part of an image that is scored, by its height and width.
Crop = Callable[[int, int], tuple[slice, slice]]


@dataclasses.dataclass(frozen=True)
class Sample:
    """A picture and its true depth.

    Attributes:
        name: What people call it.
        frame: The picture, with intrinsics where the data tells them.
        truth: [H, W] float32, Z in metres, NaN unknown; registered to the picture.
        follows: Whether the sample before it was taken just before it, by the same camera.
    """

    name: str
    frame: Frame
    truth: NDArray[np.float32]
    follows: bool = False

    def __post_init__(self) -> None:
        height, width = self.frame.image.shape[:2]
        if self.truth.shape != (height, width):
            raise ValueError(
                f'{self.name}: the depth is {self.truth.shape[1]}x{self.truth.shape[0]}, the '
                f'picture {width}x{height}: register the depth to the picture, pixel by pixel'
            )


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Samples, and how the literature scores them.

    Attributes:
        layout: What it was recognised as.
        split: Which part of the data it is, in words.
        samples: Reads them one after the other, from the first one each time.
        total: How many there are; None where only reading tells.
        crops: The crops that are defined for it, by name.
        crop: The usual one; none where the whole image counts.
        cap: Depth in metres from which on truth usually does not count; None: all of it counts.
    """

    layout: str
    split: str
    samples: Callable[[], Iterator[Sample]]
    total: int | None
    crops: Mapping[str, Crop] = dataclasses.field(default_factory=dict)
    crop: str = 'none'
    cap: float | None = None


def read_lines(path: Path) -> list[str]:
    """The lines of a file that names a split, without empty ones.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no text.
    """
    if not path.is_file():
        raise FileNotFoundError(f'there is no split file {path}')
    try:
        lines = path.read_text('utf-8').splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is no text: a split names one frame a line') from error
    return [line.strip() for line in lines if line.strip()]
