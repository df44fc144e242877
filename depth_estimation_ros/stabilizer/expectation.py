# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network is expected to say of corners seen before: of a scene, or of a picture.

Both hold N corners and are asked, in this order for each picture: `expect`, `put`, `keep`, `add`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.stabilizer.pose import View, locate
from depth_estimation_ros.stabilizer.scale import Scale
from depth_estimation_ros.stabilizer.tracks import Points

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_STILL = 0.35  # pixels of the small picture within which a corner has not moved
_NOISE = 0.3  # pixels of the small picture: how well a corner is followed at least
_FITS = 1.5  # pixels of the small picture within which a corner is where it should be


class Picture:
    """Corners that do not move in the picture, where the camera's motion cannot be told."""

    def __init__(self) -> None:
        self._first = np.empty((0, 2), np.float32)
        self._values = np.empty(0)

    def expect(self, pixels: Points, found: Mask) -> Array:
        """What the network should say of corners that are now at [N, 2]; NaN: not known."""
        still = found & (np.abs(pixels - self._first).max(axis=1, initial=0.0) < _STILL)
        if still.sum() < 0.5 * found.sum():  # the camera moves
            still[:] = False
        return np.where(still, self._values, np.nan)

    def values(self) -> Array:
        """What is expected of corners where they were last, [N]."""
        return self._values

    def put(self, values: Array) -> None:
        """From now on, these [N] are expected."""
        self._values = values

    def keep(self, which: Mask) -> None:
        """Forget the other corners."""
        self._first, self._values = self._first[which], self._values[which]

    def add(self, pixels: Points, values: Array) -> None:
        """More corners, [M, 2], and what is said of them, [M]."""
        self._first = np.concatenate([self._first, pixels])
        self._values = np.concatenate([self._values, values])


class Scene:
    """Corners of a scene that stands, seen by a camera that moves, in metres.

    Args:
        camera: Intrinsics of the small picture.
        scale: What numbers of the network mean.
    """

    def __init__(self, camera: Camera, scale: Scale) -> None:
        rays = camera.rays()
        self._rays = [np.ascontiguousarray(rays[..., axis]) for axis in (0, 1)]
        self._focal, self._scale = camera.fx, scale
        self._world = np.empty((0, 3))
        self._view = View(np.eye(3), np.zeros(3))

    def expect(self, pixels: Points, found: Mask) -> Array:
        """As `Picture.expect`."""
        values = np.full(len(pixels), np.nan)
        rays = self._ray(pixels)
        found = found & np.isfinite(rays).all(axis=1)
        if found.any():
            world = self._world[found]
            self._view, error = locate(world, rays[found], self._view, _NOISE / self._focal)
            depth = self._view.points(world)[:, 2]
            fits = error * self._focal < _FITS
            values[found] = np.where(fits, self._scale.values(depth), np.nan)
        return values

    def values(self) -> Array:
        """As `Picture.values`."""
        return self._scale.values(self._view.points(self._world)[:, 2])

    def put(self, values: Array) -> None:
        """As `Picture.put`: each corner along its ray."""
        points = self._view.points(self._world)
        nearer = self._scale.depth(values) / points[:, 2]
        self._world = self._view.world(points * nearer[:, None])

    def keep(self, which: Mask) -> None:
        """As `Picture.keep`."""
        self._world = self._world[which]

    def add(self, pixels: Points, values: Array) -> None:
        """As `Picture.add`."""
        rays = np.insert(self._ray(pixels), 2, 1.0, axis=1)
        points = rays * self._scale.depth(values)[:, None]
        self._world = np.concatenate([self._world, self._view.world(points)])

    def _ray(self, pixels: Points) -> Array:
        """X/Z and Y/Z, [N, 2], between those of the pixels' centres."""
        x, y = (np.ascontiguousarray(axis) for axis in pixels.T)
        planes = [cv2.remap(plane, x, y, cv2.INTER_LINEAR) for plane in self._rays]
        return np.column_stack([plane.ravel() for plane in planes]).astype(np.float64)
