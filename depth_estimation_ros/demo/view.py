# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A point cloud seen from beside the camera, with metres and the camera drawn in."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BACKGROUND, _GRID = (29, 32, 39), (88, 96, 110)
_CAMERA, _RULER = (92, 207, 230), (255, 180, 84)
_PLACE = (-0.9, -0.45, -0.3)  # of the eye, in reaches of the cloud
_FRAMED = (0.5, 99.5)  # percentiles of the cloud that must be in the picture
_FILLED = 0.86  # of the picture
_NEAR = 0.1  # metres before the eye
_LOW = 98.5  # percentile of y at which the floor is drawn: some points lie below it by error


def side_view(points: NDArray[np.float32], far: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of a cloud.

    Args:
        points: [H, W, 4] float32 in the optical frame: x, y, z, packed colour; NaN is left out.
        far: Depth in metres up to which points are drawn.
        size: Width and height of the picture, pixels.

    Returns:
        [height, width, 3] uint8 RGB.
    """
    flat = points.reshape(-1, 4)
    flat = flat[np.isfinite(flat[:, 2]) & (flat[:, 2] < 1.3 * far)]
    xyz = flat[:, :3].astype(np.float64)
    packed = np.ascontiguousarray(flat[:, 3]).view(np.uint32)
    colours = np.stack([packed >> shift & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)
    eye = _Eye(xyz, size)
    picture = np.full((size[1], size[0], 3), _BACKGROUND, np.uint8)
    floor = float(np.percentile(xyz[:, 1], _LOW)) if len(xyz) else 1.0
    _draw_grid(picture, eye, floor, far)
    _splat(picture, eye, xyz, colours)
    _draw_ruler(picture, eye, floor, far)
    _draw_camera(picture, eye, 0.08 * min(far, 4.0))
    return picture


class _Eye:
    """A pinhole to the left of the camera, above and behind it, that sees it and the cloud whole.

    Args:
        xyz: [N, 3] the cloud.
        size: Width and height of the picture.
    """

    def __init__(self, xyz: Array, size: tuple[int, int]) -> None:
        reach = float(np.percentile(xyz[:, 2], 90)) if len(xyz) else 4.0
        self._place = np.array(_PLACE) * reach
        forward = np.array([0.0, 0.0, 0.5]) * reach - self._place
        forward /= np.linalg.norm(forward)
        right = np.cross([0.0, 1.0, 0.0], forward)
        right /= np.linalg.norm(right)
        self._rows = np.stack([right, np.cross(forward, right), forward])
        self.focal, self._centre = 1.0, np.zeros(2)
        seen, _ = self.project(np.concatenate([xyz, np.zeros((1, 3))]))
        low, high = np.nanpercentile(seen, _FRAMED, axis=0)
        low, high = np.minimum(low, seen[-1]), np.maximum(high, seen[-1])
        self.focal = _FILLED * float((np.array(size) / np.maximum(high - low, 1e-6)).min())
        self._centre = np.array(size) / 2.0 - self.focal * (low + high) / 2.0

    def project(self, xyz: Array) -> tuple[Array, Array]:
        """Pixels [N, 2] and depth [N] of points [N, 3]; NaN pixels behind the eye."""
        local = (xyz - self._place) @ self._rows.T
        depth = local[:, 2]
        with np.errstate(divide='ignore', invalid='ignore'):
            pixels = self.focal * local[:, :2] / depth[:, None] + self._centre
        pixels[depth < _NEAR] = np.nan
        return pixels, depth


def _splat(picture: NDArray[np.uint8], eye: _Eye, xyz: Array, colours: NDArray[np.uint8]) -> None:
    """Draw points as squares of two pixels, the farthest first so that the nearest stay."""
    pixels, depth = eye.project(xyz)
    order = np.argsort(-depth)
    pixels, colours = pixels[order], colours[order]
    height, width, _ = picture.shape
    inside = (pixels >= 0).all(axis=1) & (pixels < [width - 2, height - 2]).all(axis=1)
    column, row = pixels[inside].astype(np.intp).T
    for x in (0, 1):
        for y in (0, 1):
            picture[row + y, column + x] = colours[inside]


def _draw_grid(picture: NDArray[np.uint8], eye: _Eye, floor: float, far: float) -> None:
    """Lines every metre on the floor."""
    half, end = int(np.ceil(far / 2)), int(np.ceil(far))
    for z in range(end + 1):
        _line(picture, eye, (-half, floor, z), (half, floor, z), _GRID)
    for x in range(-half, half + 1):
        _line(picture, eye, (x, floor, 0), (x, floor, end), _GRID)


def _draw_ruler(picture: NDArray[np.uint8], eye: _Eye, floor: float, far: float) -> None:
    """Metres below the optical axis, over whatever stands there."""
    end = int(np.ceil(far))
    _line(picture, eye, (0, 0, 0), (0, floor, 0), _RULER)
    _line(picture, eye, (0, floor, 0), (0, floor, end), _RULER, 2)
    pixels, _ = eye.project(np.array([[0, floor, z] for z in range(1, end + 1)], float))
    for z, pixel in enumerate(pixels, 1):
        x, y = map(int, pixel)
        cv2.circle(picture, (x, y), 5, _RULER, -1, cv2.LINE_AA)
        for colour, thickness in (((0, 0, 0), 6), (_RULER, 2)):
            text = (f'{z} m', (x - 24, y + 34), cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour)
            cv2.putText(picture, *text, thickness, cv2.LINE_AA)


def _draw_camera(picture: NDArray[np.uint8], eye: _Eye, length: float) -> None:
    """The pyramid of a camera of some 60 degrees across."""
    corners = [
        (0.58 * length * x, 0.43 * length * y, length)
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    for corner, following in zip(corners, corners[1:] + corners[:1], strict=True):
        _line(picture, eye, (0.0, 0.0, 0.0), corner, _CAMERA, 2)
        _line(picture, eye, corner, following, _CAMERA, 2)


def _line(
    picture: NDArray[np.uint8],
    eye: _Eye,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    colour: tuple[int, int, int],
    thickness: int = 1,
) -> None:
    pixels, _ = eye.project(np.array([start, end], float))
    if np.isfinite(pixels).all():
        one, other = (tuple(map(int, pixel)) for pixel in pixels)
        cv2.line(picture, one, other, colour, thickness, cv2.LINE_AA)
