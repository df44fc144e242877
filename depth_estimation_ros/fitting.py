# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The fit of scale and shift to references, robustly, in the space of the network's kind.

Both kinds minimise the relative error of Z: each equation is divided by its right-hand side, so
that a target of 1 is left and the residual is the relative error. This is regression of what is
known on what the network says: the best prediction at depths like those of the references. The
scale alone comes out low, by 1.4 % where a network errs by 5 % over depths of 0.5 to 8 m.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.calibration import ASSUMED_RELATIVE_ERROR, Array, Fit
from depth_estimation_ros.frames import DepthKind

# Relative errors within which references agree: what good networks reach, else what others do.
_AGREE = (0.15, 0.3)
_DRAWN = 500  # minimal sets at most, all pairs of up to 32; and references that judge them
_HUBER = 1.345  # 95 % efficient under Gaussian noise (Huber, 1981)
_PRIOR = 2.0  # degrees of freedom that the assumed error counts as
_MIN_SPREAD = 0.02  # of the prediction's spread: closer references leave the shift undetermined


def fit(
    predictions: ArrayLike,
    depths: ArrayLike,
    kind: DepthKind,
    shift: bool = False,
    spread: float | None = None,
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
        independent: How many of the references err independently, as a dense sensor's do not;
            None: all. Of one thing alone, a marker or an object, a relative model gets a scale
            alone, as it does from one reference.

    Raises:
        ValueError: The references do not determine the fit; the text says what would.
    """
    references = np.size(depths)
    p, z = _usable(predictions, depths)
    if independent is not None and independent < 1:
        raise ValueError(f'independent is at least one, not {independent}')
    # By those given, not by those seen: one that is not seen must not turn a shift into zero.
    shift = shift or (
        kind is DepthKind.RELATIVE and (references if independent is None else independent) > 1
    )
    yardstick = spread if spread is not None else float(np.abs(p).max())
    if shift:
        _check_spread(p, yardstick)
    weight = z if kind is DepthKind.RELATIVE else 1.0 / z
    rows = np.column_stack([p, np.ones_like(p)])[:, : 1 + shift] * weight[:, None]
    agree, solution = _robust(rows)
    inliers = rows[agree]
    if shift:
        _check_spread(p[agree], yardstick)
    _check_scale(float(solution[0]))
    residuals = inliers @ solution - 1.0
    share = 1.0 if independent is None else min(1.0, independent / references)
    noise = _noise(float(np.mean(residuals**2)), share * len(inliers), inliers.shape[1])
    return Fit(
        kind=kind,
        scale=float(solution[0]),
        shift=float(solution[1]) if shift else 0.0,
        covariance=_covariance(inliers, noise / math.sqrt(share)),
        rms_relative_error=float(np.sqrt(np.mean(residuals**2))),
        leave_one_out=_leave_one_out(inliers, residuals),
        inliers=len(inliers),
        references=references,
        noise=noise,
    )


def factor(kind: DepthKind, value: float) -> Fit:
    """A plain factor that the user knows: Z = value·Ẑ, or value/d for a relative model.

    Its accuracy is unknown, so its standard deviation is NaN.

    Raises:
        ValueError: It is not positive and finite.
    """
    if not (value > 0.0 and math.isfinite(value)):
        raise ValueError(f'the factor is positive and finite, not {value}')
    scale = 1.0 / value if kind is DepthKind.RELATIVE else value
    unknown = math.nan
    return Fit(kind, scale, 0.0, (unknown, unknown, unknown), unknown, unknown, 0, 0)


def _usable(predictions: ArrayLike, depths: ArrayLike) -> tuple[Array, Array]:
    """Predictions and depths of the references that the network sees."""
    p = np.atleast_1d(np.asarray(predictions, np.float64))
    z = np.atleast_1d(np.asarray(depths, np.float64))
    if p.shape != z.shape or p.ndim != 1:
        raise ValueError(f'{p.shape} predictions for {z.shape} distances: give one for each pixel')
    if len(z) == 0:
        raise ValueError('no reference: give at least one pixel of known distance')
    wrong = z[~(np.isfinite(z) & (z > 0.0))]
    if wrong.size:
        raise ValueError(
            f'distances must be positive and finite metres: {wrong.size} of {z.size} are not, '
            f'such as {wrong[0]:g}'
        )
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


def _check_scale(scale: float) -> None:
    if not scale > 0.0:
        raise ValueError(
            f'the fit has scale {scale:.4g}, which is not positive: nearer references must '
            'have larger inverse depth; check that pixels and distances belong together'
        )


def _consensus(rows: Array) -> NDArray[np.bool_]:
    """The references that agree, [N], of rows [N, P] whose product with the parameters is 1.

    RANSAC (Fischler and Bolles, 1981) over all minimal sets, or a seeded draw of them. Among the
    parameters that a majority agrees to, those that fit best (MSAC: Torr and Zisserman, "MLESAC",
    2000) decide. So few references that any minimal set is a majority must agree all of them.
    """
    count, unknowns = rows.shape
    few = count < unknowns + 2
    some = rows if count <= _DRAWN else rows[_random().choice(count, _DRAWN, replace=False)]
    candidates = _solve(rows, np.ones(count))[None] if few else _candidates(some)
    majority = count if few else len(some) // 2 + 1
    errors = np.abs(candidates @ some.T - 1.0)
    for width in _AGREE[:1] if few else _AGREE:
        agreeing = (errors < width).sum(axis=1)
        if agreeing.max() >= majority:
            costs = np.sum(np.minimum(errors / width, 1.0) ** 2, axis=1)
            best = candidates[np.argmin(np.where(agreeing >= majority, costs, np.inf))]
            return np.asarray(np.abs(rows @ best - 1.0) < width)
    raise ValueError(
        f'only {agreeing.max() * count // len(some)} of {count} references agree within '
        f'{width:.0%}: '
        'check the distances, and that pixel (0, 0) is the top left of the input image'
    )


def _candidates(rows: Array) -> Array:
    """[M, P] the parameters of minimal sets; a scale that is not positive only if all are such."""
    count, unknowns = rows.shape
    if math.comb(count, unknowns) <= _DRAWN:
        chosen = np.array(list(itertools.combinations(range(count), unknowns)))
    else:
        chosen = _random().integers(count, size=(_DRAWN, unknowns))
    # Equal predictions give the shortest solution of many, and are found out by their spread.
    solutions = np.linalg.pinv(rows[chosen], rcond=1e-9).sum(axis=2)
    positive = solutions[:, 0] > 0.0
    return np.asarray(solutions[positive] if positive.any() else solutions)


def _random() -> np.random.Generator:
    return np.random.default_rng(0)  # the same references give the same fit


def _robust(rows: Array) -> tuple[NDArray[np.bool_], Array]:
    """Which references agree, [N], and the parameters.

    All residuals together tell how much the network errs, and what lies within that agrees, too;
    else large noise would be cut short and taken for less than it is. Standard deviation from the
    median, with its factor for few, and limit: Rousseeuw and Leroy, "Robust Regression and
    Outlier Detection" (1987); fit, choose again, fit: Chum, Matas and Kittler, "Locally optimized
    RANSAC" (2003).
    """
    agree = _consensus(rows)
    errors = np.abs(rows @ _huber(rows[agree]) - 1.0)
    sigma = 1.4826 * (1.0 + 5.0 / max(len(rows) - rows.shape[1], 1)) * np.median(errors)
    agree |= errors < 2.5 * sigma
    return agree, _huber(rows[agree])


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


def _noise(mean_square: float, independent: float, unknowns: int) -> float:
    """One sigma of one answer, relative, so wide that ±1.96 of it hold 95 % of them.

    Few residuals tell little. So what is assumed of networks counts as two of them more, a prior
    of scaled inverse χ², and the answer is distributed as Student's t (Gelman et al., "Bayesian
    Data Analysis", 3.2), whose 97.5 % quantile is here by Fisher's expansion (Abramowitz and
    Stegun, 26.7.5; within 3 % at two degrees of freedom, 1 % from three on).
    """
    free = max(independent - unknowns, 0.0) + _PRIOR
    assumed = _PRIOR * ASSUMED_RELATIVE_ERROR**2
    variance = (independent * mean_square + assumed) / free
    return math.sqrt(variance) * (1.0 + 1.210 / free + 1.440 / free**2 + 1.304 / free**3)


def _covariance(rows: Array, sigma: float) -> tuple[float, float, float]:
    """sigma²·(XᵀX)⁻¹ as var(scale), cov, var(shift)."""
    unknowns = rows.shape[1]
    covariance = np.zeros((2, 2))
    covariance[:unknowns, :unknowns] = np.linalg.inv(rows.T @ rows)
    covariance *= sigma**2
    return float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])


def _leave_one_out(rows: Array, residuals: Array) -> float:
    """From the leverages h: the residual without a row is r/(1 - h) (Allen's PRESS, 1974)."""
    if len(rows) <= rows.shape[1]:
        return math.nan
    leverage = np.einsum('ij,ji->i', rows, np.linalg.pinv(rows))
    return float(np.sqrt(np.mean((residuals / np.maximum(1.0 - leverage, 1e-9)) ** 2)))
