# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From what the network says to metres: a fit, and what it belongs to.

A relative model answers d with 1/Z = scale·d + shift (Ranftl et al., "Towards Robust Monocular
Depth Estimation", 2020, align in inverse depth); a metric model answers Ẑ with
Z = scale·Ẑ + shift.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.anchors import Anchors
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind

Array = NDArray[np.float64]

# What is assumed of networks, relative in Z, where references are too few to tell.
ASSUMED_RELATIVE_ERROR = 0.05
_HARDLY = 0.5  # leave-one-out error from which on people are told that references are missing


@dataclasses.dataclass(frozen=True)
class Fit:
    """1/Z = scale·d + shift (RELATIVE), or Z = scale·Ẑ + shift in metres (METRIC).

    Attributes:
        kind: RELATIVE or METRIC, the space of the fit.
        scale, shift: The parameters.
        covariance: Their covariance, of the same width as `noise`: var(scale), cov(scale, shift),
            var(shift).
        rms_relative_error: Of the inliers, in Z.
        leave_one_out: RMS relative error of each inlier under the fit to the others; NaN when
            there are too few.
        inliers, references: How many references agree, and how many were given. Without any, as
            for a plain factor, the figures that come from them are NaN.
        noise: One sigma of the network's error about the fit, relative in Z. It is wider the fewer
            references there are, so that ±1.96 sigma hold 95 %.

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
    noise: float = math.nan

    def __post_init__(self) -> None:
        told = (*self.covariance, self.rms_relative_error, self.noise)
        as_told = math.isfinite if self.references else math.isnan
        finite = math.isfinite(self.scale) and math.isfinite(self.shift)
        if not (self.scale > 0.0 and finite and all(map(as_told, told)) and len(told) == 5):
            raise ValueError(
                f'scale={self.scale} shift={self.shift} covariance={self.covariance} '
                f'rms_relative_error={self.rms_relative_error} noise={self.noise} are those of '
                f'no fit to {self.references} references'
            )
        unknowns = 1 + (self.covariance[2] > 0.0) if self.references else 0
        if self.kind is DepthKind.CALIBRATED or not unknowns <= self.inliers <= self.references:
            raise ValueError(
                f'kind={self.kind.value} inliers={self.inliers} references={self.references} are '
                'those of no fit'
            )

    def depth(self, values: ArrayLike) -> NDArray[np.float32]:
        """Metres for predictions of any shape; +Inf where 1/Z is not positive."""
        metres = np.asarray(np.multiply(values, np.float32(self.scale), dtype=np.float32))
        metres += np.float32(self.shift)
        if self.kind is DepthKind.RELATIVE:
            np.clip(metres, 0.0, np.inf, out=metres)  # in half the time of np.maximum
            with np.errstate(divide='ignore'):
                np.divide(np.float32(1.0), metres, out=metres)
        return metres

    @property
    def remark(self) -> str:
        """What people should know about the fit; empty when there is nothing."""
        if self.references == 0:
            return 'a plain factor: how right it is, is not known'
        said = []
        if self.kind is DepthKind.RELATIVE and self.covariance[2] == 0.0:
            said.append(
                'the scale alone is fitted and the shift taken as zero: references at clearly '
                'different depths are better'
            )
        if self.inliers < self.references:
            said.append(
                f'{self.references - self.inliers} of {self.references} references are left out: '
                'they disagree, or the network knows nothing there'
            )
        if self.leave_one_out > _HARDLY:
            said.append(
                f'the references hardly determine it (leave-one-out {self.leave_one_out:.0%}): '
                'add some, near, middle and far'
            )
        return '; '.join(said)

    @property
    def told(self) -> list[str]:
        """Lines for people: the parameters, and how well they fit."""
        unit = '1/m' if self.kind is DepthKind.RELATIVE else 'm'
        lines = [f'scale {self.scale:.6g}, shift {self.shift:.6g} {unit}']
        if self.references:
            alone = f'leave-one-out {self.leave_one_out:.1%}, '
            lines.append(
                f'residual {self.rms_relative_error:.1%}, '
                f'{"" if math.isnan(self.leave_one_out) else alone}'
                f'{self.inliers} of {self.references} references agree'
            )
        return [*lines, *filter(None, [self.remark])]

    def std_dev(self, values: ArrayLike) -> Array:
        """One sigma in metres for predictions: of the fit, and of the noise about it.

        ±1.96 sigma hold 95 %, however few the references; NaN where there are none.
        """
        p = np.asarray(values, np.float64)
        var_scale, cov, var_shift = self.covariance
        variance = var_scale * p * p + 2.0 * cov * p + var_shift
        metres = self.depth(p).astype(np.float64)
        if self.kind is DepthKind.RELATIVE:
            variance = variance * metres**4  # d(1/x) = -dx/x², x = 1/Z
        return np.sqrt(np.maximum(variance, 0.0) + (self.noise * metres) ** 2)


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
        anchors: References that it was fitted to, with their looks, to see whether it still holds.
    """

    fit: Fit
    model: str
    camera: Camera | None
    created: int
    preset: str = 'full'
    weights: str = ''
    anchors: Anchors | None = None

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
        if not self.is_of(camera):
            raise ValueError(f'the calibration is for another camera: {self.camera}, not {camera}')

    def is_of(self, camera: Camera | None) -> bool:
        """Whether it may belong to this camera; always, where either camera is unknown."""
        return self.camera is None or camera is None or _same_lens(self.camera, camera)


@functools.lru_cache  # asked for every frame
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
