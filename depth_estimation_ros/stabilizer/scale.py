# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the numbers of a network mean while a calibration is in force."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.stabilizer.middle import middle

Array = NDArray[np.float64]

_FAR = 0.25  # of the median of 1/Z: what is farther counts as if it were here
_NONE = 1e-12  # where all says the same


@dataclasses.dataclass(frozen=True)
class Scale:
    """Converts the network's numbers to metres and back.

    Attributes:
        kind: RELATIVE or METRIC.
        fit: The calibration's, or None.
    """

    kind: DepthKind
    fit: Fit | None

    @property
    def metric(self) -> bool:
        """Whether there are metres at all."""
        return self.fit is not None or self.kind is DepthKind.METRIC

    def depth(self, values: Array) -> Array:
        """Z in metres; not positive or not finite where there is none."""
        a, b = self._parameters()
        linear = a * values + b
        if self.kind is DepthKind.METRIC:
            return linear
        with np.errstate(divide='ignore'):
            return np.asarray(1.0 / linear, np.float64)

    def values(self, depth: Array) -> Array:
        """What a network says of Z in metres."""
        a, b = self._parameters()
        linear = 1.0 / depth if self.kind is DepthKind.RELATIVE else depth
        return np.asarray((linear - b) / a, np.float64)

    def known(self, values: Array) -> NDArray[np.bool_]:
        """Where values are finite and, if metres, those of a depth."""
        if not self.metric:
            return np.isfinite(values)
        depth = self.depth(values)
        return np.isfinite(values) & np.isfinite(depth) & (depth > 0.0)

    def weight(self, values: Array) -> Array:
        """Relative error of depth for a unit of error of a value; bounded for what is far."""
        a, b = self._parameters()
        linear = np.abs(a * values + b) if self.metric else np.full_like(values, np.ptp(values))
        return np.asarray(a / np.maximum(linear, max(_FAR * middle(linear), _NONE)), np.float64)

    def _parameters(self) -> tuple[float, float]:
        return (self.fit.scale, self.fit.shift) if self.fit is not None else (1.0, 0.0)
