# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What /tf and /tf_static tell, listened to while somebody wants it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time

from depth_estimation_ros.transforms import Transform, Transforms


class TransformListener:
    """The transforms of a node. Held and released on the executor's thread, asked on any.

    Args:
        node: Owner of the subscriptions.
        say: Takes a message about a transform that is refused.
    """

    def __init__(self, node: Node, say: Callable[[str], object]) -> None:
        self._node, self._say = node, say
        self._arrived = threading.Condition()
        self._known = Transforms()
        self._holders = 0
        self._subscriptions: list[Any] = []

    def hold(self) -> None:
        """Listen, until released as often as held.

        Raises:
            ValueError: The messages of transforms are not installed.
        """
        if not self._subscriptions:
            self._subscribe()
        self._holders += 1

    def release(self) -> None:
        """Listen no more, when nobody else holds it."""
        self._holders -= 1
        if self._holders == 0:
            self.destroy()

    def destroy(self) -> None:
        """End the subscriptions, and forget what they told."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        with self._arrived:
            self._known = Transforms()

    def lookup(self, target: str, source: str, stamp: int, within: float) -> Transform:
        """What takes points of the source frame to the target frame at a time in ns.

        Args:
            target, source: Names of frames.
            stamp: Nanoseconds.
            within: Seconds to wait for what is not there yet.

        Raises:
            ValueError: It is not known; the text says what is, and the cure.
        """
        deadline = time.monotonic() + within
        with self._arrived:
            while True:
                try:
                    return self._known.lookup(target, source, stamp)
                except ValueError:
                    left = deadline - time.monotonic()
                    if left <= 0.0:
                        raise
                self._arrived.wait(left)

    def _subscribe(self) -> None:
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError as error:
            raise ValueError(
                'transforms need the package tf2_msgs, which is not installed: install '
                'ros-<distribution>-tf2-msgs, or run scripts/bootstrap'
            ) from error
        latched = DurabilityPolicy.TRANSIENT_LOCAL
        self._subscriptions = [
            self._node.create_subscription(TFMessage, topic, callback, qos)
            for topic, callback, qos in (  # the QoS of tf2_ros' listener
                ('/tf', self._moving, QoSProfile(depth=100)),
                ('/tf_static', self._static, QoSProfile(depth=100, durability=latched)),
            )
        ]

    def _moving(self, message: Any) -> None:
        self._add(message, static=False)

    def _static(self, message: Any) -> None:
        self._add(message, static=True)

    def _add(self, message: Any, static: bool) -> None:
        with self._arrived:
            for one in message.transforms:
                moved, turned = one.transform.translation, one.transform.rotation
                try:
                    transform = Transform.of(
                        (moved.x, moved.y, moved.z), (turned.x, turned.y, turned.z, turned.w)
                    )
                except ValueError as error:
                    self._say(f'/tf of {one.child_frame_id} in {one.header.frame_id}: {error}')
                    continue
                stamp = Time.from_msg(one.header.stamp).nanoseconds
                self._known.add(one.header.frame_id, one.child_frame_id, stamp, transform, static)
            self._arrived.notify_all()
