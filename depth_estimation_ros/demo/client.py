# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A client of the node: subscribes to everything, keeps what it is told to, and asks."""

from __future__ import annotations

import collections
import contextlib
import struct
import time
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from depth_estimation_interfaces.msg import DepthStatus
from depth_estimation_ros.bag import Serialized, Topic, profile

NODE = '/depth_estimation'
IMAGE, INFO, TRUTH = '/camera/image', '/camera/camera_info', '/camera/depth'
DEPTH, DEPTH_INFO = f'{NODE}/depth/image', f'{NODE}/depth/camera_info'
INVERSE_DEPTH = f'{NODE}/inverse_depth/image'
COLORIZED, COMPRESSED = f'{NODE}/colorized/image', f'{NODE}/colorized/image/compressed'
POINTS, STATUS, DIAGNOSTICS = f'{NODE}/points', f'{NODE}/status', '/diagnostics'
KINDS: dict[str, type[Any]] = {
    IMAGE: Image,
    INFO: CameraInfo,
    TRUTH: Image,
    DEPTH: Image,
    DEPTH_INFO: CameraInfo,
    INVERSE_DEPTH: Image,
    COLORIZED: Image,
    COMPRESSED: CompressedImage,
    POINTS: PointCloud2,
    STATUS: DepthStatus,
    DIAGNOSTICS: DiagnosticArray,
}
TOPICS = tuple(
    Topic(
        name,
        kind.__module__.split('.')[0] + '/msg/' + kind.__name__,
        (profile(latched=name == STATUS),),
    )
    for name, kind in KINDS.items()
)
_QUEUE = 10


class Client(contextlib.AbstractContextManager['Client']):
    """Hears all topics of camera and node as bytes; opens ROS, and as a context closes it.

    Args:
        domain: ROS domain.
        check: Called while waiting; raises when waiting is in vain.

    Attributes:
        heard: Times of every message by topic: arrival and header stamp, ns.
        kept: The messages since `record`, by topic and header stamp, and always the newest status.
        status, diagnostics: The newest, or None.
    """

    def __init__(self, domain: int, check: Callable[[], None]) -> None:
        self.heard: dict[str, list[tuple[int, int]]] = {topic: [] for topic in KINDS}
        self.kept: dict[str, dict[int, Serialized]] = {topic: {} for topic in KINDS}
        self.status: Any = None
        self.diagnostics: Any = None
        self._check = check
        self._since: int | None = None
        rclpy.init(domain_id=domain)
        self._node = Node('demo_client')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        for topic, kind in KINDS.items():
            latched = topic == STATUS
            durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
            qos = QoSProfile(depth=_QUEUE, durability=durability)
            self._node.create_subscription(kind, topic, self._hear(topic), qos, raw=True)

    def __exit__(self, *_error: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _hear(self, topic: str) -> Callable[[bytes], None]:
        def hear(data: bytes) -> None:
            message = Serialized(topic, time.time_ns(), data)
            stamp = stamp_of(data)
            self.heard[topic].append((message.arrived, stamp))
            if topic == STATUS:
                self.status = deserialize_message(data, DepthStatus)
                self.kept[topic] = {stamp: message}
            elif topic == DIAGNOSTICS:
                self.diagnostics = deserialize_message(data, DiagnosticArray)
            if self._since is not None and stamp >= self._since:
                self.kept[topic][stamp] = message

        return hear

    def record(self) -> None:
        """Keep what is stamped from now on, in place of what was kept before."""
        self.kept = {topic: {} for topic in KINDS} | {STATUS: self.kept[STATUS]}
        self._since = time.time_ns()

    def stop_recording(self) -> None:
        """Keep no more; what was kept stays."""
        self._since = None

    def stamps(self, *topics: str) -> list[int]:
        """Stamps of the frames that were kept on all of these topics, in order."""
        return sorted(set.intersection(*(set(self.kept[topic]) for topic in topics)))

    def message(self, topic: str, stamp: int) -> Any:
        """A message that was kept."""
        return deserialize_message(self.kept[topic][stamp].data, KINDS[topic])

    def until(self, condition: Callable[[], object], what: str, timeout: float = 30.0) -> None:
        """Hear until a condition holds.

        Raises:
            TimeoutError: It does not, within so many seconds.
            KeyboardInterrupt: Someone wants this process to end.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f'{what}: not within {timeout:.0f} s')
            self._spin()

    def listen(self, seconds: float) -> None:
        """Hear for some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._spin()

    def _spin(self) -> None:
        self._check()
        try:
            self._executor.spin_once(timeout_sec=0.05)
        except ExternalShutdownException:
            raise KeyboardInterrupt from None

    def ask(self, service: type[Any], name: str, **request: Any) -> Any:
        """The answer of one of the node's services."""
        client = self._node.create_client(service, f'{NODE}/{name}')
        self.until(client.service_is_ready, f'the service {name} is there')
        future = client.call_async(service.Request(**request))
        self.until(future.done, f'{name} answers')
        self._node.destroy_client(client)
        return future.result()

    def count(self) -> collections.Counter[str]:
        """How many messages came, by topic."""
        return collections.Counter({topic: len(times) for topic, times in self.heard.items()})


def stamp_of(data: bytes) -> int:
    """Nanoseconds of the header that every message here begins with.

    CDR has four bytes of its own first, the second of which tells the byte order.
    """
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] else '>iI', data, 4)
    return int(seconds) * 10**9 + int(nanoseconds)
