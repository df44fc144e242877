# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels whose distance somebody measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import Array, References


def points(
    depth_map: DepthMap,
    u: ArrayLike,
    v: ArrayLike,
    distance: ArrayLike,
    along_ray: bool = False,
) -> References:
    """Pixels of known distance.

    Args:
        depth_map: Of the image that they are pixels of.
        u, v: [N] pixels; (0, 0) is the centre of the top-left one.
        distance: [N] metres.
        along_ray: The distances are lengths of rays; False: depths along Z.

    Raises:
        ValueError: Not one distance for each pixel, a pixel outside the image, or rays that are
            not known.
    """
    columns, rows, z = (np.atleast_1d(np.asarray(a, np.float64)) for a in (u, v, distance))
    given = References(columns, rows, z, 'points')
    height, width = depth_map.prediction.values.shape
    for x, y in zip(columns, rows, strict=True):
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise ValueError(f'pixel ({x:g}, {y:g}) is outside the image of {width}x{height}')
    if not along_ray:
        return given
    return References(
        columns, rows, z / _ray_lengths(depth_map.frame.camera, columns, rows), 'points'
    )


def _ray_lengths(camera: Camera | None, u: Array, v: Array) -> Array:
    """Length of the ray per metre of depth, [N]."""
    if camera is None:
        raise ValueError(
            'along_ray needs the intrinsics, and no camera_info that fits the image has come: '
            'give depths along Z, or set camera.fx or camera.hfov'
        )
    rays = np.insert(camera.unproject(u, v), 2, 1.0, axis=1)
    lengths = np.asarray(np.linalg.norm(rays, axis=1), np.float64)
    for x, y in zip(u[np.isnan(lengths)], v[np.isnan(lengths)], strict=True):
        raise ValueError(
            f'the ray of pixel ({x:g}, {y:g}) is unknown, its distortion has no inverse: choose a '
            'pixel nearer to the centre, or give depths along Z'
        )
    return lengths
