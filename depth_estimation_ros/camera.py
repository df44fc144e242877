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
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# How many coefficients each distortion model of sensor_msgs/CameraInfo may carry.
COEFFICIENTS = {
    '': (0,),
    'plumb_bob': (0, 4, 5),
    'rational_polynomial': (0, 8, 12, 14),
    'equidistant': (4,),
}
_NEWTON_STEPS = 20
_CONVERGED = 1e-9  # of a normalised coordinate: below a millionth of a pixel for any real lens


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
        distorted = np.stack([x, y], axis=-1)
        if self.distortion_model == 'equidistant':  # bends with all coefficients zero too
            return _undistort_equidistant(distorted, self.distortion)
        if not any(self.distortion):
            return distorted
        return _undistort_polynomial(distorted, self.distortion)

    def project(self, points: ArrayLike) -> Array:
        """Pixels (u, v) of points in the optical frame, [N, 3] m to [N, 2]; NaN behind it."""
        xyz = np.asarray(points, np.float64).reshape(-1, 3)
        depth = np.where(xyz[:, 2] > 0.0, xyz[:, 2], np.nan)
        ideal = xyz[:, :2] / depth[:, None]
        if self.distortion_model == 'equidistant':
            ideal = _distort_equidistant(ideal, self.distortion)
        elif any(self.distortion):
            ideal = _distort_polynomial(ideal, self.distortion)
        return ideal * (self.fx, self.fy) + (self.cx, self.cy)


@functools.lru_cache(maxsize=8)
def _rays(camera: Camera) -> NDArray[np.float32]:
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = camera.unproject(u.ravel(), v.ravel()).astype(np.float32)
    # Plane after plane in memory: whoever multiplies one with a depth map reads it in a row.
    planes = np.ascontiguousarray(rays.T).reshape(2, camera.height, camera.width)
    planes.flags.writeable = False
    return np.moveaxis(planes, 0, -1)


def _distort_polynomial(xy: Array, coefficients: tuple[float, ...]) -> Array:
    """Brown–Conrady with rational, tangential, thin-prism and tilt terms, as in OpenCV's calib3d.

    [N, 2] ideal to [N, 2] distorted normalised coordinates.
    """
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty = _padded(coefficients, 14)
    x, y = xy[:, 0], xy[:, 1]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    bent = np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4),
        ],
        axis=-1,
    )
    if tx == 0.0 and ty == 0.0:
        return bent
    homogeneous = np.column_stack([bent, np.ones(len(bent))]) @ _tilt(tx, ty).T
    tilted: Array = homogeneous[:, :2] / homogeneous[:, 2:]
    return tilted


def _tilt(tx: float, ty: float) -> Array:
    """The sensor-tilt homography of OpenCV's 14-coefficient model, [3, 3]."""
    cx, sx, cy, sy = math.cos(tx), math.sin(tx), math.cos(ty), math.sin(ty)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    r = about_y @ about_x
    flatten = np.array([[r[2, 2], 0, -r[0, 2]], [0, r[2, 2], -r[1, 2]], [0, 0, 1]])
    return np.asarray(flatten @ r, np.float64)


def _undistort_polynomial(distorted: Array, coefficients: tuple[float, ...]) -> Array:
    """Newton's method with a numeric Jacobian; NaN where it does not converge."""
    limit = _polynomial_limit(coefficients)
    xy = _first_guess(distorted, limit, coefficients)
    h = 1e-6
    with np.errstate(all='ignore'):
        for _ in range(_NEWTON_STEPS):
            error = _distort_polynomial(xy, coefficients) - distorted
            if np.nanmax(np.abs(error), initial=0.0) < _CONVERGED:
                break
            a, b = (
                (
                    _distort_polynomial(xy + step, coefficients)
                    - _distort_polynomial(xy - step, coefficients)
                )
                / (2 * h)
                for step in (np.array([h, 0.0]), np.array([0.0, h]))
            )
            determinant = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
            xy[:, 0] -= (b[:, 1] * error[:, 0] - b[:, 0] * error[:, 1]) / determinant
            xy[:, 1] -= (a[:, 0] * error[:, 1] - a[:, 1] * error[:, 0]) / determinant
            xy = _within(xy, limit)
        missed = np.abs(_distort_polynomial(xy, coefficients) - distorted).max(axis=1)
    xy[~(missed < 1e-6)] = np.nan
    return xy


def _first_guess(distorted: Array, limit: float, coefficients: tuple[float, ...]) -> Array:
    """From a table of the radial term, where it has an end; elsewhere Newton needs no help."""
    if math.isinf(limit):
        return distorted.copy()
    ideal = np.linspace(0.0, limit * (1.0 - 1e-9), 500)
    across = np.column_stack([ideal, np.zeros_like(ideal)])
    radial = (*coefficients[:2], 0.0, 0.0, *coefficients[4:8])
    radius = np.hypot(distorted[:, 0], distorted[:, 1])
    guess = np.interp(radius, _distort_polynomial(across, radial)[:, 0], ideal)
    return distorted * (guess / np.maximum(radius, 1e-12))[:, None]


def _within(xy: Array, limit: float) -> Array:
    """Points pulled back to just inside a radius, so that Newton's method stays in the branch."""
    radius = np.maximum(np.hypot(xy[:, 0], xy[:, 1]), 1e-12)
    return xy * np.minimum(1.0, limit * (1.0 - 1e-9) / radius)[:, None]


def _polynomial_limit(coefficients: tuple[float, ...]) -> float:
    """The ideal radius at which the radial term first turns back or has a pole.

    What lies beyond has a second pixel nearer the axis, where the lens shows something else.
    """
    k1, k2, _, _, k3, k4, k5, k6 = _padded(coefficients, 8)[:8]
    top, bottom = Polynomial([1, k1, k2, k3]), Polynomial([1, k4, k5, k6])  # in r²
    twice = Polynomial([0, 2])
    slope = (top + twice * top.deriv()) * bottom - twice * top * bottom.deriv()
    return math.sqrt(min(_first_root(slope), _first_root(bottom)))


def _first_root(polynomial: Polynomial) -> float:
    """The smallest positive real root; infinite where there is none."""
    roots = polynomial.trim(1e-12).roots()  # smaller ones turn nothing back, and overflow
    real = roots.real[np.abs(roots.imag) < 1e-9 * np.abs(roots)]
    return float(real[real > 0.0].min(initial=math.inf))


def _distort_equidistant(xy: Array, coefficients: tuple[float, ...]) -> Array:
    """The fisheye model of Kannala and Brandt (2006), as in cv2.fisheye. [N, 2] to [N, 2]."""
    r = np.hypot(xy[:, 0], xy[:, 1])
    bent = np.polynomial.polynomial.polyval(np.arctan(r), _in_angle(coefficients))
    return xy * np.where(r > 1e-12, bent / np.maximum(r, 1e-12), 1.0)[:, None]


def _undistort_equidistant(distorted: Array, coefficients: tuple[float, ...]) -> Array:
    """Newton's method on the angle; NaN from 90 degrees on, where Z cannot tell a depth."""
    radius = Polynomial(_in_angle(coefficients))
    slope = radius.deriv()
    limit = min(_first_root(slope) * (1.0 - 1e-9), math.pi)  # where the radius turns back
    bent = np.hypot(distorted[:, 0], distorted[:, 1])
    angles = np.linspace(0.0, limit, 500)
    theta = np.interp(bent, radius(angles), angles)
    with np.errstate(all='ignore'):
        for _ in range(_NEWTON_STEPS):
            theta = np.clip(theta - (radius(theta) - bent) / slope(theta), 0.0, limit)
        good = (np.abs(radius(theta) - bent) < 1e-6) & (theta < math.pi / 2)
        scale = np.where(bent > 1e-12, np.tan(theta) / np.maximum(bent, 1e-12), 1.0)
    return np.where(good[:, None], distorted * scale[:, None], np.nan)


def _in_angle(coefficients: tuple[float, ...]) -> list[float]:
    """The equidistant image radius as a polynomial of the angle, lowest power first."""
    k1, k2, k3, k4 = coefficients
    return [0.0, 1.0, 0.0, k1, 0.0, k2, 0.0, k3, 0.0, k4]


def _padded(coefficients: tuple[float, ...], count: int) -> tuple[float, ...]:
    return coefficients + (0.0,) * (count - len(coefficients))
