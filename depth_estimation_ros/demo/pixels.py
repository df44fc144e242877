# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of known depth: where somebody with a tape measure would measure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9
_FLAT = 1.08  # ratio of the farthest to the nearest depth in the window
_BORDER = 24
_QUANTILES = (0.05, 0.5, 0.95)
_ALIKE = 1.03


def measurable(depth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where depth is known all around and has no edge.

    Args:
        depth: [H, W] metres, NaN unknown.

    Returns:
        [H, W]; false along the border of the image.
    """
    known = np.where(np.isfinite(depth), depth, np.float32(0.0))
    kernel = np.ones((_WINDOW, _WINDOW), np.uint8)
    nearest, farthest = cv2.erode(known, kernel), cv2.dilate(known, kernel)
    flat = (nearest > 0.0) & (farthest < _FLAT * nearest)
    inside = np.zeros_like(flat)
    inside[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    result: NDArray[np.bool_] = flat & inside
    return result


def references(depth: NDArray[np.float32]) -> NDArray[np.intp]:
    """Three pixels (u, v), near, middle and far, each the one closest to the centre: [3, 2].

    Raises:
        ValueError: The depth is too rugged or too unknown.
    """
    v, u = np.nonzero(measurable(depth))
    if len(u) == 0:
        raise ValueError('no pixel of the depth image has a smooth surrounding to measure at')
    z = depth[v, u]
    off_centre = np.hypot(u - depth.shape[1] / 2, v - depth.shape[0] / 2)
    chosen = []
    for wanted in np.quantile(z, _QUANTILES):
        ratio = np.maximum(z / wanted, wanted / z)
        candidates = np.flatnonzero(ratio < max(_ALIKE, float(ratio.min()) + 1e-6))
        chosen.append(candidates[off_centre[candidates].argmin()])
    return np.stack([u[chosen], v[chosen]], axis=1)


def probes(depth: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Pixels (u, v) drawn at random among those that can be measured, [count, 2].

    Raises:
        ValueError: There are too few.
    """
    v, u = np.nonzero(measurable(depth))
    if len(u) < count:
        raise ValueError(f'only {len(u)} pixels can be measured, {count} are wanted')
    chosen = rng.choice(len(u), count, replace=False)
    return np.stack([u[chosen], v[chosen]], axis=1)
