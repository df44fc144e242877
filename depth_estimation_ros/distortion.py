# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion as sensor_msgs/CameraInfo names it, of normalised image coordinates.

"Ideal" are X/Z and Y/Z; "distorted" are those of the pixel, (u - cx) / fx and (v - cy) / fy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

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


def distort(ideal: Array, model: str, coefficients: tuple[float, ...]) -> Array:
    """[N, 2] ideal to [N, 2] distorted.

    NaN beyond where the model turns back: there it would fold what lies far outside the field of
    view into the image.
    """
    radius = np.hypot(ideal[:, 0], ideal[:, 1])
    if model == 'equidistant':  # bends with all coefficients zero too
        beyond = np.arctan(radius) >= _equidistant_limit(coefficients)
        bent = _distort_equidistant(ideal, coefficients)
    elif any(coefficients):
        beyond = radius >= _polynomial_limit(coefficients)
        bent = _distort_polynomial(ideal, coefficients)
    else:
        return ideal
    return np.where(beyond[:, None], np.nan, bent)


def undistort(distorted: Array, model: str, coefficients: tuple[float, ...]) -> Array:
    """[N, 2] distorted to [N, 2] ideal; NaN where the model has no inverse."""
    if model == 'equidistant':
        return _undistort_equidistant(distorted, coefficients)
    return _undistort_polynomial(distorted, coefficients) if any(coefficients) else distorted


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
    limit = min(_equidistant_limit(coefficients) * (1.0 - 1e-9), math.pi)
    bent = np.hypot(distorted[:, 0], distorted[:, 1])
    angles = np.linspace(0.0, limit, 500)
    theta = np.interp(bent, radius(angles), angles)
    with np.errstate(all='ignore'):
        for _ in range(_NEWTON_STEPS):
            theta = np.clip(theta - (radius(theta) - bent) / slope(theta), 0.0, limit)
        good = (np.abs(radius(theta) - bent) < 1e-6) & (theta < math.pi / 2)
        scale = np.where(bent > 1e-12, np.tan(theta) / np.maximum(bent, 1e-12), 1.0)
    return np.where(good[:, None], distorted * scale[:, None], np.nan)


def _equidistant_limit(coefficients: tuple[float, ...]) -> float:
    """The angle at which the radius first turns back, radians."""
    return _first_root(Polynomial(_in_angle(coefficients)).deriv())


def _in_angle(coefficients: tuple[float, ...]) -> list[float]:
    """The equidistant image radius as a polynomial of the angle, lowest power first."""
    k1, k2, k3, k4 = coefficients
    return [0.0, 1.0, 0.0, k1, 0.0, k2, 0.0, k3, 0.0, k4]


def _padded(coefficients: tuple[float, ...], count: int) -> tuple[float, ...]:
    return coefficients + (0.0,) * (count - len(coefficients))
