# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Corners followed from picture to picture, on a small grey copy of the image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # a thumbnail
Points = NDArray[np.float32]

_APART = 10  # least distance of corners, in its pixels: 150 spread over all of it
_QUALITY = 0.01  # of the best corner's smaller eigenvalue
_CHANGED = 20.0  # mean grey difference around a corner that is another thing now
_WINDOW = (9, 9)
_LEVELS = 3  # of the pyramid: ways of up to a tenth of the width are followed
_UNTIL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.1)


def corners(picture: Picture, taken: Points, count: int) -> Points:
    """Up to so many new corners (Shi and Tomasi, 1994), [N, 2] x, y, away from those taken."""
    free = np.full(picture.shape, 255, np.uint8)
    for x, y in taken.round().astype(int).tolist():
        cv2.circle(free, (x, y), _APART, 0, -1)
    found: Points | None = cv2.goodFeaturesToTrack(  # type: ignore[assignment]
        picture, count, _QUALITY, _APART, mask=free
    )
    return np.empty((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def follow(before: Picture, now: Picture, points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Where points of one picture are in the next (pyramidal Lucas and Kanade).

    Returns:
        [N, 2] x, y, and [N] whether the point was found, looking as before, in the picture.
    """
    moved, status, error = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        before, now, points, None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_UNTIL
    )
    height, width = now.shape
    inside = ((moved >= 0.0) & (moved <= (width - 1.0, height - 1.0))).all(axis=1)
    found: NDArray[np.bool_] = (status[:, 0] > 0) & (error[:, 0] < _CHANGED) & inside
    return moved, found
