# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A small grey copy of an image, on which appearance is compared."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 320


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[H, W, 3] RGB to grey of at most 320 columns, in the same proportions."""
    grey: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width, _ = image.shape
    if width > WIDTH:
        size = (WIDTH, max(round(height * WIDTH / width), 1))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def to_size(
    pixels: NDArray[np.floating[Any]], before: tuple[int, ...], after: tuple[int, ...]
) -> NDArray[np.float64]:
    """[N, 2] x, y of an image to those of it resized; sizes are rows and columns first."""
    factor = np.array([after[1] / before[1], after[0] / before[0]])
    return np.asarray((pixels + 0.5) * factor - 0.5, np.float64)
