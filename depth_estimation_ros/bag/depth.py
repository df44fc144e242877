# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The depth of one camera's shots, and its calibration against what a depth camera saw."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import calibration_file
from depth_estimation_ros.bag.shots import Shot
from depth_estimation_ros.calibrating import made
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.depth_camera import DepthCameraOptions, depth_camera
from depth_estimation_ros.references.gate import Gate
from depth_estimation_ros.road import Road


@dataclasses.dataclass(frozen=True)
class Following:
    """How a calibration is kept to a recorded depth camera.

    Attributes:
        fits: continuous fits again and again, once until the first that is good, none never.
        period: Seconds of the recording between two fits, at least.
        options: Which pixels are used, and which fits are good.
    """

    fits: str = 'continuous'
    period: float = 1.0
    options: DepthCameraOptions = dataclasses.field(default=DepthCameraOptions())


class CameraDepth:
    """Takes the shots of one camera in their order.

    Args:
        name: Of the camera.
        estimator: The network.
        road: What people say of the camera's frames.
        following: How it is kept to what the shots have as reference.

    Attributes:
        taken: How many fits to references were put in force.
        fitted: Whether the last shot was calibrated against its own reference.
        refused: How many were not, by reason.
    """

    def __init__(
        self, name: str, estimator: DepthEstimator, road: Road, following: Following
    ) -> None:
        self.name, self.taken, self.fitted = name, 0, False
        self.refused: collections.Counter[str] = collections.Counter()
        self._estimator, self._road, self._following = estimator, road, following
        self._pipeline = dataclasses.replace(
            road, calibration_file=None, depth_scale=None
        ).pipeline(estimator, None)
        file = road.calibration_file
        self._of_camera = file is not None and calibration_file.load(file).camera is not None
        self._settled = not road.makes_metres
        self._gate = Gate(following.options)
        self._tried: int | None = None  # stamp of the shot that was last fitted to, ns

    @property
    def calibration(self) -> Calibration | None:
        """What is in force."""
        return self._pipeline.calibration

    @property
    def hint(self) -> str:
        """What to do next; empty when all is well."""
        calibration = self._pipeline.calibration
        if self._estimator.spec.kind is DepthKind.RELATIVE and calibration is None:
            return (
                'the model answers relative depth: no metres and no cloud without a calibration, '
                'a depth scale or a reference'
            )
        checked = self._pipeline.drift.of(calibration)
        return f'the calibration has {checked}' if checked.drifted else ''

    def process(self, shot: Shot) -> DepthMap:
        """The depth of the next shot.

        Raises:
            ValueError: The image is none that the network takes.
        """
        self.fitted = False
        depth_map = self._pipeline.process(shot.frame)
        if shot.reference is not None and self._due(shot.frame.stamp):
            self._tried = shot.frame.stamp
            depth_map = self._fit(depth_map, shot.reference)
        return depth_map

    def settle(self, shot: Shot) -> Shot:
        """Put in force what people say, as soon as it is known which camera took the shot.

        Returns:
            The shot, with the camera that people told.

        Raises:
            ValueError: The calibration is of another camera or network.
        """
        height, width, _ = shot.frame.image.shape
        if self._road.camera_file is not None:
            frame = dataclasses.replace(shot.frame, camera=self._road.camera(width, height))
            shot = dataclasses.replace(shot, frame=frame)
        camera = shot.frame.camera
        if not self._settled and (camera is not None or not self._of_camera):
            self._settled = True
            calibration = self._road.calibration(self._estimator, camera)
            if calibration is not None and self._road.depth_scale is not None:
                # Made of this recording, whenever that is: the same answer every time.
                calibration = dataclasses.replace(calibration, created=shot.frame.stamp)
            self._pipeline.calibration = calibration
        return shot

    def check_settled(self) -> None:
        """Raise ValueError where the calibration of people never came into force."""
        if not self._settled:
            raise ValueError(
                f'{self._road.calibration_file} was made with a camera whose intrinsics are '
                'known, and no camera_info tells those of this recording: name its topic with '
                '--camera-info, or say with --camera, --fx or --hfov that it is the same'
            )

    def _due(self, stamp: int) -> bool:
        if self._following.fits == 'none' or (self._following.fits == 'once' and self.taken):
            return False
        last = self._tried
        # A stamp of before the last one: the recording jumps back.
        return last is None or not 0 <= stamp - last < self._following.period * 1e9

    def _fit(self, depth_map: DepthMap, reference: NDArray[np.float32]) -> DepthMap:
        """The depth map under a calibration that is fitted to it, where that is good."""
        try:
            references = depth_camera(depth_map, reference, self._following.options)
        except ValueError as error:
            self.refused[str(error)] += 1
            return depth_map
        try:
            fit = fit_to(references, depth_map)
            self._gate.check(fit, depth_map)
        except ValueError as error:
            self.refused[str(error)] += 1
        else:
            self.taken, self.fitted = self.taken + 1, True
            stamp = depth_map.frame.stamp
            calibration = made(fit, depth_map, self._estimator, references, stamp)
            self._pipeline.calibrate(calibration, depth_map)
            depth_map = self._pipeline.again(depth_map)
        self._pipeline.drift.check(references, depth_map)
        return depth_map
