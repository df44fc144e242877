# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What one camera publishes: only what somebody subscribes to, and only what is true."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField

from depth_estimation_ros import messages
from depth_estimation_ros.colorize import SettlingRange
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.latency import Latency

# What rclpy raises when the context has ended.
_ENDED = (rclpy_implementation.RCLError, rclpy_implementation.InvalidHandle)


def qos() -> QoSProfile:
    """What is offered: matches RViz' defaults. A new one each time: rclpy overrides in place."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
    )


@dataclasses.dataclass(frozen=True)
class _Topic:
    """A publisher and its one message, filled again for every frame.

    Publishing serialises before it returns, so the message is free again then.
    """

    publisher: Any
    message: Any

    @classmethod
    def create(cls, node: Node, message: type[Any], name: str) -> _Topic:
        overrides = QoSOverridingOptions.with_default_policies()
        return cls(
            node.create_publisher(message, name, qos(), qos_overriding_options=overrides),
            message(),
        )

    @property
    def wanted(self) -> bool:
        try:
            return bool(self.publisher.get_subscription_count())
        except _ENDED:  # by Ctrl-C, at any time
            return False

    def publish(self, header: Any) -> None:
        self.message.header = header
        self.publisher.publish(self.message)


class Outputs:
    """The published topics of one camera.

    A relative model without calibration has no depth: it publishes inverse depth and colour.

    Args:
        node: Owner of the publishers.
        name: Name of the camera, the namespace of its topics; empty for a single one.
        config: The configuration; `config` may be replaced while running, which changes the live
            parameters.
        latency: Takes the durations of the stages colour, cloud and publish.
    """

    def __init__(self, node: Node, name: str, config: Config, latency: Latency) -> None:
        self.config = config
        self._node, self._latency = node, latency
        prefix = f'~/{name}/' if name else '~/'
        self._relative_range = SettlingRange()
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix='jpeg')
        self._topics: list[_Topic] = []
        try:
            self._depth = self._topic(Image, f'{prefix}depth/image')
            self._camera_info = self._topic(CameraInfo, f'{prefix}depth/camera_info')
            self._inverse_depth = self._topic(Image, f'{prefix}inverse_depth/image')
            self._colorized = self._topic(Image, f'{prefix}colorized/image')
            self._jpeg = self._topic(CompressedImage, f'{prefix}colorized/image/compressed')
            self._points = self._topic(PointCloud2, f'{prefix}points')
        except Exception:
            self.destroy()  # a QoS override may be refused
            raise

    def _topic(self, message: type[Any], name: str) -> _Topic:
        self._topics.append(_Topic.create(self._node, message, name))
        return self._topics[-1]

    def wanted(self) -> bool:
        """Whether anybody subscribes to anything."""
        return any(topic.wanted for topic in self._topics)

    def settle_anew(self) -> None:
        """Let the colour range of a model without unit settle again: it is another model."""
        self._relative_range = SettlingRange()

    def destroy(self) -> None:
        """End the topics."""
        self._encoder.shutdown()
        for topic in self._topics:
            self._node.destroy_publisher(topic.publisher)

    def publish(self, depth_map: DepthMap, header: Any) -> None:
        """Compute and publish what is subscribed to.

        Args:
            depth_map: The depth of a frame.
            header: The header of its image; every output carries it unchanged.
        """
        ready: list[_Topic] = []
        with self._latency.stage('colour'):
            jpeg = self._fill_colours(depth_map, ready)
        with self._latency.stage('cloud'):
            self._fill_cloud(depth_map, ready)
        with self._latency.stage('publish'):
            self._fill_depth(depth_map, ready)
            if jpeg is not None:
                # Before anything goes out: from then on the subscribers want the other core.
                messages.fill_compressed(self._jpeg.message, jpeg.result())
                ready.append(self._jpeg)
            for topic in ready:
                topic.publish(header)

    def _fill_colours(self, depth_map: DepthMap, ready: list[_Topic]) -> Future[Any] | None:
        """Paint; the JPEG is encoded on the other core while the rest is made."""
        colorized, compressed = self._colorized.wanted, self._jpeg.wanted
        if not (colorized or compressed):
            return None
        values, operations = depth_map.prediction.values, depth_map.prediction.operations
        height, width = values.shape
        picture = messages.image_view(self._colorized.message, height, width, 'rgb8')
        options = self.config.colorize
        if depth_map.depth is not None:
            operations.colorize(
                depth_map.depth, options.min, options.max, options.colormap, picture
            )
        else:
            low, high = self._relative_range.update(values)
            operations.colorize_inverse(values, low, high, options.colormap, picture)
        if colorized:
            ready.append(self._colorized)
        return self._encoder.submit(_jpeg, picture, options.jpeg_quality) if compressed else None

    def _fill_cloud(self, depth_map: DepthMap, ready: list[_Topic]) -> None:
        camera = depth_map.frame.camera
        if depth_map.depth is None or camera is None or not self._points.wanted:
            return
        points = messages.cloud_view(self._points.message, camera.height, camera.width, PointField)
        operations, image = depth_map.prediction.operations, depth_map.frame.image
        edges = self.config.points.edges
        operations.cloud(depth_map.depth, camera.rays(), image, edges, points)
        ready.append(self._points)

    def _fill_depth(self, depth_map: DepthMap, ready: list[_Topic]) -> None:
        """Depth with its camera_info, and what a relative model says."""
        prediction, depth = depth_map.prediction, depth_map.depth
        if prediction.kind is DepthKind.RELATIVE and self._inverse_depth.wanted:
            values = np.asarray(prediction.values)
            messages.fill_image(self._inverse_depth.message, values, '32FC1')
            ready.append(self._inverse_depth)
        if depth is None:
            return
        if self._depth.wanted:
            millimetres = self.config.depth.encoding == '16UC1'
            metres = np.asarray(depth)
            image = messages.depth_to_millimetres(metres) if millimetres else metres
            messages.fill_image(self._depth.message, image, self.config.depth.encoding)
            ready.append(self._depth)
        camera = depth_map.frame.camera
        if camera is not None and (self._depth.wanted or self._camera_info.wanted):
            messages.fill_camera_info(self._camera_info.message, camera)
            ready.append(self._camera_info)


def _jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data
