# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera is, from points of known place and the rays under which it sees them."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEPS = 8
_SETTLED = 3e-4  # of a normalised coordinate: the next step would be a third of it at most
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
    view = start
    error, points = _errors(view.points(world), rays)
    half = len(error) // 2
    for _ in range(_STEPS):
        sigma = max(1.4826 * float(np.partition(error, half)[half]), noise)
        if not sigma < _LOST:
            break
        weight = 1.0 / (1.0 + (error / (2.0 * sigma)) ** 2) ** 2  # 0 behind the camera
        step = _step(points, rays, weight)
        turn = np.asarray(cv2.Rodrigues(step[:3])[0], np.float64)
        view = View(turn @ view.rotation, turn @ view.translation + step[3:])
        error, points = _errors(view.points(world), rays)
        if np.abs(step).max() < _SETTLED:
            break
    return view, error


def _errors(points: Array, rays: Array) -> tuple[Array, Array]:
    depth = np.maximum(points[:, 2], _BEHIND)
    x, y = points[:, 0] / depth - rays[:, 0], points[:, 1] / depth - rays[:, 1]
    return np.where(points[:, 2] > _BEHIND, np.hypot(x, y), np.inf), points


def _step(points: Array, rays: Array, weight: Array) -> Array:
    """A turn and a shift of the points, [6], that brings them nearer to their rays."""
    inverse = 1.0 / np.maximum(points[:, 2], _BEHIND)
    x, y = points[:, 0] * inverse, points[:, 1] * inverse
    none = np.zeros_like(x)
    along_x = np.array([-x * y, 1.0 + x * x, -y, inverse, none, -x * inverse])
    along_y = np.array([-1.0 - y * y, x * y, x, none, inverse, -y * inverse])
    weighted_x, weighted_y = along_x * weight, along_y * weight
    normal = weighted_x @ along_x.T + weighted_y @ along_y.T
    right = weighted_x @ (rays[:, 0] - x) + weighted_y @ (rays[:, 1] - y)
    return np.asarray(
        np.linalg.solve(normal + _RIDGE * np.trace(normal) * _EYE, right), np.float64
    )
