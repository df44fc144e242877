# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How an answer is aligned to the truth before it is scored, each frame by itself.

`none` takes the metres of the network as they are. With d the inverse depth, which is the answer
of a relative network, and 1/Z of a metric one:

- `median`: 1/Z = a·d with equal medians of 1/Z and of the truth's (Zhou et al., 2017).
- `scale`: 1/Z = a·d by least squares of ln Z, which is the same as of ln 1/Z; SILog's own scale.
- `affine`: 1/Z = a·d + b by least squares of 1/Z (Ranftl et al., 2020).
- `points:N`: what a user of the node gets with N measured pixels: drawn at random, fitted
  robustly, and not scored. Those above use all of the truth, which no robot has.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import DepthKind, DepthMap, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.points import points

METHODS = ('none', 'median', 'scale', 'affine', 'points:N')

Depth = NDArray[np.float32]
Mask = NDArray[np.bool_]
_DRAWS = 20  # of points, where the fit is refused: a user would measure others


@dataclasses.dataclass(frozen=True)
class Aligned:
    """A frame's estimate at the scale of the truth.

    Attributes:
        depth: [H, W] float32 metres, not finite where there is no answer.
        scored: [H, W] which pixels may be scored.
        refused: How many draws of points determined no fit before this one.
    """

    depth: Depth
    scored: Mask
    refused: int = 0


@dataclasses.dataclass(frozen=True)
class Alignment:
    """One of METHODS.

    Attributes:
        method: Without the number of points.
        count: How many points; 0 for the other methods.
    """

    method: str = 'none'
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> Alignment:
        """From what users type.

        Raises:
            ValueError: It is none of METHODS.
        """
        method, _, number = text.partition(':')
        if text in METHODS[:-1]:
            return cls(text)
        if method == 'points' and number.isdecimal() and int(number) > 0:
            return cls(method, int(number))
        raise ValueError(f'unknown alignment {text!r}: known are {", ".join(METHODS)}')

    def __str__(self) -> str:
        return f'{self.method}:{self.count}' if self.count else self.method

    def check(self, model: str, kind: DepthKind) -> None:
        """Refuse to score inverse depth as if it were metres.

        Raises:
            ValueError: The model is relative, and this aligns nothing.
        """
        if self.method == 'none' and kind is DepthKind.RELATIVE:
            raise ValueError(
                f'{model} answers inverse depth without scale, which no metre can be compared '
                'with: --align affine, or points:N as a user would calibrate'
            )

    def apply(
        self, depth_map: DepthMap, truth: Depth, valid: Mask, random: np.random.Generator
    ) -> Aligned:
        """Bring what a network says of a frame to the truth.

        Args:
            depth_map: What it says of the frame; metres are not needed. The range that it was
                trained on is ignored, as in the literature.
            truth: [H, W] metres.
            valid: [H, W] where truth is known and counts.
            random: Draws the points.

        Raises:
            ValueError: The truth does not determine the alignment.
        """
        if self.method == 'none':
            return Aligned(np.asarray(depth_map.prediction.values), valid)
        if self.method == 'points':
            return self._calibrated(depth_map, truth, valid, random)
        inverse = _inverse(depth_map.prediction)
        known = valid & np.isfinite(inverse)
        scale, shift = _FITS[self.method](inverse[known], 1.0 / truth[known].astype(np.float64))
        aligned = scale * inverse + shift
        with np.errstate(divide='ignore'):
            return Aligned((1.0 / np.maximum(aligned, 0.0)).astype(np.float32), valid)

    def _calibrated(
        self, depth_map: DepthMap, truth: Depth, valid: Mask, random: np.random.Generator
    ) -> Aligned:
        v, u = np.nonzero(valid)
        if len(u) <= self.count:
            raise ValueError(f'too few pixels of truth for {self.count} points (only {len(u)})')
        for refused in range(_DRAWS):
            chosen = random.choice(len(u), self.count, replace=False)
            at = v[chosen], u[chosen]
            try:
                fit = fit_to(points(depth_map, at[1], at[0], truth[at]), depth_map)
            except ValueError as error:
                reason = error
                continue
            others = valid.copy()
            others[at] = False
            return Aligned(fit.depth(np.asarray(depth_map.prediction.values)), others, refused)
        raise reason


def _inverse(prediction: Prediction) -> NDArray[np.float64]:
    values = np.asarray(prediction.values, np.float64)
    if prediction.kind is DepthKind.RELATIVE:
        return values
    inverse = np.full(values.shape, np.nan)
    np.divide(1.0, values, out=inverse, where=values > 0)
    return inverse


def _median(inverse: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    if not inverse.size or not (middle := float(np.median(inverse))) > 0.0:
        raise ValueError('the median of the answer is not positive: no scale is that of the truth')
    return float(np.median(target)) / middle, 0.0


def _scale(inverse: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    positive = inverse > 0.0
    if not positive.any():
        raise ValueError('the answer is nowhere positive: no scale makes it the truth')
    return float(np.exp(np.mean(np.log(target[positive] / inverse[positive])))), 0.0


def _affine(inverse: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    if inverse.size < 2 or np.ptp(inverse) == 0.0:
        raise ValueError('the answer is the same everywhere: no scale and shift can be told apart')
    covariance = np.cov(inverse, target, bias=True)
    scale = float(covariance[0, 1] / covariance[0, 0])
    return scale, float(target.mean() - scale * inverse.mean())


_FITS = {'median': _median, 'scale': _scale, 'affine': _affine}
