# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of known depth: where somebody with a tape measure would measure."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9
_FLAT = 1.08  # ratio of the farthest to the nearest depth in the window
_BORDER = 24
_ALIKE = 1.03
_APART = 120.0  # pixels between references, where the picture allows it


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


def references(depth: NDArray[np.float32], quantiles: Sequence[float]) -> NDArray[np.intp]:
    """Pixels (u, v) at these quantiles of depth, spread over the image, [N, 2].

    Raises:
        ValueError: The depth is too rugged or too unknown.
    """
    u, v, z = _measured(depth, len(quantiles))
    near_centre = -np.hypot(u - depth.shape[1] / 2, v - depth.shape[0] / 2)
    apart = np.full(len(u), np.inf)
    chosen = []
    for wanted in np.quantile(z, quantiles):
        ratio = np.maximum(z / wanted, wanted / z)
        candidates = np.flatnonzero(ratio <= max(_ALIKE, float(ratio.min())))
        best = (np.minimum(apart, _APART) + 0.01 * near_centre)[candidates].argmax()
        chosen.append(candidates[best])
        apart = np.minimum(apart, np.hypot(u - u[chosen[-1]], v - v[chosen[-1]]))
    return np.stack([u[chosen], v[chosen]], axis=1)


def probes(depth: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Pixels (u, v) drawn at random, one from each of `count` layers of depth, [count, 2].

    Raises:
        ValueError: The depth is too rugged or too unknown.
    """
    u, v, z = _measured(depth, count)
    chosen = [rng.choice(layer) for layer in np.array_split(z.argsort(), count)]
    return np.stack([u[chosen], v[chosen]], axis=1)


def _measured(
    depth: NDArray[np.float32], least: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    v, u = np.nonzero(measurable(depth))
    if len(u) < least:
        raise ValueError(
            f'{len(u)} pixels of the depth image have a smooth surrounding to measure at, and '
            f'{least} are wanted'
        )
    return u, v, depth[v, u]
