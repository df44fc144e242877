# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A depth camera whose image is registered to that of the camera."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import References, regions
from depth_estimation_ros.references.gate import SensorOptions
from depth_estimation_ros.tunable import option

_MOST = 2000  # references: more tell nothing new
_ASPECT = 0.02  # by which the aspects of two images may differ: a size is a whole number
_EDGE = 1.05  # of depth from pixel to pixel: surfaces are not so steep, unless seen grazing
_AROUND = np.ones((3, 3), np.uint8)


@dataclasses.dataclass(frozen=True)
class DepthCameraOptions(SensorOptions):
    """Which pixels of a depth camera are used."""

    nearest: float = option(
        0.2, 'Depth in metres below which the depth camera is not trusted.', minimum=0.01
    )
    farthest: float = option(
        10.0, 'Depth in metres above which the depth camera is not trusted.', minimum=0.01
    )


def depth_camera(
    depth_map: DepthMap, depth: NDArray[np.float32], options: DepthCameraOptions
) -> References:
    """Pixels on a grid over the image where a depth camera knows the depth.

    Left out is what lies near an edge of depth, near unknown depth and near the border, where
    the two images need but differ by a pixel.

    Args:
        depth_map: Of the image.
        depth: [H', W'] float32, Z in metres, NaN, Inf or 0 where unknown; registered to the image,
            but of any size of its aspect.
        options: Which pixels are used.

    Raises:
        ValueError: No image of metres, another aspect, or no pixel that both know.
    """
    values = np.asarray(depth_map.prediction.values)
    height, width = values.shape
    _check_image(depth, width, height)
    rows, columns = depth.shape
    usable = _usable(depth, options)
    step = max(math.ceil(math.sqrt(depth.size / _MOST)), 1)
    v, u = np.nonzero(usable[step // 2 :: step, step // 2 :: step])
    v, u = step // 2 + v * step, step // 2 + u * step
    across = (u + 0.5) * width / columns - 0.5
    down = (v + 0.5) * height / rows - 0.5
    row, column = (np.floor(pixels + 0.5).astype(np.intp) for pixels in (down, across))
    known = np.isfinite(values[row, column])
    if not known.any():
        told = np.mean(np.isfinite(depth) & (depth > 0.0))
        raise ValueError(
            f'of {depth.size} pixels of the depth image, {told:.0%} are known and '
            f'{np.mean(usable):.0%} lie {options.nearest:g} to {options.farthest:g} m away and '
            'off edges, and the network knows nothing there: check that the depth image is in '
            'metres and registered to the image, and that its unknown pixels are filled'
        )
    across, down = across[known], down[known]
    return References(
        across,
        down,
        depth[v[known], u[known]].astype(np.float64),
        'depth',
        f'{len(across)} pixels of the depth camera',
        regions(across, down, width, height),
    )


def _check_image(depth: NDArray[np.float32], width: int, height: int) -> None:
    if depth.ndim != 2 or depth.size == 0 or depth.dtype.kind != 'f':
        raise ValueError(
            f'a depth image is [height, width] of floating-point metres, not {depth.dtype} '
            f'{depth.shape}'
        )
    rows, columns = depth.shape
    if abs(columns * height / (rows * width) - 1.0) > _ASPECT:
        raise ValueError(
            f'the depth image of {columns}x{rows} has not the aspect of the image of '
            f'{width}x{height}: register it to the image, as depth_image_proc does'
        )


def _usable(depth: NDArray[np.float32], options: DepthCameraOptions) -> NDArray[np.bool_]:
    """[H', W'] whether the depth of a pixel and all around it is known and nearly the same."""
    near = np.float32(options.nearest)
    with np.errstate(invalid='ignore'):
        trusted = (depth >= near) & (depth <= np.float32(options.farthest)) & np.isfinite(depth)
    filled = np.where(trusted, depth, np.float32(0.0))
    edge = cv2.BORDER_CONSTANT
    low = cv2.erode(filled, _AROUND, borderType=edge, borderValue=0.0)
    high = cv2.dilate(filled, _AROUND, borderType=edge, borderValue=0.0)
    return np.asarray((low > 0.0) & (high <= _EDGE * low))
