# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From what the network says to metres: the fit, in the space of the model's kind.

A relative model answers d with 1/Z = scale·d + shift (Ranftl et al., "Towards Robust Monocular
Depth Estimation", 2020, align in inverse depth); a metric model answers Ẑ with
Z = scale·Ẑ + shift. Both fits minimise the relative error of Z: each equation is divided by its
right-hand side, so that a target of 1 is left and the residual is the relative error.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind

Array = NDArray[np.float64]

_CONSENSUS = 0.15  # relative error within which references agree: what good networks reach
_PAIRS = 500  # exhaustive up to 32 references
_HUBER = 1.345  # 95 % efficient under Gaussian noise (Huber, 1981)
_MIN_SPREAD = 0.02  # of the prediction's spread: closer references leave the shift undetermined
# What is assumed of one reference when there are no more references than unknowns, so that the
# residuals say nothing.
ASSUMED_RELATIVE_ERROR = 0.05


@dataclasses.dataclass(frozen=True)
class Fit:
    """1/Z = scale·d + shift (RELATIVE), or Z = scale·Ẑ + shift in metres (METRIC).

    Attributes:
        kind: RELATIVE or METRIC, the space of the fit.
        scale, shift: The parameters.
        covariance: Their covariance: var(scale), cov(scale, shift), var(shift).
        rms_relative_error: Of the inliers, in Z.
        leave_one_out: RMS relative error of each inlier under the fit to the others; NaN when
            there are too few.
        inliers, references: How many references agree, of how many.

    Raises:
        ValueError: The scale is not positive, a number is not finite, or there are too few
            inliers for the parameters.
    """

    kind: DepthKind
    scale: float
    shift: float
    covariance: tuple[float, float, float]
    rms_relative_error: float
    leave_one_out: float
    inliers: int
    references: int

    def __post_init__(self) -> None:
        numbers = (self.scale, self.shift, *self.covariance, self.rms_relative_error)
        if not (self.scale > 0.0 and all(map(math.isfinite, numbers)) and len(numbers) == 6):
            raise ValueError(
                f'scale={self.scale} shift={self.shift} covariance={self.covariance} '
                f'rms_relative_error={self.rms_relative_error} are those of no fit'
            )
        unknowns = 1 + (self.covariance[2] > 0.0)
        if self.kind is DepthKind.CALIBRATED or not unknowns <= self.inliers <= self.references:
            raise ValueError(
                f'kind={self.kind.value} inliers={self.inliers} references={self.references} are '
                'those of no fit'
            )

    def depth(self, values: ArrayLike) -> NDArray[np.float32]:
        """Metres for predictions of any shape; +Inf where 1/Z is not positive."""
        metres = np.multiply(values, np.float32(self.scale), dtype=np.float32)
        metres += np.float32(self.shift)
        if self.kind is DepthKind.RELATIVE:
            np.clip(metres, 0.0, np.inf, out=metres)  # in half the time of np.maximum
            with np.errstate(divide='ignore'):
                np.divide(np.float32(1.0), metres, out=metres)
        return metres

    def std_dev(self, values: ArrayLike) -> Array:
        """One sigma in metres for predictions: of the fit, and of what it leaves over."""
        p = np.asarray(values, np.float64)
        var_scale, cov, var_shift = self.covariance
        variance = var_scale * p * p + 2.0 * cov * p + var_shift
        metres = self.depth(p).astype(np.float64)
        if self.kind is DepthKind.RELATIVE:
            variance = variance * metres**4  # d(1/x) = -dx/x², x = 1/Z
        sigma = _sigma(self.rms_relative_error, self.inliers, 1 + (var_shift > 0.0))
        return np.sqrt(np.maximum(variance, 0.0) + (sigma * metres) ** 2)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A fit and what it belongs to.

    Attributes:
        fit: The parameters.
        model: Name of the network.
        camera: Intrinsics it was made with, or None when there were none.
        created: Nanoseconds since the epoch.
        preset: Size of the network's input, which its scale depends on.
        weights: SHA-256 of weights that the user's own path names; empty for the model's own.
    """

    fit: Fit
    model: str
    camera: Camera | None
    created: int
    preset: str = 'full'
    weights: str = ''

    def check(
        self, model: str, camera: Camera | None, preset: str = 'full', weights: str = ''
    ) -> None:
        """Raise ValueError unless it belongs to this model, at this preset, and this camera."""
        if model != self.model:
            raise ValueError(f'the calibration is for model {self.model}, not {model}')
        if preset != self.preset:
            raise ValueError(f'the calibration is for preset {self.preset}, not {preset}')
        if weights != self.weights:
            raise ValueError(f'the calibration is for other weights of {model}: calibrate again')
        if self.camera is None or camera is None:
            return
        if not _same_lens(self.camera, camera):
            raise ValueError(f'the calibration is for another camera: {self.camera}, not {camera}')


def _same_lens(one: Camera, other: Camera) -> bool:
    other = other.scaled(one.width, one.height)
    if (one.distortion_model, len(one.distortion)) != (
        other.distortion_model,
        len(other.distortion),
    ):
        return False
    return np.allclose(
        [one.fx, one.fy, one.cx, one.cy, *one.distortion],
        [other.fx, other.fy, other.cx, other.cy, *other.distortion],
        rtol=1e-3,
        atol=1e-4,
    )


def fit(
    predictions: ArrayLike,
    depths: ArrayLike,
    kind: DepthKind,
    shift: bool = False,
    spread: float | None = None,
) -> Fit:
    """Fit scale (and shift) to references, robustly.

    Args:
        predictions: [N] what the network says at the references.
        depths: [N] their true Z, metres.
        kind: RELATIVE or METRIC.
        shift: Fit a shift too. A relative model with two or more references always does.
        spread: max - min of the prediction over the image, to tell references that are too alike;
            without it, the largest prediction is the yardstick.

    Raises:
        ValueError: The references do not determine the fit; the text says what would.
    """
    references = np.size(depths)
    p, z = _usable(predictions, depths)
    # By those given, not by those seen: one that is not seen must not turn a shift into zero.
    shift = shift or (kind is DepthKind.RELATIVE and references > 1)
    yardstick = spread if spread is not None else float(np.abs(p).max())
    if shift:
        _check_spread(p, yardstick)
    weight = z if kind is DepthKind.RELATIVE else 1.0 / z
    rows = np.column_stack([p, np.ones_like(p)])[:, : 1 + shift] * weight[:, None]
    agree = _consensus(rows)
    inliers = rows[agree]
    if shift:
        _check_spread(p[agree], yardstick)
    solution = _huber(inliers)
    if not solution[0] > 0.0:
        raise ValueError(
            f'the fit has scale {solution[0]:.4g}, which is not positive: nearer references must '
            'have larger inverse depth; check that pixels and distances belong together'
        )
    residuals = inliers @ solution - 1.0
    rms = float(np.sqrt(np.mean(residuals**2)))
    return Fit(
        kind=kind,
        scale=float(solution[0]),
        shift=float(solution[1]) if shift else 0.0,
        covariance=_covariance(inliers, rms),
        rms_relative_error=rms,
        leave_one_out=_leave_one_out(inliers, residuals),
        inliers=int(agree.sum()),
        references=references,
    )


def _usable(predictions: ArrayLike, depths: ArrayLike) -> tuple[Array, Array]:
    p = np.atleast_1d(np.asarray(predictions, np.float64))
    z = np.atleast_1d(np.asarray(depths, np.float64))
    if p.shape != z.shape or p.ndim != 1:
        raise ValueError(f'{p.shape} predictions for {z.shape} distances: give one for each pixel')
    if len(z) == 0:
        raise ValueError('no reference: give at least one pixel of known distance')
    if not (np.isfinite(z) & (z > 0.0)).all():
        raise ValueError(f'distances {z.tolist()} must be positive and finite metres')
    seen = np.isfinite(p)
    if not seen.any():
        raise ValueError('the network knows nothing at the references: choose other pixels')
    return p[seen], z[seen]


def _check_spread(p: Array, spread: float) -> None:
    if len(p) < 2:
        raise ValueError('one reference cannot fix scale and shift: give two at distinct depths')
    if not np.ptp(p) > _MIN_SPREAD * spread:
        raise ValueError(
            f'predictions at the references are nearly equal ({p.min():.4g} to {p.max():.4g}): '
            'give references at clearly different depths'
        )


def _consensus(rows: Array) -> NDArray[np.bool_]:
    """RANSAC (Fischler and Bolles, 1981) over all minimal sets, or a seeded draw of them.

    So few references that any minimal set is a majority must agree all of them.

    [N, P] rows whose product with the parameters should be 1, to [N] the largest set that agrees.
    """
    count, unknowns = rows.shape
    few = count < unknowns + 2
    best = np.zeros(count, np.bool_)
    for chosen in [list(range(count))] if few else _minimal_sets(count, unknowns):
        candidate = _solve(rows[chosen], np.ones(len(chosen)))
        agree = np.abs(rows @ candidate - 1.0) < _CONSENSUS
        if not few and candidate[0] <= 0.0:
            continue  # farther would look nearer: no answer, however many agree
        if agree.sum() > best.sum():
            best = agree
    if best.sum() < (count if few else count // 2 + 1):
        raise ValueError(
            f'only {int(best.sum())} of {count} references agree within {_CONSENSUS:.0%}: '
            'check the distances, and that pixel (0, 0) is the top left of the input image'
        )
    return best


def _minimal_sets(count: int, unknowns: int) -> list[list[int]]:
    if math.comb(count, unknowns) <= _PAIRS:
        return [list(chosen) for chosen in itertools.combinations(range(count), unknowns)]
    random = np.random.default_rng(0)
    return [random.choice(count, unknowns, replace=False).tolist() for _ in range(_PAIRS)]


def _solve(rows: Array, weights: Array) -> Array:
    root = np.sqrt(weights)
    solution = np.linalg.lstsq(rows * root[:, None], root, rcond=None)[0]
    return np.asarray(solution, np.float64)


def _huber(rows: Array) -> Array:
    """Iteratively reweighted least squares of rows @ x = 1 with Huber's weights."""
    solution = _solve(rows, np.ones(len(rows)))
    for _ in range(10):
        error = np.abs(rows @ solution - 1.0)
        sigma = 1.4826 * float(np.median(error))
        if sigma < 1e-12:
            break
        weights = np.minimum(1.0, _HUBER * sigma / np.maximum(error, 1e-12))
        solution = _solve(rows, weights)
    return solution


def _sigma(rms: float, count: int, unknowns: int) -> float:
    """The relative error of one reference: the residuals' for each degree of freedom."""
    free = count - unknowns
    return rms * math.sqrt(count / free) if free else ASSUMED_RELATIVE_ERROR


def _covariance(rows: Array, rms: float) -> tuple[float, float, float]:
    """sigma²·(XᵀX)⁻¹ as var(scale), cov, var(shift)."""
    count, unknowns = rows.shape
    covariance = np.zeros((2, 2))
    covariance[:unknowns, :unknowns] = np.linalg.inv(rows.T @ rows)
    covariance *= _sigma(rms, count, unknowns) ** 2
    return float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])


def _leave_one_out(rows: Array, residuals: Array) -> float:
    """From the leverages h: the residual without a row is r/(1 - h) (Allen's PRESS, 1974)."""
    if len(rows) <= rows.shape[1]:
        return math.nan
    leverage = np.einsum('ij,ji->i', rows, np.linalg.pinv(rows))
    return float(np.sqrt(np.mean((residuals / np.maximum(1.0 - leverage, 1e-9)) ** 2)))
