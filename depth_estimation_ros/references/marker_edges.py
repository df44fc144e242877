# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The corners of a square marker from its four edges, which are seen better than its corners.

A corner has a few pixels, an edge has them all along: lines are fitted to where the grey rises
most across the edge, as AprilTag 3 does (Krogius et al., "Flexible Layouts for Fiducial Tags",
2019), but to rays instead of pixels, since a lens bends edges, too.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.references.base import Array

_ALONG = 40  # places along an edge
_ENDS = 0.12  # of an edge, left out at both ends, where the next one begins
_ACROSS = 21  # places across it
_ROUNDS = 5  # each begins where the one before found the edge


def rays_of_corners(grey: NDArray[np.uint8], corners: Array, cell: float, camera: Camera) -> Array:
    """Rays X/Z and Y/Z of the corners of a black square on white, [4, 2]; NaN where none is.

    Args:
        grey: [H, W].
        corners: [4, 2] pixels, clockwise, a pixel or two from the truth.
        cell: Width of the black border, of the side of the square.
        camera: That of the image.
    """
    edges = []
    for index in range(4):
        start, end = corners[index], corners[(index + 1) % 4]
        edges.append(_line(_edge(grey, start, end, cell), camera))
    crossings = [np.cross(edges[index - 1], edges[index]) for index in range(4)]
    return np.array([crossing[:2] / crossing[2] for crossing in crossings])


def _edge(grey: NDArray[np.uint8], start: Array, end: Array, cell: float) -> Array:
    """Pixels along the edge from one corner to the next, where it is really seen, [N, 2]."""
    length = float(np.linalg.norm(end - start))
    x, y = (end - start) / length
    outward = np.array([y, -x])  # of corners that go clockwise in an image, whose v grows down
    along = start + np.linspace(_ENDS, 1.0 - _ENDS, _ALONG)[:, None] * (end - start)
    reach = max(0.6 * cell * length, 1.5)
    across = np.linspace(-reach, reach, _ACROSS)
    for _ in range(_ROUNDS):
        places = along[:, None] + across[:, None] * outward
        u, v = np.moveaxis(places.astype(np.float32), -1, 0)
        profile = cv2.remap(grey.astype(np.float32), u, v, cv2.INTER_LINEAR)
        rise = np.maximum(np.gradient(profile, axis=1), 0.0) ** 2
        offset = (rise * across).sum(axis=1) / np.maximum(rise.sum(axis=1), 1e-9)
        along = along + offset[:, None] * outward
    return along


def _line(pixels: Array, camera: Camera) -> Array:
    """The line a·x + b·y + c = 0 through the rays of pixels, a few of which may lie beside it."""
    rays = camera.unproject(*pixels.T)
    if np.isnan(rays).any():
        return np.full(3, np.nan)
    far = camera.fx * rays.astype(np.float32)  # in pixels, as the robust distance wants them
    dx, dy, x, y = cv2.fitLine(far, cv2.DIST_HUBER, 0, 0.01, 0.0001).ravel().astype(np.float64)
    return np.array([dy, -dx, (dx * y - dy * x) / camera.fx])
