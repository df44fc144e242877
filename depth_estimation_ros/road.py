# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the user says about the frames of one camera, and the road that they take."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from depth_estimation_ros import calibration_file, intrinsics, sections
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.fitting import factor
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.models import store
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.stabilizer import Stabilizer


@dataclasses.dataclass(frozen=True)
class Road:
    """What is said of one camera; it can be pickled, to be sent to another machine.

    Attributes:
        range: Depths in metres between which pixels are trusted.
        camera_file: YAML of camera_calibration; None: `intrinsics` tell the camera.
        intrinsics: Focal lengths or a field of view, or nothing.
        calibration_file: Makes metres; None: no calibration.
        depth_scale: Makes metres: a metric network's answer is multiplied by it, a relative one's
            divides it; None: no scale.
        stabilizer: For consecutive frames; None where frames are unrelated.
    """

    range: tuple[float, float]
    camera_file: Path | None = None
    intrinsics: sections.Intrinsics = dataclasses.field(default=sections.Intrinsics())
    calibration_file: Path | None = None
    depth_scale: float | None = None
    stabilizer: sections.Stabilizer | None = None

    def __post_init__(self) -> None:
        if self.depth_scale is not None and self.calibration_file is not None:
            raise ValueError('--depth-scale and --calibration both make metres: give one of them')

    @property
    def makes_metres(self) -> bool:
        """Whether there will be metres, whatever the network."""
        return self.depth_scale is not None or self.calibration_file is not None

    def camera(self, width: int, height: int) -> Camera | None:
        """The camera of images of this size; None: it is unknown.

        Raises:
            ValueError, FileNotFoundError: The file is none, or of images of another size.
        """
        return intrinsics.told(self.camera_file, self.intrinsics, width, height)

    def calibration(self, estimator: DepthEstimator, camera: Camera | None) -> Calibration | None:
        """The calibration that makes metres; None: there is none.

        Raises:
            ValueError, FileNotFoundError: It is not a calibration, or not for this network and
                camera; the text says which.
        """
        name, preset = estimator.spec.name, estimator.preset
        if self.depth_scale is not None:
            fit = factor(estimator.spec.kind, self.depth_scale)
            return Calibration(fit, name, camera, time.time_ns(), preset)
        if self.calibration_file is None:
            return None
        loaded = calibration_file.load(self.calibration_file)
        if loaded.camera is not None and camera is None:
            raise ValueError(
                f'{self.calibration_file} was made with a camera whose intrinsics are known: say '
                'with --camera, --fx or --hfov that these images are of the same'
            )
        try:
            loaded.check(name, camera, preset, store.weights_of(estimator.spec))
        except ValueError as error:
            raise ValueError(f'{self.calibration_file}: {error}') from error
        return loaded

    def pipeline(self, estimator: DepthEstimator, camera: Camera | None) -> DepthPipeline:
        """The road, with the calibration in force; raises as `calibration`."""
        stabilizer = None if self.stabilizer is None else Stabilizer(self.stabilizer)
        road = DepthPipeline(estimator, self.range, stabilizer=stabilizer)
        road.calibration = self.calibration(estimator, camera)
        return road

    def check(self, depth_map: DepthMap) -> None:
        """Raise ValueError where metres were asked for and memory did not allow them."""
        if self.makes_metres and depth_map.calibration is None:
            raise ValueError(
                'memory did not suffice for the preset that the scale is for: end other programs, '
                'or choose a smaller preset and calibrate for it'
            )
