# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An upright object of known height: the rays of its top and its foot tell how far it is."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import Array, References, known_camera
from depth_estimation_ros.tunable import option

_FLATTEST = 20.0  # px: of a flatter box, one pixel at top and foot is more than 10 % of the depth
_SIDE = 10  # references along each side of the middle of the box


@dataclasses.dataclass(frozen=True)
class ObjectOptions:
    """Where the object is."""

    box: tuple[float, ...] = option(
        (), 'Pixels u0, v0, u1, v1 of the box: its left, its top, its right and its foot.'
    )
    pitch: float = option(
        0.0, 'Degrees by which the camera looks down; up is negative.', minimum=-80.0, maximum=80.0
    )


def object_of_height(depth_map: DepthMap, height: float, options: ObjectOptions) -> References:
    """Pixels in the middle third of an upright object, with the depth that its height tells.

    Args:
        depth_map: Of the image that the box is in.
        height: Of the object from foot to top, metres.
        options: Its box, and the pitch of the camera.

    Raises:
        ValueError: No intrinsics, no such height, or a box that tells no depth.
    """
    camera = known_camera(depth_map, 'the height of an object')
    if not 0.0 < height < math.inf:
        raise ValueError(f'the height of the object must be positive metres, not {height:g}')
    left, top, right, foot = _box(options.box, camera)
    across = np.linspace((2 * left + right) / 3, (left + 2 * right) / 3, _SIDE)
    down = np.linspace((2 * top + foot) / 3, (top + 2 * foot) / 3, _SIDE)
    u, v = (grid.ravel() for grid in np.meshgrid(np.round(across), np.round(down)))
    depth = _depth(camera, height, math.radians(options.pitch), (left + right) / 2, top, foot, v)
    remark = f'object of {height:g} m at a depth of {float(np.median(depth)):.2f} m'
    return References(u, v, depth, 'object', remark, independent=1)


def _box(box: tuple[float, ...], camera: Camera) -> tuple[float, float, float, float]:
    given = ', '.join(f'{one}' for one in box)
    try:
        left, top, right, foot = map(float, box)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f'box [{given}] must be four pixels, u0, v0, u1 and v1') from None
    if not (left < right and top < foot):
        raise ValueError(
            f'box [{given}] is empty or upside down: u0 < u1 and v0 < v1, since v grows downwards'
        )
    if not (left >= -0.5 and right <= camera.width - 0.5):
        raise ValueError(f'box [{given}] leaves the image of {camera.width}x{camera.height}')
    if not (top >= 1.0 and foot <= camera.height - 2.0):
        raise ValueError(
            f'box [{given}] reaches the border of the image of {camera.width}x{camera.height}: '
            'top and foot of the object must be seen'
        )
    if foot - top < _FLATTEST:
        raise ValueError(
            f'box [{given}] is {foot - top:g} pixels high, and {_FLATTEST:g} are needed: go '
            'nearer, or take a taller object'
        )
    return left, top, right, foot


def _depth(
    camera: Camera, height: float, pitch: float, u: float, top: float, foot: float, v: Array
) -> Array:
    """Z where the rays of rows v meet the upright line from top to foot, [N].

    With down = (0, cos pitch, sin pitch), the point t below the top is (Y0 + t·cos, Z0 + t·sin);
    the ray of the foot meets it at t = height, which gives Z0, and the one of a row at its own t.
    """
    y = camera.unproject(np.full(len(v) + 2, u), np.concatenate([[top, foot], v]))[:, 1]
    if np.isnan(y).any():
        raise ValueError(
            f'the rays of the box at u={u:g} are unknown, the distortion has no inverse there: '
            'move the object nearer to the middle of the image'
        )
    upward = math.cos(pitch) - math.sin(pitch) * y
    if not (upward > 0.0).all():
        raise ValueError(
            f'with a pitch of {math.degrees(pitch):g} degrees the camera would look along an '
            'upright object: check the pitch, which is positive when the camera looks down'
        )
    first = height * upward[1] / (y[1] - y[0])
    return np.asarray(first * (1 + math.sin(pitch) * (y[2:] - y[0]) / upward[2:]), np.float64)
