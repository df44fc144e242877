# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The values that cross borders: a camera frame, what the network says of it, and its depth."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.operations import HOST, FloatImage, Operations

if TYPE_CHECKING:
    from depth_estimation_ros.calibration import Calibration


class DepthKind(str, enum.Enum):
    """What a number means. Only METRIC and CALIBRATED are metres."""

    RELATIVE = 'relative'
    METRIC = 'metric'
    CALIBRATED = 'calibrated'


@dataclasses.dataclass(frozen=True)
class Frame:
    """One camera image.

    Attributes:
        image: [H, W, 3] uint8, RGB.
        stamp: Time of the exposure, nanoseconds since the epoch of the source's clock.
        frame_id: Optical frame (x right, y down, z forward).
        camera: Intrinsics of exactly this image, or None when they are unknown.
    """

    image: NDArray[np.uint8]
    stamp: int = 0
    frame_id: str = ''
    camera: Camera | None = None


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What the network says, at the size of the image.

    Attributes:
        values: [H, W] float32. RELATIVE: inverse depth, affine in 1/Z, without unit. METRIC: Z, m.
        kind: RELATIVE or METRIC.
        operations: What can be done with values where they lie.
        preset: How much of its nominal size the network was given, on which its scale depends.
    """

    values: FloatImage
    kind: DepthKind
    operations: Operations = HOST
    preset: str = 'full'


@dataclasses.dataclass(frozen=True)
class DepthMap:
    """The depth of a frame.

    Attributes:
        frame: The image it belongs to.
        prediction: What the network said.
        depth: [H, W] float32, Z in metres: NaN unknown, +Inf beyond the range, -Inf nearer than it
            (REP 117). None when nothing says how many metres the prediction is.
        calibration: The fit that was applied, or None.
        drift: How well the prediction has kept the scale that the calibration was fitted in, as a
            relative error of depth, one sigma.
    """

    frame: Frame
    prediction: Prediction
    depth: FloatImage | None
    calibration: Calibration | None = None
    drift: float = 0.0

    @property
    def kind(self) -> DepthKind:
        """RELATIVE, METRIC or CALIBRATED."""
        return self.prediction.kind if self.calibration is None else DepthKind.CALIBRATED

    def in_main_memory(self) -> DepthMap:
        """The same in NumPy's arrays, for other threads than the one that works on a device."""
        values, depth = np.asarray(self.prediction.values), self.depth
        prediction = dataclasses.replace(self.prediction, values=values, operations=HOST)
        metres = None if depth is None else np.asarray(depth)
        return dataclasses.replace(self, prediction=prediction, depth=metres)


Observer = Callable[[str, DepthMap], object]
"""Takes the name of a camera, empty for a single one, and each of its depth maps."""
