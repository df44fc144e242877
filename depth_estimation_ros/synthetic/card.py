# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A flat printed card before a camera: its picture, and its exact depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from depth_estimation_ros.camera import Camera

_SAMPLES = 5  # along each side of a pixel
_GROWN = 2  # pixels around the corners, since lenses bend the edges between them

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Card:
    """A print and where it is held.

    Attributes:
        picture: [h, w] uint8, grey.
        width: Of the print, metres.
        rotation: [3, 3], takes the card's axes (x right, y down, z away) to the optical frame.
        centre: [3] of the print in the optical frame, metres.
    """

    picture: npt.NDArray[np.uint8]
    width: float
    rotation: Array
    centre: Array

    @property
    def corners(self) -> Array:
        """In the optical frame, clockwise from the top left, [4, 3] m."""
        x, y = self.width / 2, self.width / 2 * self.picture.shape[0] / self.picture.shape[1]
        flat = np.array([[-x, -y, 0.0], [x, -y, 0.0], [x, y, 0.0], [-x, y, 0.0]])
        return np.asarray(flat @ self.rotation.T + self.centre, np.float64)


def hold_up(
    card: Card, camera: Camera, image: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The view with the card before it, each pixel the mean of its rays, lens distortion in them.

    Args:
        card: Nearer than all that it covers.
        camera: That of the view.
        image: [H, W, 3] uint8.
        depth: [H, W] Z in metres.

    Returns:
        New arrays of both.
    """
    ends = np.nan_to_num(camera.project(card.corners))
    size = (camera.width, camera.height)
    left, top = np.clip(np.floor(ends.min(axis=0)).astype(int) - _GROWN, 0, size)
    right, foot = np.clip(np.ceil(ends.max(axis=0)).astype(int) + _GROWN, 0, size)
    rays = camera.rays()[top:foot, left:right].astype(np.float64)
    between = cv2.resize(rays, None, fx=_SAMPLES, fy=_SAMPLES, interpolation=cv2.INTER_LINEAR)
    grey, on, _ = _sampled(card, np.asarray(between, np.float64))
    blocks = (foot - top, _SAMPLES, right - left, _SAMPLES)
    share = on.reshape(blocks).mean(axis=(1, 3))[..., None]
    paper = (grey * on).reshape(blocks).mean(axis=(1, 3))[..., None]
    image, depth = image.copy(), depth.copy()
    part = image[top:foot, left:right]
    part[:] = np.round(part * (1.0 - share) + paper)
    _, on, metres = _sampled(card, rays)
    depth[top:foot, left:right][on] = metres[on]
    return image, depth


def _sampled(card: Card, rays: Array) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """Grey value, whether the card is there, and its Z, [V, U] each, on rays [V, U, 2]."""
    shape = rays.shape[:2]
    rays = np.insert(rays.reshape(-1, 2), 2, 1.0, axis=1)
    normal = card.rotation[:, 2]
    depth = normal @ card.centre / (rays @ normal)
    x, y = ((rays * depth[:, None] - card.centre) @ card.rotation[:, :2]).T
    height, width = card.picture.shape
    x = (x / card.width + 0.5) * width - 0.5
    y = y / card.width * width + (height - 1) / 2
    on = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5) & (depth > 0.0)
    x, y = (a.reshape(shape).astype(np.float32) for a in (x, y))
    grey = cv2.remap(card.picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return grey.astype(np.float64), on.reshape(shape), depth.reshape(shape)


def tag(dictionary: str, number: int, cell: int = 20) -> tuple[npt.NDArray[np.uint8], float]:
    """The picture of a marker with a white border, and its width in sides of the black square.

    Args:
        dictionary: Its family, as OpenCV calls it, DICT_APRILTAG_36H11.
        number: Its id.
        cell: Pixels of one of its cells.
    """
    family = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    cells = family.markerSize + 2
    black = cv2.aruco.generateImageMarker(family, number, cells * cell)
    picture = np.pad(black, cell, constant_values=255).astype(np.uint8, copy=False)
    return picture, (cells + 2) / cells


def turned(yaw: float, pitch: float, roll: float) -> Array:
    """The rotation of a card that faces the camera, turned by degrees about y, then x, then z."""
    about = ((0.0, yaw, 0.0), (pitch, 0.0, 0.0), (0.0, 0.0, roll))
    y, x, z = (cv2.Rodrigues(np.radians(axis))[0] for axis in about)
    return np.asarray(y @ x @ z, np.float64)
