# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Error measures of depth maps as the literature defines them, and one of their flicker.

Eigen, Puhrsch and Fergus, "Depth map prediction from a single image using a multi-scale deep
network" (2014), for AbsRel, SqRel, RMSE, RMSElog, the scale-invariant error and the thresholds;
KITTI's depth benchmark for SILog as 100 times the root of the scale-invariant variance; Saxena et
al., "Make3D" (2009), for log10.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class DepthErrors:
    """Errors of a depth map over its valid pixels; NaN where there are none.

    Attributes:
        abs_rel: mean of abs(z - t) / t.
        sq_rel: mean of (z - t)² / t, metres.
        rmse: root of the mean of (z - t)², metres.
        rmse_log: the same of natural logarithms.
        log10: mean of abs(log10 z - log10 t).
        silog: 100 · standard deviation of ln z - ln t.
        delta1: share of pixels with max(z / t, t / z) < 1.25.
        delta2: the same below 1.25².
        delta3: the same below 1.25³.
        pixels: how many pixels were valid.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    log10: float
    silog: float
    delta1: float
    delta2: float
    delta3: float
    pixels: float


def depth_errors(
    depth: npt.ArrayLike, truth: npt.ArrayLike, valid: npt.ArrayLike | None = None
) -> DepthErrors:
    """Compare depth with truth, in float64, where both are finite and positive.

    Args:
        depth: metres, any shape.
        truth: metres, the same shape.
        valid: bool, the same shape; pixels to count, all by default.

    Raises:
        ValueError: the shapes differ.
    """
    z, t = np.asarray(depth, np.float64), np.asarray(truth, np.float64)
    if z.shape != t.shape:
        raise ValueError(f'depth {z.shape} and truth {t.shape} must have the same shape')
    known = np.isfinite(z) & np.isfinite(t) & (z > 0) & (t > 0)
    if valid is not None:
        known &= np.asarray(valid, bool)
    z, t = z[known], t[known]
    if z.size == 0:
        return DepthErrors(*[float('nan')] * 9, pixels=0.0)  # type: ignore[misc]
    error, ratio = z - t, np.log(z / t)
    worse = np.maximum(z / t, t / z)
    return DepthErrors(
        abs_rel=float(np.mean(np.abs(error) / t)),
        sq_rel=float(np.mean(error**2 / t)),
        rmse=float(np.sqrt(np.mean(error**2))),
        rmse_log=float(np.sqrt(np.mean(ratio**2))),
        log10=float(np.mean(np.abs(ratio)) / np.log(10)),
        silog=float(100 * np.std(ratio)),
        delta1=float(np.mean(worse < 1.25)),
        delta2=float(np.mean(worse < 1.25**2)),
        delta3=float(np.mean(worse < 1.25**3)),
        pixels=float(z.size),
    )


def flicker(
    depths: Iterable[npt.ArrayLike], truths: Iterable[npt.ArrayLike] | None = None
) -> float:
    """How much the depth of a sequence changes from frame to frame without reason.

    The mean over pairs of consecutive frames of the mean over pixels of
    abs((ln z' - ln z) - (ln t' - ln t)): relative, so 0.05 is 5 % from one frame to the next.
    Frames are compared at equal pixels, also where camera or things move: what that changes, the
    truth tells and is subtracted. Where an edge moves and the estimate has it elsewhere than the
    truth, or softer, the difference counts. A pixel counts where all four values, or both, are
    finite and positive; a pair without such pixels does not count.

    Args:
        depths: One after the other, [H, W] metres.
        truths: Theirs, [H, W] metres; None: camera and scene stand still, and nothing changes.

    Returns:
        NaN where there are no two frames to compare.

    Raises:
        ValueError: The shapes differ, or there is not one truth for each frame.
    """
    frames = ([depth] for depth in depths)
    if truths is not None:
        frames = ([*one] for one in zip(depths, truths, strict=True))
    logs = (np.stack([_log(values) for values in frame]) for frame in frames)
    means = []
    for before, now in itertools.pairwise(logs):
        if before.shape != now.shape:
            raise ValueError(
                f'frames of {before.shape[1:]} and {now.shape[1:]} must have the same shape'
            )
        depth_change, *true_change = now - before
        change = np.abs(depth_change - sum(true_change))
        known = np.isfinite(change)
        if known.any():
            means.append(float(np.mean(change[known])))
    return float(np.mean(means)) if means else float('nan')


def _log(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Natural logarithms; NaN where a depth is unknown."""
    metres = np.asarray(values, np.float64)
    known = np.isfinite(metres) & (metres > 0)
    return np.log(metres, out=np.full(metres.shape, np.nan), where=known)
