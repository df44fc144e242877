# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The road of a frame: image in, depth in metres out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.drift import Drift
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.stabilizer import Stabilizer


class DepthPipeline:
    """One camera's road through a network that cameras share.

    Attributes:
        estimator: The network.
        range: Depths in metres between which pixels are trusted.
        latency: Takes the durations of the stages stabilize and calibrate.
        stabilizer: Keeps what the network says in one scale; None leaves it as it is.
        drift: Whether the calibration still fits the scene.
    """

    def __init__(
        self,
        estimator: DepthEstimator,
        valid_range: tuple[float, float],
        latency: Latency | None = None,
        stabilizer: Stabilizer | None = None,
    ) -> None:
        self.estimator = estimator
        self.range = valid_range
        self.latency = latency or Latency()
        self.stabilizer = stabilizer
        self.drift = Drift()
        self._steadied = estimator  # whose answers the stabilizer knows
        self._in_force: tuple[Calibration | None, DepthMap | None] = None, None

    @property
    def calibration(self) -> Calibration | None:
        """The fit in force, or None; one that is set was made before, of unknown frames."""
        return self._in_force[0]

    @calibration.setter
    def calibration(self, calibration: Calibration | None) -> None:
        self.calibrate(calibration)

    def calibrate(self, calibration: Calibration | None, basis: DepthMap | None = None) -> None:
        """Put a calibration in force.

        Args:
            calibration: It, or None.
            basis: The depth map that it was fitted to just now: from there its scale is kept.
        """
        self._in_force = calibration, basis

    def process(self, frame: Frame) -> DepthMap:
        """The depth of one frame.

        Raises:
            ValueError: The image is not [H, W, 3] uint8.
        """
        (depth_map,) = process_together([(self, frame)])
        return depth_map

    def depth_map(self, frame: Frame, prediction: Prediction) -> DepthMap:
        """The depth map of what the network says of the newest frame, kept in scale."""
        drift, (calibration, basis) = 0.0, self._in_force  # once: another may come meanwhile
        if not _belongs(calibration, frame, prediction):
            calibration = basis = None
        if self.stabilizer is not None:
            with self.latency.stage('stabilize'):
                if self._steadied is not self.estimator:
                    self.stabilizer.reset()
                    self._steadied = self.estimator
                steadied = self.stabilizer.steady(frame, prediction, calibration, basis)
                prediction, drift = steadied.prediction, steadied.drift
        drift = math.hypot(drift, self.drift.of(calibration).sigma)
        with self.latency.stage('calibrate'):
            depth_map = self.metres(frame, prediction, calibration, drift)
        self.drift.look(depth_map)
        return depth_map

    def again(self, depth_map: DepthMap) -> DepthMap:
        """A depth map under what is in force now.

        Under a calibration that was fitted on another frame its scale is as sure as the network
        is constant.
        """
        calibration, basis = self._in_force
        drift = depth_map.drift
        if basis is not None and basis.prediction is depth_map.prediction:
            drift = 0.0
        elif self.stabilizer is not None and depth_map.calibration is not calibration:
            drift = self.stabilizer.unsure
        return self.metres(depth_map.frame, depth_map.prediction, calibration, drift)

    def metres(
        self,
        frame: Frame,
        prediction: Prediction,
        calibration: Calibration | None = None,
        drift: float = 0.0,
    ) -> DepthMap:
        """The depth map of a prediction: calibrated, or metric as the network says, or none."""
        fit = None
        if calibration is not None and _belongs(calibration, frame, prediction):
            fit, (near, far) = calibration.fit, self.range
        elif prediction.kind is DepthKind.METRIC:
            # What the network was trained on is in its own metres, which a calibration changes.
            trained = self.estimator.spec.valid_range
            near, far = max(self.range[0], trained[0]), min(self.range[1], trained[1])
            calibration = None
        else:
            return DepthMap(frame, prediction, None)
        depth = prediction.operations.metres(prediction.values, fit, near, far)
        return DepthMap(frame, prediction, depth, calibration, drift if fit is not None else 0.0)


def _belongs(calibration: Calibration | None, frame: Frame, prediction: Prediction) -> bool:
    """Not one of another size of the input, which memory has cut since, nor of another lens."""
    return (
        calibration is not None
        and calibration.preset == prediction.preset
        and calibration.is_of(frame.camera)
    )


def process_together(waiting: Sequence[tuple[DepthPipeline, Frame]]) -> list[DepthMap]:
    """The depth of frames of cameras that share a network, which runs once for all of them.

    Args:
        waiting: Each frame with its camera's road; the roads share one estimator.

    Raises:
        ValueError: One of the images is not [H, W, 3] uint8; none is served then.
    """
    estimator = waiting[0][0].estimator
    predictions = estimator.predict([frame.image for _, frame in waiting])
    return [
        pipeline.depth_map(frame, prediction)
        for (pipeline, frame), prediction in zip(waiting, predictions, strict=True)
    ]
