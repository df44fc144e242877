# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fit of scale and shift to references, robustly, in the space of the network's kind.

Both kinds minimise the relative error of Z: each equation is divided by its right-hand side, so
that a target of 1 is left and the residual is the relative error.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.calibration import (
    ASSUMED_RELATIVE_ERROR,
    Array,
    Fit,
    relative_sigma,
)
from depth_estimation_ros.frames import DepthKind

_CONSENSUS = 0.15  # relative error within which references agree: what good networks reach
_PAIRS = 500  # exhaustive up to 32 references
_HUBER = 1.345  # 95 % efficient under Gaussian noise (Huber, 1981)
_MIN_SPREAD = 0.02  # of the prediction's spread: closer references leave the shift undetermined


def fit(
    predictions: ArrayLike,
    depths: ArrayLike,
    kind: DepthKind,
    shift: bool = False,
    spread: float | None = None,
    sigma: ArrayLike | None = None,
    independent: int | None = None,
) -> Fit:
    """Fit scale (and shift) to references, robustly.

    Args:
        predictions: [N] what the network says at the references.
        depths: [N] their true Z, metres.
        kind: RELATIVE or METRIC.
        shift: Fit a shift too. A relative model with two or more references always does.
        spread: max - min of the prediction over the image, to tell references that are too alike;
            without it, the largest prediction is the yardstick.
        sigma: [N] one sigma of the depths, metres; None: exact. What is far less exact than
            networks are counts less; what is more exact counts no more.
        independent: How many of the references err independently, as a dense sensor's do not;
            None: all. Of one thing alone, a marker or an object, a relative model gets a scale
            alone, as it does from one reference.

    Raises:
        ValueError: The references do not determine the fit; the text says what would.
    """
    references = np.size(depths)
    p, z, trust = _usable(predictions, depths, sigma)
    # By those given, not by those seen: one that is not seen must not turn a shift into zero.
    shift = shift or (
        kind is DepthKind.RELATIVE and (references if independent is None else independent) > 1
    )
    yardstick = spread if spread is not None else float(np.abs(p).max())
    if shift:
        _check_spread(p, yardstick)
    weight = z if kind is DepthKind.RELATIVE else 1.0 / z
    rows = np.column_stack([p, np.ones_like(p)])[:, : 1 + shift] * weight[:, None]
    agree = _consensus(rows)
    inliers, trust = rows[agree], trust[agree]
    if shift:
        _check_spread(p[agree], yardstick)
    solution = _huber(inliers, trust)
    _check_scale(float(solution[0]))
    residuals = inliers @ solution - 1.0
    rms = float(np.sqrt(np.mean(residuals**2)))
    noise = relative_sigma(float(np.sqrt(np.mean(trust * residuals**2))), *inliers.shape)
    share = 1.0 if independent is None else independent / references
    return Fit(
        kind=kind,
        scale=float(solution[0]),
        shift=float(solution[1]) if shift else 0.0,
        covariance=_covariance(inliers, trust, noise / math.sqrt(share)),
        rms_relative_error=rms,
        leave_one_out=_leave_one_out(inliers, residuals),
        inliers=int(agree.sum()),
        references=references,
        noise=noise,
    )


def factor(kind: DepthKind, value: float) -> Fit:
    """A plain factor that somebody knows: Z = value·Ẑ, or value/d of a relative model.

    Nothing tells how right it is, so its standard deviation is NaN.

    Raises:
        ValueError: It is not positive and finite.
    """
    if not (value > 0.0 and math.isfinite(value)):
        raise ValueError(f'the factor is positive and finite, not {value}')
    scale = 1.0 / value if kind is DepthKind.RELATIVE else value
    unknown = math.nan
    return Fit(kind, scale, 0.0, (unknown, unknown, unknown), unknown, unknown, 0, 0)


def _usable(
    predictions: ArrayLike, depths: ArrayLike, sigma: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """Predictions, depths and weights (at most 1) of the references that the network sees."""
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
    error = np.zeros_like(z) if sigma is None else np.asarray(sigma, np.float64)
    if error.shape != z.shape or not (np.isfinite(error) & (error >= 0.0)).all():
        raise ValueError(f'sigma {error.tolist()} must be metres, not negative, one a distance')
    trust = ASSUMED_RELATIVE_ERROR**2 / (ASSUMED_RELATIVE_ERROR**2 + (error / z) ** 2)
    return p[seen], z[seen], trust[seen]


def _nearly_equal(p: Array, spread: float) -> bool:
    return not np.ptp(p) > _MIN_SPREAD * spread


def _check_spread(p: Array, spread: float) -> None:
    if len(p) < 2:
        raise ValueError('one reference cannot fix scale and shift: give two at distinct depths')
    if _nearly_equal(p, spread):
        raise ValueError(
            f'predictions at the references are nearly equal ({p.min():.4g} to {p.max():.4g}): '
            'give references at clearly different depths'
        )


def _check_scale(scale: float) -> None:
    if not scale > 0.0:
        raise ValueError(
            f'the fit has scale {scale:.4g}, which is not positive: nearer references must '
            'have larger inverse depth; check that pixels and distances belong together'
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


def _huber(rows: Array, trust: Array) -> Array:
    """Iteratively reweighted least squares of rows @ x = 1 with Huber's weights."""
    solution = _solve(rows, trust)
    for _ in range(10):
        error = np.abs(rows @ solution - 1.0)
        sigma = 1.4826 * float(np.median(error))
        if sigma < 1e-12:
            break
        weights = np.minimum(1.0, _HUBER * sigma / np.maximum(error, 1e-12))
        solution = _solve(rows, trust * weights)
    return solution


def _covariance(rows: Array, trust: Array, sigma: float) -> tuple[float, float, float]:
    """sigma²·(XᵀWX)⁻¹ as var(scale), cov, var(shift)."""
    unknowns = rows.shape[1]
    covariance = np.zeros((2, 2))
    covariance[:unknowns, :unknowns] = np.linalg.inv(rows.T @ (trust[:, None] * rows))
    covariance *= sigma**2
    return float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])


def _leave_one_out(rows: Array, residuals: Array) -> float:
    """From the leverages h: the residual without a row is r/(1 - h) (Allen's PRESS, 1974)."""
    if len(rows) <= rows.shape[1]:
        return math.nan
    leverage = np.einsum('ij,ji->i', rows, np.linalg.pinv(rows))
    return float(np.sqrt(np.mean((residuals / np.maximum(1.0 - leverage, 1e-9)) ** 2)))
