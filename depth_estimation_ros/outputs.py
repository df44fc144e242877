# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages that are made of one camera's depth maps, whoever takes them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import messages
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.painter import Painter


class Output(NamedTuple):
    """The topic of an output below that of its camera, and its type in sensor_msgs."""

    topic: str
    kind: str


OUTPUTS = {
    'depth': Output('depth/image', 'Image'),
    'camera_info': Output('depth/camera_info', 'CameraInfo'),
    'inverse_depth': Output('inverse_depth/image', 'Image'),
    'colorized': Output('colorized/image', 'Image'),
    'compressed': Output('colorized/image/compressed', 'CompressedImage'),
    'points': Output('points', 'PointCloud2'),
}


class OutputMessages:
    """A message for each output, filled again for every depth map.

    A relative model without calibration has no depth: of it come inverse depth and colour.
    Each step takes the names of the outputs that are wanted, and tells those that it has filled.

    Args:
        config: The configuration; `config` may be replaced, which changes the next depth map.
        create: Makes an empty message of a type of sensor_msgs, named `Image`.
        point_field: The class sensor_msgs/PointField.

    Attributes:
        messages: By name of the output.
    """

    def __init__(
        self, config: Config, create: Callable[[str], Any], point_field: Callable[..., Any]
    ) -> None:
        self.config = config
        self.messages = {name: create(output.kind) for name, output in OUTPUTS.items()}
        self._point_field = point_field
        self._painter = Painter(config.colorize)
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix='jpeg')
        self._jpeg: Future[Any] | None = None

    def settle_anew(self) -> None:
        """Let the colour range of a model without unit settle again: it is another model."""
        self._painter = Painter(self.config.colorize)

    def close(self) -> None:
        """End the thread that encodes."""
        self._encoder.shutdown()

    def fill(self, depth_map: DepthMap, wanted: Container[str]) -> list[str]:
        """All steps, one after the other."""
        return [
            *self.fill_colours(depth_map, wanted),
            *self.fill_cloud(depth_map, wanted),
            *self.fill_depth(depth_map, wanted),
            *self.fill_compressed(),
        ]

    def fill_colours(self, depth_map: DepthMap, wanted: Container[str]) -> list[str]:
        """Paint; the JPEG is encoded on the other core while the rest is made."""
        self._jpeg = None
        colorized, compressed = 'colorized' in wanted, 'compressed' in wanted
        if not (colorized or compressed):
            return []
        height, width = depth_map.prediction.values.shape
        picture = messages.image_view(self.messages['colorized'], height, width, 'rgb8')
        self._painter.options = options = self.config.colorize
        self._painter.paint(depth_map, picture)
        if compressed:
            self._jpeg = self._encoder.submit(jpeg, picture, options.jpeg_quality)
        return ['colorized'] if colorized else []

    def fill_cloud(self, depth_map: DepthMap, wanted: Container[str]) -> list[str]:
        """The points, where there are metres and a camera."""
        camera = depth_map.frame.camera
        if depth_map.depth is None or camera is None or 'points' not in wanted:
            return []
        message = self.messages['points']
        points = messages.cloud_view(message, camera.height, camera.width, self._point_field)
        operations, image = depth_map.prediction.operations, depth_map.frame.image
        edges = self.config.points.edges
        operations.cloud(depth_map.depth, camera.rays(), image, edges, points)
        return ['points']

    def fill_depth(self, depth_map: DepthMap, wanted: Container[str]) -> list[str]:
        """Depth with its camera_info, and what a relative model says."""
        filled = []
        prediction, depth = depth_map.prediction, depth_map.depth
        if prediction.kind is DepthKind.RELATIVE and 'inverse_depth' in wanted:
            values = np.asarray(prediction.values)
            messages.fill_image(self.messages['inverse_depth'], values, '32FC1')
            filled.append('inverse_depth')
        if depth is None:
            return filled
        if 'depth' in wanted:
            encoding, metres = self.config.depth.encoding, np.asarray(depth)
            image = messages.depth_to_millimetres(metres) if encoding == '16UC1' else metres
            messages.fill_image(self.messages['depth'], image, encoding)
            filled.append('depth')
        camera = depth_map.frame.camera
        if camera is not None and ('depth' in wanted or 'camera_info' in wanted):
            messages.fill_camera_info(self.messages['camera_info'], camera)
            filled.append('camera_info')
        return filled

    def fill_compressed(self) -> list[str]:
        """The JPEG that `fill_colours` has begun, once it is encoded."""
        if self._jpeg is None:
            return []
        messages.fill_compressed(self.messages['compressed'], self._jpeg.result())
        return ['compressed']


def fill_status(
    message: Any,
    estimator: DepthEstimator,
    calibrations: Mapping[str, Calibration | None],
    hint: str,
    time: Callable[[int], Any],
) -> None:
    """Fill a DepthStatus with what is at work; its header is left as it is.

    Args:
        message: The message.
        estimator: The network.
        calibrations: What is in force, by name of the camera.
        hint: What to do next; empty when all is well.
        time: Makes a builtin_interfaces/Time of nanoseconds.
    """
    message.model, message.licence = estimator.spec.name, estimator.spec.licence
    message.runtime, message.device = estimator.runtime.name, estimator.runtime.device
    message.network_width, message.network_height = estimator.network_size
    message.cameras, in_force = list(calibrations), list(calibrations.values())
    message.calibrated = [one is not None for one in in_force]
    nan = float('nan')
    message.scale = [nan if one is None else one.fit.scale for one in in_force]
    message.shift = [nan if one is None else one.fit.shift for one in in_force]
    message.rms_relative_error = [
        nan if one is None else one.fit.rms_relative_error for one in in_force
    ]
    message.calibrated_at = [time(0 if one is None else one.created) for one in in_force]
    message.depth_kind = (
        DepthKind.CALIBRATED if all(message.calibrated) else estimator.spec.kind
    ).value
    message.hint = hint


def jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The bytes of a JPEG of [H, W, 3] uint8 RGB, at a quality of 1 to 100."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data
