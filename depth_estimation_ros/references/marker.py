# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A marker of known size: its pose tells the depth of each of its pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import Array, References, known_camera
from depth_estimation_ros.references.marker_detection import Found, MarkerOptions, find

__all__ = ['MarkerOptions', 'marker']

Pixels = tuple[Array, Array, Array]  # u, v, and Z in metres

_MOST = 500  # references of an image
_SMALLEST = 16.0  # px, the shortest side of a marker whose pose is trusted
_STEEPEST = 75.0  # degrees between the line of sight and the normal of its plane
_MISFIT = 0.03  # of its side in the image: what is worse is no such marker


def marker(depth_map: DepthMap, side: float, options: MarkerOptions) -> References:
    """Pixels on all markers in view, with the depths of their planes.

    Args:
        depth_map: Of the image that the markers are in.
        side: Of the black square of a marker, or of a square of the board, metres.
        options: Which marker it is.

    Raises:
        ValueError: No intrinsics, no such side, no such marker in view, or none whose pose can be
            told; the text says what would help.
    """
    camera = known_camera(depth_map, 'a marker')
    if not 0.0 < side < math.inf:
        raise ValueError(f'the side of the marker must be positive metres, not {side:g}')
    grey = cv2.cvtColor(depth_map.frame.image, cv2.COLOR_RGB2GRAY)
    things = find(grey.astype(np.uint8, copy=False), side, options, camera)
    told = [_attempt(thing, camera, _MOST // len(things)) for thing in things]
    each = [one for one in told if not isinstance(one, str)]
    faults = [one for one in told if isinstance(one, str)]
    if not each:
        raise ValueError('; '.join(faults))
    u, v, depth = (np.concatenate(parts) for parts in zip(*each, strict=True))
    at = [
        f'{thing.name} at {np.median(one[2]):.2f} m'
        for thing, one in zip(things, told, strict=True)
        if not isinstance(one, str)
    ]
    rough = ['the intrinsics are approximate, and so are these'] if camera.approximate else []
    return References(
        u,
        v,
        depth,
        'marker',
        '; '.join([', '.join(at), *rough, *faults]),
        independent=len(each),
    )


def _attempt(thing: Found, camera: Camera, most: int) -> Pixels | str:
    """Its pixels, or why they cannot be told."""
    try:
        return _depths(thing, camera, most)
    except ValueError as error:
        return str(error)


def _depths(thing: Found, camera: Camera, most: int) -> Pixels:
    """Pixels u, v within the thing, at most so many, and the depth of its plane there."""
    rotation, translation = _pose(thing, camera)
    low, high = thing.shape.min(axis=0), thing.shape.max(axis=0)
    border = thing.margin * (high - low)
    steps = int(math.sqrt(most))
    axes = (np.linspace(*ends, steps) for ends in zip(low + border, high - border, strict=True))
    x, y = (grid.ravel() for grid in np.meshgrid(*axes))
    places = np.column_stack([x, y, np.zeros_like(x)]) @ rotation.T + translation
    pixels = np.unique(np.round(camera.project(places)), axis=0)
    inside = (pixels >= 0).all(axis=1) & (pixels < (camera.width, camera.height)).all(axis=1)
    u, v = pixels[inside].T
    normal = rotation[:, 2]
    rays = np.insert(camera.unproject(u, v), 2, 1.0, axis=1)
    return u, v, np.asarray(normal @ translation / (rays @ normal), np.float64)


def _pose(thing: Found, camera: Camera) -> tuple[Array, Array]:
    """Rotation [3, 3] and translation [3] that take places on the thing to the optical frame.

    Of the two poses in which a plane looks nearly alike (Collins and Bartoli, "Infinitesimal
    Plane-Based Pose Estimation", 2014) the one that fits better, then refined.
    """
    if np.isnan(thing.rays).any():
        raise ValueError(
            f'{thing.name} lies where the rays are unknown, the distortion has no inverse there: '
            'show it nearer to the middle of the image'
        )
    focal = math.sqrt(camera.fx * camera.fy)
    matrix = np.diag([focal, focal, 1.0])  # so that errors are in pixels
    places = np.insert(thing.shape, 2, 0.0, axis=1)
    seen = np.ascontiguousarray(thing.rays * focal)
    _, turns, shifts, errors = cv2.solvePnPGeneric(
        places, seen, matrix, None, flags=cv2.SOLVEPNP_IPPE
    )
    best = int(np.argmin(errors))
    turn, shift = cv2.solvePnPRefineLM(places, seen, matrix, None, turns[best], shifts[best])
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    translation = np.asarray(shift, np.float64).ravel()
    again = places @ rotation.T + translation
    misfit = np.linalg.norm(again[:, :2] / again[:, 2:] * focal - seen, axis=1)
    _check(thing.name, rotation[:, 2], again.mean(axis=0), seen, float(misfit.max()))
    return rotation, translation


def _check(name: str, normal: Array, centre: Array, seen: Array, misfit: float) -> None:
    """Raise ValueError unless a pose can be trusted; pixels [N, 2] without distortion."""
    side = min(cv2.minAreaRect(seen.astype(np.float32))[1])
    if side < _SMALLEST:
        raise ValueError(
            f'{name} is {side:.0f} pixels wide, and {_SMALLEST:g} are needed: go nearer, or take '
            'a larger one'
        )
    facing = abs(float(normal @ centre)) / float(np.linalg.norm(centre))
    slant = math.degrees(math.acos(min(1.0, facing)))
    if slant > _STEEPEST:
        raise ValueError(
            f'{name} is seen at {slant:.0f} degrees, and {_STEEPEST:g} are the most: turn it to '
            'the camera'
        )
    if misfit > max(_MISFIT * side, 1.0):
        raise ValueError(
            f'{name} does not look like one: a corner is {misfit:.1f} pixels off; check that it '
            'is flat, its options, and the intrinsics'
        )
