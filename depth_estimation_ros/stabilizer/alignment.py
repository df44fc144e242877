# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scale and shift that take what a network says now to what it should say, robustly."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEPS = 8
_SETTLED = 0.02  # relative change of sigma
_DETERMINED = 1e-6  # variance of the values, of their squares: less does not tell scale from shift
_TUKEY = 4.685  # 95 % efficient under Gaussian noise, and gross errors have no say at all
_ALIKE = 12.0  # parts of an image whose errors are independent: what rendered sequences show


@dataclasses.dataclass(frozen=True)
class Alignment:
    """wanted = scale·values + shift; the identity by default.

    Attributes:
        scale, shift: The parameters.
        sigma: Relative error of depth that the alignment brings, one sigma.
    """

    scale: float = 1.0
    shift: float = 0.0
    sigma: float = 0.0


def align(values: Array, wanted: Array, weight: Array, shift: bool) -> Alignment | None:
    """The robust fit.

    Args:
        values: [N] what the network says.
        wanted: [N] what it should say.
        weight: [N] relative error of depth for a unit of error of `wanted`.
        shift: Fit a shift too.

    Returns:
        None where the values do not determine it, or the scale would not be positive.
    """
    half = len(values) // 2
    share = weight * weight
    scale, offset, sigma = 0.0, 0.0, math.inf
    for _ in range(_STEPS):
        total = share.sum()
        mean, target = (share @ values / total, share @ wanted / total) if shift else (0.0, 0.0)
        centred = values - mean
        varied = share @ (centred * centred)
        if not varied > _DETERMINED * (share @ (values * values)):
            return None
        scale = float(share @ (centred * (wanted - target)) / varied)
        offset = float(target - scale * mean)
        error = np.abs(scale * values + offset - wanted) * weight
        before, sigma = sigma, 1.4826 * float(np.partition(error, half)[half])
        if sigma < 1e-9 or abs(before - sigma) < _SETTLED * sigma:
            break
        share = weight * np.clip(1.0 - (error / (_TUKEY * sigma)) ** 2, 0.0, 1.0)
        share *= share
    if not scale > 0.0:
        return None
    return Alignment(scale, offset, sigma / math.sqrt(min(len(values), _ALIKE) / (1 + shift)))
