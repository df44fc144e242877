# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Flying pixels: depths that nothing has, made up between two surfaces where one ends.

A network answers smoothly and its answer is enlarged, so that depth goes from one surface to the
next over a few pixels; as points, those hang in the air.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_WIDTH = 320  # steps of depth across an image: what networks resolve
BEYOND = 1e6  # metres for what is out of range: between two such there is no step

Image = NDArray[np.float32]


def flying(depth: Image, jump: float) -> NDArray[np.bool_]:
    """Pixels that hang between two surfaces.

    With depths a b c d e along a row or a column, `stride` pixels apart, c flies when
    (d - c)(c - b) > (jump c)² + (e - d)(b - a): when depth goes on through it by so much of
    itself, and by more than it does before and behind. On a plane it never does, however small
    the angle at which it is seen; nor at a clean step, nor on what is thin.

    Args:
        depth: [H, W] float32, Z in metres. Next to what is unknown nothing flies; next to what is
            out of range, whatever slopes towards it does.
        jump: Share of the depth.

    Returns:
        [H, W]; of blocks of stride by stride pixels at once, of whose mean it is decided.
    """
    height, width = depth.shape
    far = stride(height, width)
    size = width // far, height // far
    covered = slice(size[1] * far), slice(size[0] * far)
    blocks = cv2.resize(depth[covered], size, interpolation=cv2.INTER_AREA)
    blocks = np.clip(blocks, -BEYOND, BEYOND)
    least = cv2.multiply(blocks, blocks, scale=jump * jump)
    found = np.zeros(blocks.shape, np.uint8)
    if size[0] > 4:
        step = cv2.subtract(blocks[:, 1:], blocks[:, :-1])
        around = cv2.multiply(step[:, 3:], step[:, :-3])
        cv2.add(around, least[:, 2:-2], around)
        through = cv2.multiply(step[:, 2:-1], step[:, 1:-2])
        cv2.compare(through, around, cv2.CMP_GT, found[:, 2:-2])
    if size[1] > 4:
        step = cv2.subtract(blocks[1:], blocks[:-1])
        around = cv2.multiply(step[3:], step[:-3])
        cv2.add(around, least[2:-2], around)
        through = cv2.multiply(step[2:-1], step[1:-2])
        cv2.bitwise_or(found[2:-2], cv2.compare(through, around, cv2.CMP_GT), found[2:-2])
    mask = np.zeros(depth.shape, np.bool_)
    wide = cv2.merge([found] * far).reshape(size[1], -1)  # a quarter of the time of np.repeat
    for offset in range(far):
        mask[covered][offset::far] = wide.view(np.bool_)
    return mask


def stride(height: int, width: int) -> int:
    """How many pixels lie between those that are compared, in an image of this size."""
    return max(min(round(width / _WIDTH), height), 1)
