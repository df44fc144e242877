# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which fits to a sensor are taken: those that agree with it, in time, and with the last ones."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.tunable import option

_STEP = 16  # pixels between those at which two fits are compared


@dataclasses.dataclass(frozen=True)
class GateOptions:
    """When a fit to a sensor, or to the ground, is good enough."""

    continuous: bool = option(False, 'Fit again and again, as long as depth is wanted.')
    min_inliers: float = option(
        0.6, 'Share of the references that must agree with the fit.', minimum=0.5, maximum=1.0
    )
    max_residual: float = option(
        0.1, 'Relative error (RMS) that the fit may leave to those that agree.', minimum=0.0
    )
    max_change: float = option(
        0.2,
        'Share by which a new fit may change depths at once; one that changes them more is taken '
        'after as many in a row as patience says that agree with each other.',
        minimum=0.0,
    )
    patience: int = option(
        3, 'Fits in a row that must agree before a greater change is taken.', minimum=1
    )


@dataclasses.dataclass(frozen=True)
class SensorOptions(GateOptions):
    """And when what a sensor says belongs to an image."""

    max_age: float = option(
        0.2, 'Seconds that the stamps of image and sensor may lie apart.', minimum=0.0
    )


class Gate:
    """Lets the fits of one sensor, camera and model through, or says why not.

    When a fit is refused, the caller keeps the calibration it has:

        gate = Gate(options)                                # once, for many messages
        fit = fit_to(lidar(depth_map, points, options), depth_map)
        gate.check(fit, depth_map)                          # ValueError, or fit is the one to use

    A fit that is made once has no predecessor and is held to its own figures alone: give it to a
    new gate. It is not thread-safe.

    Attributes:
        last: The last fit that was let through, or None.
    """

    def __init__(self, options: GateOptions) -> None:
        self._options = options
        self._waiting: Fit | None = None
        self._agreed = 0
        self.last: Fit | None = None

    def check(self, fit: Fit, depth_map: DepthMap) -> None:
        """Let a fit through: it is `last` afterwards.

        Args:
            fit: To the references of the sensor.
            depth_map: Of the image that it was made with; metres are not needed.

        Raises:
            ValueError: Too few references agree, they leave too much over, or the depths change
                too much at once; `last` is what it was.
        """
        try:
            self._check_figures(fit)
        except ValueError:
            self._waiting, self._agreed = None, 0
            raise
        self._check_change(fit, depth_map)
        self.last, self._waiting, self._agreed = fit, None, 0

    def _check_figures(self, fit: Fit) -> None:
        least = self._options.min_inliers
        if fit.inliers < least * fit.references:
            raise ValueError(
                f'network and references contradict each other: only {fit.inliers} of '
                f'{fit.references} references agree, and min_inliers is {least:.0%}: check the '
                'transform from the sensor to the camera and the stamps, or pitch and height of '
                'the camera above the ground'
            )
        if fit.rms_relative_error > self._options.max_residual:
            raise ValueError(
                f'the fit leaves a relative error of {fit.rms_relative_error:.1%}, and '
                f'max_residual is {self._options.max_residual:.1%}: check the transform from the '
                'sensor to the camera, or take a better model'
            )

    def _check_change(self, fit: Fit, depth_map: DepthMap) -> None:
        most = self._options.max_change
        change = 0.0 if self.last is None else _change(self.last, fit, depth_map)
        if change <= most:
            return
        again = self._waiting is not None and _change(self._waiting, fit, depth_map) <= most
        self._waiting, self._agreed = fit, self._agreed + 1 if again else 1
        if self._agreed < self._options.patience:
            raise ValueError(
                f'the fit changes depths by {change:.0%}, and max_change is {most:.0%}: the last '
                f'one stays until {self._options.patience} in a row agree, {self._agreed} so far'
            )


def _change(old: Fit, new: Fit, depth_map: DepthMap) -> float:
    """The relative change of depth from one fit to another, median over the image."""
    values = np.asarray(depth_map.prediction.values)[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP]
    before, after = old.depth(values), new.depth(values)
    known = np.isfinite(before) & np.isfinite(after) & (before > 0.0) & (after > 0.0)
    if not known.any():
        return math.inf
    ratio = after[known] / before[known]
    return float(np.median(np.maximum(ratio, 1.0 / ratio))) - 1.0
