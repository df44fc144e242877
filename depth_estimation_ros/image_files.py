# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image files in: pictures, and depth as images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.encodings import is_cut_off

PICTURES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
"""How the names of pictures end, in lower case."""


def read_rgb(file: Path, upright: bool = True) -> NDArray[np.uint8]:
    """A picture, [H, W, 3] uint8 RGB.

    Args:
        file: Grey becomes grey RGB, alpha is dropped, 16-bit samples keep their high byte.
        upright: As its EXIF data says; False: as the sensor has it, whose depth knows no EXIF.

    Raises:
        FileNotFoundError, ValueError: There is no such file, or it is not a picture.
    """
    how = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return np.asarray(cv2.cvtColor(_read(file, how), cv2.COLOR_BGR2RGB), np.uint8)


def read_depth(file: Path, unit: float) -> NDArray[np.float32]:
    """A depth image of 16 bits or floating point, [H, W] float32 m; NaN where it is 0.

    Args:
        file: PNG or TIFF.
        unit: Metres of one.

    Raises:
        FileNotFoundError, ValueError: There is no such file, it is not a depth image, or the unit
            is not positive.
    """
    if not 0.0 < unit < math.inf:
        raise ValueError(f'the unit must be positive metres, such as 0.001, not {unit:g}')
    stored = _read(file, cv2.IMREAD_UNCHANGED)
    if stored.ndim != 2 or stored.dtype == np.uint8:
        raise ValueError(
            f'{file} holds {stored.dtype} {stored.shape}, which is no depth: give one channel of '
            '16 bits or of floating point, 0 unknown'
        )
    return np.where(stored > 0, stored * np.float32(unit), np.float32(np.nan)).astype(np.float32)


def _read(file: Path, how: int) -> Any:
    if not file.is_file():
        raise FileNotFoundError(f'there is no file {file}: check the path')
    data = file.read_bytes()
    if is_cut_off(data):
        raise ValueError(f'{file} is cut off after {len(data)} bytes: copy it again')
    image = cv2.imdecode(np.frombuffer(data, np.uint8), how) if data else None
    if image is None:
        raise ValueError(f'{file} is no image that can be read: give a PNG or a JPEG')
    return image
