# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far away a pixel is."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.frames import DepthMap

Array = NDArray[np.float64]

_RECENT = 1_000_000_000  # ns: frames farther away in time show another scene
_CENTRAL = 0.6827  # of a normal distribution lies within one sigma of its middle
_AT_ONCE = 1 << 20  # pixels of windows that are gathered together: what a cache holds


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
        std_dev: [N] one sigma of depth, m; NaN without a calibration made of references, which
            alone can tell it.
        points: [N, 3] m, optical frame.
        status: [N] uint8, of Status.
    """

    depth: Array
    distance: Array
    std_dev: Array
    points: Array
    status: NDArray[np.uint8]


def measure(
    depth_map: DepthMap,
    u: ArrayLike,
    v: ArrayLike,
    window: int = 5,
    history: Sequence[DepthMap] = (),
) -> Distances:
    """The median depth around pixels, with its ray and its uncertainty.

    The standard deviation joins that of the fit and of what the fit leaves over, the spread in the
    window, the spread over time, and how far the scale may have drifted since the fit. Where a
    window holds two surfaces, the median is a depth of one of them and the spread grows to half of
    the step between them.

    Args:
        depth_map: A depth map in metres.
        u, v: [N] pixels of the image; (0, 0) is the centre of the top-left one.
        window: Side of the square over which the median is taken, made odd; clipped at borders.
        history: Depth maps of the same camera; those within a second of this one and under its
            calibration tell how much the depth of a pixel wavers. What moves, the camera above
            all, makes that larger, never smaller.

    Raises:
        ValueError: The depth map is not in metres, or u and v differ in number.
    """
    if depth_map.depth is None:
        raise ValueError('the depth is relative, without a calibration: no metres to answer')
    u, v = _pixels(u, v)
    depth, spread, status = _medians(np.asarray(depth_map.depth), u, v, window)
    distance, points = _along_ray(depth_map, u, v, depth)
    std_dev = np.full(len(u), np.nan)
    if depth_map.calibration is not None:
        fitted = depth_map.calibration.fit.std_dev(predictions(depth_map, u, v, window))
        wavering = _wavering(depth_map, u, v, window, history)
        # np.hypot answers Inf to Inf and NaN.
        drifted = depth_map.drift * depth
        std_dev = np.sqrt(fitted**2 + spread**2 + wavering**2 + drifted**2)
    return Distances(depth, distance, std_dev, points, status)


def predictions(depth_map: DepthMap, u: ArrayLike, v: ArrayLike, window: int = 5) -> Array:
    """The median of what the network says around pixels, [N]; NaN outside the image."""
    u, v = _pixels(u, v)
    answer, _, _ = _medians(np.asarray(depth_map.prediction.values), u, v, window)
    return answer


def _pixels(u: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    u, v = (np.atleast_1d(np.asarray(pixels, np.float64)) for pixels in (u, v))
    if u.shape != v.shape or u.ndim != 1:
        raise ValueError(f'u and v must pair up: {u.size} and {v.size} given')
    return u, v


def _medians(
    image: NDArray[np.float32], u: Array, v: Array, window: int
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Median, spread and status of the windows around pixels, [N] each."""
    height, width = image.shape
    middle, spread = np.full((2, len(u)), np.nan)
    status = np.full(len(u), Status.OUTSIDE_IMAGE, np.uint8)
    inside = np.flatnonzero((u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5))
    offsets = np.arange(-(window // 2), window // 2 + 1)
    together = max(_AT_ONCE // len(offsets) ** 2, 1)
    for part in np.split(inside, range(together, len(inside), together)):
        x, y = (np.floor(pixels[part] + 0.5).astype(np.intp)[:, None] for pixels in (u, v))
        columns, rows = x + offsets, y + offsets
        there = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
            :, None, :
        ]
        squares = image[
            rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]
        ]
        squares = np.where(there, squares, np.float32(np.nan)).reshape(len(part), offsets.size**2)
        size = there.sum(axis=(1, 2))
        middle[part], spread[part], status[part] = _of_squares(squares, size)
    return middle, spread, status


def _of_squares(
    squares: NDArray[np.float32], size: NDArray[np.intp]
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Median, spread and status of each row, of which `size` values lie in the image.

    The spread is half of the range of the central 68 %: one sigma where depth is normally
    distributed, half of the step where two surfaces share a window (of which the median absolute
    deviation would say nothing). What is infinite has no part in it.
    """
    ordered = np.sort(squares, axis=1).astype(np.float64)  # NaN last
    known = (~np.isnan(ordered)).sum(axis=1)
    middle = ordered[np.arange(len(known)), np.minimum(known // 2, ordered.shape[1] - 1)]
    status = np.select(
        [known * 2 < size, middle == np.inf, middle == -np.inf],
        [Status.INVALID, Status.TOO_FAR, Status.TOO_NEAR],
        Status.OK,
    ).astype(np.uint8)
    middle[status != Status.OK] = np.nan
    spread = (_quantile(ordered, 0.5 + _CENTRAL / 2) - _quantile(ordered, 0.5 - _CENTRAL / 2)) / 2
    return middle, np.where(status == Status.OK, spread, np.nan), status


def _quantile(values: Array, share: float) -> Array:
    """A quantile of what is finite in each row; np.nanquantile takes twenty times as long."""
    finite = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)
    last = np.maximum(np.isfinite(finite).sum(axis=1) - 1, 0)
    row, before = np.arange(len(last)), (last * share).astype(np.intp)
    low, high = finite[row, before], finite[row, np.minimum(before + 1, last)]
    return np.asarray(low + (high - low) * (last * share - before), np.float64)


def _wavering(
    depth_map: DepthMap, u: Array, v: Array, window: int, history: Sequence[DepthMap]
) -> Array:
    """One sigma of the depth of each pixel over the frames around this one, [N] m.

    1.4826 times the median absolute deviation, so that one frame that went wrong says nothing; 0
    where fewer than two frames know the pixel.
    """
    frames = [depth_map] + [
        other
        for other in history
        if other is not depth_map
        and other.calibration is depth_map.calibration
        and abs(other.frame.stamp - depth_map.frame.stamp) <= _RECENT
    ]
    if len(frames) < 2:
        return np.zeros(len(u))
    told = np.array([_medians(np.asarray(frame.depth), u, v, window)[0] for frame in frames])
    sigma = np.zeros(len(u))
    seen = np.flatnonzero(np.isfinite(told).sum(axis=0) >= 2)
    deviation = np.abs(told[:, seen] - np.nanmedian(told[:, seen], axis=0))
    sigma[seen] = 1.4826 * np.nanmedian(deviation, axis=0)
    return sigma


def _along_ray(depth_map: DepthMap, u: Array, v: Array, depth: Array) -> tuple[Array, Array]:
    camera = depth_map.frame.camera
    if camera is None:
        return np.full(len(u), np.nan), np.full((len(u), 3), np.nan)
    points = np.column_stack([camera.unproject(u, v), np.ones(len(u))]) * depth[:, None]
    return np.linalg.norm(points, axis=1), points
