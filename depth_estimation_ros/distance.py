# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far away a pixel is."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.frames import DepthMap

Array = NDArray[np.float64]


class Status(enum.IntEnum):
    """Why a pixel has a distance or none; the values of depth_estimation_interfaces."""

    OK = 0
    OUTSIDE_IMAGE = 1
    INVALID = 2
    TOO_NEAR = 3
    TOO_FAR = 4


@dataclasses.dataclass(frozen=True)
class Distances:
    """Answers for N pixels; NaN wherever the status is not OK or the camera is not known.

    Attributes:
        depth: [N] Z, m.
        distance: [N] length of the ray, m.
        std_dev: [N] one sigma of depth, m; NaN without a calibration, which alone can tell it.
        points: [N, 3] m, optical frame.
        status: [N] uint8, of Status.
    """

    depth: Array
    distance: Array
    std_dev: Array
    points: Array
    status: NDArray[np.uint8]


def measure(depth_map: DepthMap, u: ArrayLike, v: ArrayLike, window: int = 5) -> Distances:
    """The median depth around pixels, with its ray and its uncertainty.

    Args:
        depth_map: A depth map in metres.
        u, v: [N] pixels of the image; (0, 0) is the centre of the top-left one.
        window: Side of the square over which the median is taken, made odd; clipped at borders.

    Raises:
        ValueError: The depth map is not in metres, or u and v differ in number.
    """
    if depth_map.depth is None:
        raise ValueError('the depth is relative, without a calibration: no metres to answer')
    u, v = (np.atleast_1d(np.asarray(pixels, np.float64)) for pixels in (u, v))
    if u.shape != v.shape or u.ndim != 1:
        raise ValueError(f'u and v must pair up: {u.size} and {v.size} given')
    depth, spread = np.full((2, len(u)), np.nan)
    status = np.full(len(u), Status.OUTSIDE_IMAGE, np.uint8)
    image = np.asarray(depth_map.depth)
    for i in np.flatnonzero(_inside(image, u, v)):
        depth[i], spread[i], status[i] = _median(_square(image, u[i], v[i], window))
    distance, points = _along_ray(depth_map, u, v, depth)
    return Distances(depth, distance, _std_dev(depth_map, u, v, window, spread), points, status)


def predictions(depth_map: DepthMap, u: ArrayLike, v: ArrayLike, window: int = 5) -> Array:
    """The median of what the network says around pixels, [N]; NaN outside the image."""
    u, v = (np.atleast_1d(np.asarray(pixels, np.float64)) for pixels in (u, v))
    values = np.asarray(depth_map.prediction.values)
    answer = np.full(len(u), np.nan)
    for i in np.flatnonzero(_inside(values, u, v)):
        answer[i], _, _ = _median(_square(values, u[i], v[i], window))
    return answer


def _inside(image: NDArray[np.float32], u: Array, v: Array) -> NDArray[np.bool_]:
    height, width = image.shape
    inside: NDArray[np.bool_] = (u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5)
    return inside


def _square(image: NDArray[np.float32], u: float, v: float, window: int) -> NDArray[np.float32]:
    half = window // 2
    x, y = int(np.floor(u + 0.5)), int(np.floor(v + 0.5))
    return image[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]


def _median(square: NDArray[np.float32]) -> tuple[float, float, Status]:
    """Median, spread (1.4826 times the median absolute deviation) and status of a window."""
    known = square[~np.isnan(square)].astype(np.float64)
    if known.size * 2 < square.size:
        return np.nan, np.nan, Status.INVALID
    middle = float(np.sort(known)[known.size // 2])
    if np.isinf(middle):
        return np.nan, np.nan, Status.TOO_FAR if middle > 0 else Status.TOO_NEAR
    finite = known[np.isfinite(known)]
    return middle, 1.4826 * float(np.median(np.abs(finite - middle))), Status.OK


def _along_ray(depth_map: DepthMap, u: Array, v: Array, depth: Array) -> tuple[Array, Array]:
    camera = depth_map.frame.camera
    if camera is None:
        return np.full(len(u), np.nan), np.full((len(u), 3), np.nan)
    points = np.column_stack([camera.unproject(u, v), np.ones(len(u))]) * depth[:, None]
    return np.linalg.norm(points, axis=1), points


def _std_dev(depth_map: DepthMap, u: Array, v: Array, window: int, spread: Array) -> Array:
    if depth_map.calibration is None:
        return np.full(len(u), np.nan)
    fitted = depth_map.calibration.fit.std_dev(predictions(depth_map, u, v, window))
    return np.sqrt(fitted**2 + spread**2)  # np.hypot answers Inf to Inf and NaN
