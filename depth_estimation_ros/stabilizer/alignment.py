# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scale and shift that take what a network says now to what it should say, robustly."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.stabilizer.middle import middle

Array = NDArray[np.float64]

_STEPS = 8
_SETTLED = 0.02  # relative change of sigma
_DETERMINED = 1e-6  # variance of the values, of their squares: less does not tell scale from shift
_NOISE = 0.5  # of the variance of the values: more noise does not tell scale from shift, either
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


def align(
    values: Array, wanted: Array, weight: Array, shift: bool, fresh: float = 0.0
) -> Alignment | None:
    """The robust fit; without a shift where noise hides which of both it is.

    A plain regression on values that err has too small a slope, and what is learnt from it would
    lose more of its contrast with each frame: that part of the variance is taken out (Fuller,
    Measurement error models, 1987, 1.2).

    Args:
        values: [N] what the network says.
        wanted: [N] what it should say.
        weight: [N] relative error of depth for a unit of error of `wanted`.
        shift: Fit a shift too.
        fresh: Share of what the fit leaves over that is error of `values`, not of `wanted`.

    Returns:
        None where the values do not determine it, or the scale would not be positive.
    """
    share = weight * weight
    sigma = math.inf
    for _ in range(_STEPS):
        total = share.sum()
        mean, target = (share @ values / total, share @ wanted / total) if shift else (0.0, 0.0)
        centred, away = values - mean, wanted - target
        varied = share @ (centred * centred)
        if not varied > _DETERMINED * (share @ (values * values)):
            return align(values, wanted, weight, False, fresh) if shift else None
        together = share @ (centred * away)
        scale = float(together / varied)
        if not scale > 0.0:
            hidden = shift and together**2 <= _NOISE * varied * (share @ (away * away))
            return align(values, wanted, weight, False, fresh) if hidden else None
        left = scale * centred - away
        error = np.abs(left) * weight
        before, sigma = sigma, 1.4826 * middle(error)
        noise = fresh * float(share @ (left * left)) / scale**2
        if sigma < 1e-9 or abs(before - sigma) < _SETTLED * sigma:
            break
        share = weight * np.maximum(1.0 - (error / (_TUKEY * sigma)) ** 2, 0.0)
        share *= share
    # Only now: before, what is off for reasons of its own would be taken for noise.
    if shift and noise > _NOISE * varied:
        return align(values, wanted, weight, False, fresh)
    scale *= float(varied / (varied - min(noise, _NOISE * varied)))
    offset = float(target - scale * mean)
    return Alignment(scale, offset, sigma / math.sqrt(min(len(values), _ALIKE) / (1 + shift)))
