# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera is, from known points and the rays under which it sees them."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.stabilizer.middle import middle

Array = NDArray[np.float64]

_STEPS = 8
_SETTLED = 1e-3  # of a normalised coordinate: the next step would be a third of it at most
_RIDGE = 1e-9  # of the whole: what the view does not determine stays as it was
_LOST = 0.5  # median error of normalised coordinates that no step mends
_BEHIND = 1e-3  # m
_EYE = np.eye(6)


@dataclasses.dataclass(frozen=True)
class View:
    """A camera: rotation [3, 3] and translation [3] take points to its optical frame."""

    rotation: Array
    translation: Array

    def points(self, world: Array) -> Array:
        """World to optical frame, [N, 3] m."""
        return world @ self.rotation.T + self.translation

    def world(self, points: Array) -> Array:
        """Optical frame to world, [N, 3] m."""
        return (points - self.translation) @ self.rotation


def locate(world: Array, rays: Array, start: View, noise: float) -> tuple[View, Array]:
    """The view that explains the rays, by robust Gauss-Newton steps from a near one.

    The weights are those of Geman and McClure: what moves by itself loses its say.

    Args:
        world: [N, 3] m.
        rays: [N, 2] X/Z and Y/Z, lens distortion undone.
        start: The last view.
        noise: Least error of a ray that is to be expected.

    Returns:
        The view, and [N] the errors that it leaves, of normalised coordinates; Inf behind it.
    """
    view, rays = start, rays.T
    seen = _Seen.of(view.points(world), rays)
    for _ in range(_STEPS):
        sigma = max(1.4826 * middle(seen.error), noise)
        if not sigma < _LOST:
            break
        weight = 1.0 / (1.0 + (seen.error / (2.0 * sigma)) ** 2) ** 2  # 0 behind the camera
        step = seen.step(weight)
        turn = np.asarray(cv2.Rodrigues(step[:3])[0], np.float64)
        view = View(turn @ view.rotation, turn @ view.translation + step[3:])
        seen = _Seen.of(view.points(world), rays)
        if np.abs(step).max() < _SETTLED:
            break
    return view, seen.error


class _Seen(NamedTuple):
    """N points as a camera sees them, in normalised coordinates.

    Attributes:
        place: [2, N] X/Z and Y/Z.
        inverse: [N] 1/Z.
        missing: [2, N] from there to the rays.
        error: [N] its length; Inf behind the camera.
    """

    place: Array
    inverse: Array
    missing: Array
    error: Array

    @classmethod
    def of(cls, points: Array, rays: Array) -> _Seen:
        depth = points[:, 2]
        inverse = 1.0 / np.maximum(depth, _BEHIND)
        place = points.T[:2] * inverse
        missing = rays - place
        error = np.hypot(*missing)
        error[depth <= _BEHIND] = np.inf
        return cls(place, inverse, missing, error)

    def step(self, weight: Array) -> Array:
        """A turn and a shift of the points, [6], that brings them nearer to their rays."""
        (x, y), inverse = self.place, self.inverse
        along = np.zeros((6, 2, len(x)))
        along[0, 1], along[1, 0] = -1.0 - y * y, 1.0 + x * x
        along[1, 1] = x * y
        along[0, 0] = -along[1, 1]
        along[2, 0], along[2, 1] = -y, x
        along[3, 0] = along[4, 1] = inverse
        along[5] = -self.place * inverse
        weighted = (along * weight).reshape(6, -1)
        normal = weighted @ along.reshape(6, -1).T
        normal += _RIDGE * normal.trace() * _EYE
        right = weighted @ self.missing.reshape(-1, 1)
        return np.asarray(cv2.solve(normal, right)[1], np.float64).ravel()
