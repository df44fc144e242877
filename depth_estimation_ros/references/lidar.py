# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A lidar: its points that the camera sees too, without those hidden from it and strays."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import Array, References, known_camera, regions
from depth_estimation_ros.references.gate import SensorOptions
from depth_estimation_ros.tunable import option

_MOST = 2000  # references: more tell nothing new
_AHEAD = 20_000  # points ahead that are looked at: enough for those, at 10 Hz
_IN_A_CELL = 6.0  # points on average, so that a neighbourhood spans two rings of a sparse lidar
_SMALLEST = 4.0  # px, the side of a cell
_LAYER = 1.1  # from a layer of depth to the next: what lies within one is one surface
_SURFACE = 3  # points that make one


@dataclasses.dataclass(frozen=True)
class LidarOptions(SensorOptions):
    """Which points of a lidar are used."""

    nearest: float = option(
        0.3, 'Depth in metres below which points are left out: the robot itself.', minimum=0.01
    )
    farthest: float = option(
        100.0, 'Depth in metres above which points are left out.', minimum=0.01
    )


def lidar(depth_map: DepthMap, points: ArrayLike, options: LidarOptions) -> References:
    """Pixels that points of a lidar fall on, with their depth.

    The lidar looks from another place: it sees past the edge of a near thing what the camera sees
    hidden behind it. Such points fall among those of the near thing, and are left out, as are
    points that have no neighbours in depth.

    Args:
        depth_map: Of the image, with its camera.
        points: [N, 3] m, in the camera's optical frame, as of the time of the image.
        options: Which points are used.

    Raises:
        ValueError: No intrinsics, or no point that the camera sees and the network knows.
    """
    camera = known_camera(depth_map, 'a lidar')
    pixels, depth = _in_view(points, camera, options)
    seen = _seen(pixels, depth, camera)
    values = np.asarray(depth_map.prediction.values)
    column, row = np.floor(pixels + 0.5).astype(np.intp).T
    known = np.flatnonzero(seen & np.isfinite(values[row, column]))
    if len(known) == 0:
        raise ValueError(
            f'of {len(depth)} points of the lidar in the image, {int(seen.sum())} lie on surfaces '
            'that the camera sees, and the network knows nothing there: check the transform from '
            'the lidar to the camera'
        )
    if len(known) > _MOST:
        known = np.random.default_rng(0).choice(known, _MOST, replace=False)
    u, v = pixels[known].T
    remark = f'{len(known)} points of the lidar'
    return References(
        u, v, depth[known], 'lidar', remark, regions(u, v, camera.width, camera.height)
    )


def _in_view(points: ArrayLike, camera: Camera, options: LidarOptions) -> tuple[Array, Array]:
    """Pixels [M, 2] and depths [M] of the points in the image."""
    xyz = np.asarray(points, np.float64)
    if xyz.ndim != 2 or xyz.shape[1] != 3:
        raise ValueError(f'points of a lidar are [N, 3] metres, not {xyz.shape}')
    finite = xyz[np.isfinite(xyz).all(axis=1)]
    if len(finite) == 0:
        raise ValueError(
            f'the cloud of the lidar holds no point ({len(xyz)} without numbers): check that it '
            'measures'
        )
    ahead = finite[(finite[:, 2] >= options.nearest) & (finite[:, 2] <= options.farthest)]
    if len(ahead) == 0:
        raise ValueError(
            f'none of {len(finite)} points lies {options.nearest:g} to {options.farthest:g} m '
            f'ahead of the camera (their Z: {finite[:, 2].min():.3g} to '
            f'{finite[:, 2].max():.3g} m): check the transform from the lidar to the optical '
            'frame of the camera, whose z looks ahead'
        )
    if len(ahead) > _AHEAD:
        ahead = ahead[np.linspace(0, len(ahead) - 1, _AHEAD).astype(np.intp)]
    pixels = camera.project(ahead)
    inside = (pixels >= -0.5).all(axis=1)
    inside &= (pixels < (camera.width - 0.5, camera.height - 0.5)).all(axis=1)
    if not inside.any():
        raise ValueError(
            f'none of {len(ahead)} points ahead of the camera falls into its image of '
            f'{camera.width}x{camera.height}: check the transform from the lidar to the optical '
            'frame, and the intrinsics'
        )
    return pixels[inside], ahead[inside, 2]


def _seen(pixels: Array, depth: Array, camera: Camera) -> NDArray[np.bool_]:
    """[N] whether a point lies on a surface, and no surface around its pixel is nearer.

    The view is cut into cells, and in depth into layers; where enough points lie in one layer of
    a cell and its neighbours there is a surface. That takes several: one stray in front of it
    does not hide a wall.
    """
    side = math.sqrt(_IN_A_CELL * camera.width * camera.height / len(depth))
    side = min(max(side, _SMALLEST), camera.width / 16)
    column, row = ((pixels + 0.5) // side).astype(np.intp).T
    layer = (np.log(depth / depth.min()) / math.log(_LAYER)).astype(np.intp)
    counts = np.zeros((row.max() + 3, column.max() + 3, layer.max() + 3), np.float32)
    np.add.at(counts, (row + 1, column + 1, layer + 1), 1.0)
    for _ in range(3):  # each turn sums along one axis; after three, the axes are in their order
        counts = np.moveaxis(counts, 0, -1)
        counts = counts[..., :-2] + counts[..., 1:-1] + counts[..., 2:]
    surface = counts >= _SURFACE
    nearest = surface.argmax(axis=-1)
    seen: NDArray[np.bool_] = surface[row, column, layer]
    seen &= layer <= nearest[row, column] + 2
    return seen
