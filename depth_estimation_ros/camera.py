# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera intrinsics, and the rays they give with lens distortion undone.

Pixel (0, 0) is the centre of the top-left pixel. Points are in the optical frame of REP 103:
x right, y down, z forward.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.distortion import COEFFICIENTS, distort, undistort

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole camera with lens distortion, at one image size.

    Args:
        width, height: Image size in pixels.
        fx, fy, cx, cy: Focal lengths and principal point in pixels.
        distortion_model: '' (none), 'plumb_bob', 'rational_polynomial' or 'equidistant', as in
            sensor_msgs/CameraInfo.
        distortion: Coefficients in OpenCV's order (k1 k2 p1 p2 k3 k4 k5 k6, or k1..k4).
        approximate: True when the intrinsics were guessed (field of view) and not calibrated.

    Raises:
        ValueError: A size, a focal length or a coefficient that no camera has.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = ''
    distortion: tuple[float, ...] = ()
    approximate: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f'image size {self.width}x{self.height} is empty')
        if not (0.0 < self.fx < math.inf and 0.0 < self.fy < math.inf):
            raise ValueError(
                f'focal lengths fx={self.fx} fy={self.fy} must be positive: calibrate the camera, '
                'or set camera.fx and camera.fy, or camera.hfov'
            )
        if not all(map(math.isfinite, (self.cx, self.cy, *self.distortion))):
            raise ValueError(
                f'cx={self.cx} cy={self.cy} distortion={self.distortion} must be finite numbers'
            )
        allowed = COEFFICIENTS.get(self.distortion_model)
        if allowed is None:
            raise ValueError(
                f'unknown distortion model {self.distortion_model!r}: known are '
                + ', '.join(filter(None, COEFFICIENTS))
            )
        if len(self.distortion) not in allowed:
            raise ValueError(
                f'{self.distortion_model or "no"} distortion takes {allowed} coefficients, '
                f'not {len(self.distortion)}'
            )

    @classmethod
    def from_hfov(cls, width: int, height: int, degrees: float) -> Camera:
        """An approximate camera with square pixels and this horizontal field of view."""
        if not 0.0 < degrees < 180.0:
            raise ValueError(f'a horizontal field of view of {degrees} degrees is not in (0, 180)')
        focal = width / (2.0 * math.tan(math.radians(degrees) / 2.0))
        centre = (width - 1) / 2.0, (height - 1) / 2.0
        return cls(width, height, focal, focal, *centre, approximate=True)

    @property
    def matrix(self) -> Array:
        """K, [3, 3]."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def scaled(self, width: int, height: int) -> Camera:
        """The camera of this image resized, pixel centres kept in place."""
        if (width, height) == (self.width, self.height):
            return self
        sx, sy = width / self.width, height / self.height
        return dataclasses.replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def cropped(self, x: int, y: int, width: int, height: int) -> Camera:
        """The camera of the rectangle whose top-left pixel is (x, y)."""
        if x < 0 or y < 0 or x + width > self.width or y + height > self.height:
            raise ValueError(
                f'region {width}x{height} at ({x}, {y}) leaves the image '
                f'{self.width}x{self.height}'
            )
        return dataclasses.replace(
            self, width=width, height=height, cx=self.cx - x, cy=self.cy - y
        )

    def binned(self, x: int, y: int) -> Camera:
        """The camera after x by y pixels were joined into one; 0 means 1, as in CameraInfo."""
        x, y = max(x, 1), max(y, 1)
        whole = self.cropped(0, 0, self.width // x * x, self.height // y * y)
        return whole.scaled(self.width // x, self.height // y)

    def rays(self) -> NDArray[np.float32]:
        """X/Z and Y/Z of every pixel, [height, width, 2], read-only and computed once.

        NaN where the distortion model has no inverse.
        """
        return _rays(self)

    def unproject(self, u: ArrayLike, v: ArrayLike) -> Array:
        """X/Z and Y/Z of pixels (u, v), [N, 2]; NaN where the distortion has no inverse."""
        x = (np.atleast_1d(np.asarray(u, np.float64)) - self.cx) / self.fx
        y = (np.atleast_1d(np.asarray(v, np.float64)) - self.cy) / self.fy
        return undistort(np.stack([x, y], axis=-1), self.distortion_model, self.distortion)

    def project(self, points: ArrayLike) -> Array:
        """Pixels (u, v) of points in the optical frame, [N, 3] m to [N, 2].

        NaN behind it, and so far outside the field of view that the distortion turns back.
        """
        xyz = np.asarray(points, np.float64).reshape(-1, 3)
        depth = np.where(xyz[:, 2] > 0.0, xyz[:, 2], np.nan)
        ideal = xyz[:, :2] / depth[:, None]
        bent = distort(ideal, self.distortion_model, self.distortion)
        return bent * (self.fx, self.fy) + (self.cx, self.cy)


@functools.lru_cache(maxsize=8)
def _rays(camera: Camera) -> NDArray[np.float32]:
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = camera.unproject(u.ravel(), v.ravel()).astype(np.float32)
    # Plane after plane in memory: whoever multiplies one with a depth map reads it in a row.
    planes = np.ascontiguousarray(rays.T).reshape(2, camera.height, camera.width)
    planes.flags.writeable = False
    return np.moveaxis(planes, 0, -1)
