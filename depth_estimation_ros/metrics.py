# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Error measures of depth maps as the literature defines them.

Eigen, Puhrsch and Fergus, "Depth map prediction from a single image using a multi-scale deep
network" (2014), for AbsRel, SqRel, RMSE, RMSElog, the scale-invariant error and the thresholds;
KITTI's depth benchmark for SILog as 100 times the root of the scale-invariant variance; Saxena et
al., "Make3D" (2009), for log10.
"""

from __future__ import annotations

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
