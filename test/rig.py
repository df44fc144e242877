# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node beside a client on a real ROS graph: rendered frames in, messages and answers out."""

from __future__ import annotations

import array
import time

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros import messages, synthetic
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.ros.node import DepthNode
from depth_estimation_ros.view import View

CAMERA = Camera(
    320, 240, 280.0, 282.0, 161.0, 118.0, 'plumb_bob', (-0.2, 0.05, 0.001, -0.0005, 0.0)
)
_RELIABILITY = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
}


def rendered(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A picture [240, 320, 3] RGB and its exact depth [240, 320] in metres."""
    room = synthetic.make_room(seed)
    return synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])


def image_message(image: np.ndarray, stamp_ns: int = 1_000_000_000) -> Image:
    message = Image(height=image.shape[0], width=image.shape[1], encoding='rgb8')
    message.header.frame_id = 'camera_optical'
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.step = 3 * image.shape[1]
    message.data = array.array('B', image.tobytes())
    return message


def info_message(image: Image, camera: Camera = CAMERA) -> CameraInfo:
    message = CameraInfo(header=image.header)
    messages.fill_camera_info(message, camera)
    return message


class Rig:
    """A node with parameters, and a client that feeds and asks it.

    Args:
        reliability: What the camera offers.
        view: As of the node.
        parameters: Of the node, with `__` for the dot in their names.
    """

    def __init__(
        self, reliability: str = 'reliable', view: View | None = None, **parameters: object
    ) -> None:
        overrides = [
            Parameter(name.replace('__', '.'), value=value) for name, value in parameters.items()
        ]
        self.node = DepthNode(view, parameter_overrides=overrides)
        self.client = Node('client')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.client)
        qos = QoSProfile(depth=5, reliability=_RELIABILITY[reliability])
        self.image = self.client.create_publisher(Image, 'image', qos)
        self.info = self.client.create_publisher(CameraInfo, 'camera_info', qos)

    def close(self) -> None:
        self.executor.shutdown()
        self.client.destroy_node()
        self.node.destroy_node()

    def until(self, condition, what: str, timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f'{what}: not within {timeout} s'
            self.executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.02)

    def connect(self) -> None:
        """Wait until camera and node know each other."""
        topics = (self.image, self.info)
        self.until(
            lambda: all(topic.get_subscription_count() for topic in topics), 'node subscribes'
        )

    def listen(self, message: type, topic: str, latched: bool = False) -> list:
        """What arrives on a topic, in a list that grows; returns once the node knows of it.

        Of a latched topic, once what it holds has arrived.
        """
        arrived: list = []

        def listeners() -> int:
            publishers = [one for one in self.node.publishers if one.topic_name == topic]
            return sum(publisher.get_subscription_count() for publisher in publishers)

        before = listeners()
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        self.client.create_subscription(
            message, topic, arrived.append, QoSProfile(depth=10, durability=durability)
        )
        self.until(lambda: listeners() > before, f'{topic} is published')
        if latched:
            self.until(lambda: arrived, f'{topic} holds something')
        return arrived

    def send(self, image: Image, info: CameraInfo | None = None) -> None:
        if info is not None:
            kept = self.node.streams['']._intrinsics._infos
            before = kept[-1] if kept else None
            self.info.publish(info)
            self.until(lambda: kept and kept[-1] is not before, 'camera_info arrives')
        self.image.publish(image)

    def ask(self, service: type, name: str, **fields: object):
        """The answer of one of the node's services."""
        client = self.client.create_client(service, f'/depth_estimation/{name}')
        self.until(client.service_is_ready, f'{name} is there')
        future = client.call_async(service.Request(**fields))
        self.until(future.done, f'{name} answers', timeout=40.0)
        return future.result()
