# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The ground, by the height of the camera above it.

With the ray r = (X/Z, Y/Z, 1) of a pixel, and gravity `down` in the optical frame, a pixel on the
ground has Z = height / (r · down).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.references.base import Array, References, known_camera, regions
from depth_estimation_ros.references.gate import GateOptions
from depth_estimation_ros.references.plane import HORIZON, View, find_ground
from depth_estimation_ros.tunable import option

_SAMPLES = 5000  # pixels that are looked at, on a grid
_MOST = 2000  # references: more tell nothing new
_IMAGE_DOWN = np.array([0.0, 1.0, 0.0])


@dataclasses.dataclass(frozen=True)
class GroundOptions(GateOptions):
    """How the camera is inclined, and how much ground there must be."""

    pitch: float = option(
        math.nan,
        'Degrees by which the camera looks down; up is negative. Not given: from TF, or, with a '
        'metric model, from the ground itself.',
        minimum=-80.0,
        maximum=90.0,
    )
    roll: float = option(
        0.0,
        'Degrees by which the camera leans to its right, beside pitch.',
        minimum=-180.0,
        maximum=180.0,
    )
    min_share: float = option(
        0.25,
        'Share of the image below the horizon that must be ground.',
        minimum=0.01,
        maximum=1.0,
    )

    def __post_init__(self) -> None:
        if self.roll and math.isnan(self.pitch):
            raise ValueError(f'a roll of {self.roll:g} degrees needs the pitch: give it, too')


def ground(
    depth_map: DepthMap,
    camera_height: float,
    options: GroundOptions,
    down: ArrayLike | None = None,
) -> References:
    """Pixels of the ground, with the depth that the camera's height tells.

    Args:
        depth_map: Of the image, with its camera.
        camera_height: Above the ground, metres.
        options: The inclination of the camera.
        down: [3] gravity in the optical frame, as TF tells it, of any length; a pitch among the
            options counts before it.

    Raises:
        ValueError: No such height, no intrinsics, a relative model without gravity, or no ground
            to be found; the text says what would help.
    """
    if not 0.0 < camera_height < math.inf:
        raise ValueError(
            f'a camera {camera_height:g} m above the ground sees none: give its height in metres'
        )
    u, v, rays, inverse = _samples(depth_map)
    gravity = _gravity(options, down)
    basis = _basis(gravity, depth_map.prediction.kind)
    view = View(
        rays, u.astype(np.intp), inverse, basis, _IMAGE_DOWN if gravity is None else gravity
    )
    if not (rays @ view.down > HORIZON).any():
        raise ValueError(
            'the horizon lies below the image, so that no ground is seen: check the pitch, which '
            'is positive when the camera looks down, or TF'
        )
    found = find_ground(view, options.min_share)
    on = np.flatnonzero(found.on)
    if len(on) > _MOST:
        on = on[np.linspace(0, len(on) - 1, _MOST).astype(np.intp)]
    height, width = depth_map.prediction.values.shape
    pitch = math.degrees(math.asin(found.normal[2]))
    told = (
        'as the network has it: give the pitch if it is known' if gravity is None else 'as given'
    )
    return References(
        u[on],
        v[on],
        camera_height / (rays[on] @ found.normal),
        'ground',
        f'ground in {len(on)} pixels; the camera looks down by {pitch:.1f} degrees, {told}',
        regions(u[on], v[on], width, height),
    )


def _samples(depth_map: DepthMap) -> tuple[Array, Array, Array, Array]:
    """Pixels u, v [N], rays [N, 3] and what is affine in inverse depth [N], on a grid."""
    camera = known_camera(depth_map, 'the ground')
    values = np.asarray(depth_map.prediction.values)
    step = max(math.ceil(math.sqrt(values.size / _SAMPLES)), 1)
    grid = np.s_[step // 2 :: step, step // 2 :: step]
    inverse = values[grid].astype(np.float64)
    if depth_map.prediction.kind is DepthKind.METRIC:
        with np.errstate(divide='ignore'):
            inverse = 1.0 / inverse
    rays = camera.rays()[grid].astype(np.float64)
    known = np.isfinite(inverse) & np.isfinite(rays).all(axis=-1)
    if not known.any():
        raise ValueError('the network knows nothing of this image: there is no ground to find')
    v, u = (step // 2 + step * index.astype(np.float64) for index in np.nonzero(known))
    return u, v, np.insert(rays[known], 2, 1.0, axis=1), inverse[known]


def _gravity(options: GroundOptions, down: ArrayLike | None) -> Array | None:
    """Unit vector [3] in the optical frame, or None where nobody tells it."""
    if not math.isnan(options.pitch):
        pitch, roll = math.radians(options.pitch), math.radians(options.roll)
        level = math.cos(pitch)
        return np.array([math.sin(roll) * level, math.cos(roll) * level, math.sin(pitch)])
    if down is None:
        return None
    vector = np.asarray(down, np.float64)
    length = float(np.linalg.norm(vector))
    if vector.shape != (3,) or not 0.0 < length < math.inf:
        raise ValueError(f'gravity is a vector [3] of some length, not {vector.tolist()}')
    return np.asarray(vector / length, np.float64)


def _basis(gravity: Array | None, kind: DepthKind) -> Array:
    """The planes that the ground may be, as `plane` has them, [4, P]."""
    if kind is DepthKind.METRIC:
        return np.eye(4)[:, :3] if gravity is None else np.append(gravity, 0.0)[:, None]
    if gravity is None:
        raise ValueError(
            'a relative model does not tell a slope from an offset of its own: give the pitch of '
            'the camera, or a TF from the camera to a frame whose z is up, or take a metric model'
        )
    return np.column_stack([np.append(gravity, 0.0), [0.0, 0.0, 0.0, 1.0]])
