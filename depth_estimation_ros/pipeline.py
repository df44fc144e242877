# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The road of a frame: image in, depth in metres out."""

from __future__ import annotations

from collections.abc import Sequence

from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.latency import Latency


class DepthPipeline:
    """One camera's road through a network that cameras share.

    Attributes:
        estimator: The network.
        calibration: The fit in force, or None.
        range: Depths in metres between which pixels are trusted.
        latency: Takes the duration of the stage calibrate.
    """

    def __init__(
        self,
        estimator: DepthEstimator,
        valid_range: tuple[float, float],
        latency: Latency | None = None,
    ) -> None:
        self.estimator = estimator
        self.calibration: Calibration | None = None
        self.range = valid_range
        self.latency = latency or Latency()

    def process(self, frame: Frame) -> DepthMap:
        """The depth of one frame.

        Raises:
            ValueError: The image is not [H, W, 3] uint8.
        """
        (depth_map,) = process_together([(self, frame)])
        return depth_map

    def metres(self, frame: Frame, prediction: Prediction) -> DepthMap:
        """The depth map of a prediction: calibrated, or metric as the network says, or none."""
        calibration, fit = self.calibration, None
        if calibration is not None and calibration.preset != prediction.preset:
            calibration = None  # of another size of the input, which memory has cut since
        if calibration is not None:
            fit, (near, far) = calibration.fit, self.range
        elif prediction.kind is DepthKind.METRIC:
            # What the network was trained on is in its own metres, which a calibration changes.
            trained = self.estimator.spec.valid_range
            near, far = max(self.range[0], trained[0]), min(self.range[1], trained[1])
        else:
            return DepthMap(frame, prediction, None)
        depth = prediction.operations.metres(prediction.values, fit, near, far)
        return DepthMap(frame, prediction, depth, calibration)


def process_together(waiting: Sequence[tuple[DepthPipeline, Frame]]) -> list[DepthMap]:
    """The depth of frames of cameras that share a network, which runs once for all of them.

    Args:
        waiting: Each frame with its camera's road; the roads share one estimator.

    Raises:
        ValueError: One of the images is not [H, W, 3] uint8; none is served then.
    """
    estimator = waiting[0][0].estimator
    predictions = estimator.predict([frame.image for _, frame in waiting])
    depth_maps = []
    for (pipeline, frame), prediction in zip(waiting, predictions, strict=True):
        with pipeline.latency.stage('calibrate'):
            depth_maps.append(pipeline.metres(frame, prediction))
    return depth_maps
