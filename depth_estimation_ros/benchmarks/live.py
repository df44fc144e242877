# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node beside a recording, fed over DDS: the next frame when depth of the last has come."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros.bag.records import stamp_of
from depth_estimation_ros.bag.source import open_bag
from depth_estimation_ros.demo.processes import Processes, free_domain

_IMAGE, _INFO = '/camera/image_raw', '/camera/camera_info'
_DEPTH = '/depth_estimation/depth/image'
_PATIENCE = 60.0  # seconds

Described = tuple[int, int, str, int, bytes]  # size, encoding, step and data of an image


def depth_images(bag: Path) -> dict[int, Described]:
    """The depth images of a bag, by stamp in ns."""
    with open_bag(bag) as source:
        messages = (source.decode(record) for record in source.messages({_DEPTH}))
        return {stamp_of(message): _described(message) for message in messages}


def published(bag: Path, runtime: str) -> dict[int, Described]:
    """The depth images that the node publishes of a bag's frames, by stamp in ns.

    Raises:
        TimeoutError: It does not come, or depth does not.
    """
    domain = free_domain()
    remapped = ('-r', f'image:={_IMAGE}', '-r', f'camera_info:={_INFO}')
    parameters = ('-p', 'model:=bundled', '-p', 'device:=cpu', '-p', f'runtime:={runtime}')
    with tempfile.TemporaryDirectory() as logs, Processes(domain, Path(logs)) as processes:
        processes.start('node', 'cli', 'node', '--ros-args', *remapped, *parameters)
        with _Feeder.on(domain) as feeder, open_bag(bag) as source:
            feeder.until(feeder.connected, 'the node', processes)
            infos = (one.data for one in source.messages({_INFO}))
            images = (one.data for one in source.messages({_IMAGE}))
            for image, info in zip(images, infos, strict=True):
                feeder.feed(bytes(image), bytes(info), processes)
            return feeder.depth


class _Feeder:
    """A camera and a listener on the node's ROS graph."""

    def __init__(self, node: Any, executor: SingleThreadedExecutor) -> None:
        self._node, self._executor = node, executor
        self.depth: dict[int, Described] = {}
        self._image = node.create_publisher(Image, _IMAGE, 1)
        self._info = node.create_publisher(CameraInfo, _INFO, 1)
        node.create_subscription(Image, _DEPTH, self._hear, 1)

    @classmethod
    @contextlib.contextmanager
    def on(cls, domain: int) -> Iterator[_Feeder]:
        """One on this ROS domain."""
        context = rclpy.Context()
        context.init(domain_id=domain)
        node = rclpy.create_node('recording', context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield cls(node, executor)
        finally:
            executor.shutdown()
            node.destroy_node()
            context.shutdown()

    def _hear(self, message: Image) -> None:
        self.depth[stamp_of(message)] = _described(message)

    def connected(self) -> bool:
        """Whether the node takes what is sent, and is heard."""
        sent = (self._image.get_subscription_count(), self._info.get_subscription_count())
        return all(sent) and bool(self._node.count_publishers(_DEPTH))

    def feed(self, image: bytes, info: bytes, processes: Processes) -> None:
        """Send a frame, and wait for its depth."""
        stamp = stamp_of(deserialize_message(image, Image))
        self._info.publish(info)
        self._info.wait_for_all_acked(Duration(seconds=_PATIENCE))
        if not self.depth:
            time.sleep(0.5)  # the node has it, and takes it up before the image that follows
        self._image.publish(image)
        self.until(lambda: stamp in self.depth, f'depth of {stamp}', processes)

    def until(self, condition: Any, what: str, processes: Processes) -> None:
        """Listen until it holds."""
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            processes.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f'{what} did not come within {_PATIENCE:.0f} s')
            self._executor.spin_once(timeout_sec=0.05)


def _described(message: Any) -> Described:
    return (message.width, message.height, message.encoding, message.step, bytes(message.data))
