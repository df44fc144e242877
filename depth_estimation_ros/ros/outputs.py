# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What one camera publishes: only what somebody subscribes to."""

from __future__ import annotations

from typing import Any, NamedTuple

import sensor_msgs.msg
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.outputs import OUTPUTS, OutputMessages
from depth_estimation_ros.view import View

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


class _Topic(NamedTuple):
    """A publisher and its one message, filled again for every frame.

    Publishing serialises before it returns, so the message is free again then.
    """

    publisher: Any
    message: Any

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

    Args:
        node: Owner of the publishers.
        name: Name of the camera, the namespace of its topics; empty for a single one.
        config: The configuration; `config` may be replaced while running, which changes the live
            parameters.
        latency: Takes the durations of the stages colour, cloud and publish.
        view: Shows every depth map, as if it subscribed; None: there is none.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        config: Config,
        latency: Latency,
        view: View | None = None,
    ) -> None:
        self._node, self._name, self._latency, self._view = node, name, latency, view
        self._prefix = f'~/{name}/' if name else '~/'
        self._filled = OutputMessages(config, _empty, sensor_msgs.msg.PointField)
        self.config = config
        self._topics: dict[str, _Topic] = {}
        try:
            for output in OUTPUTS:
                self._topics[output] = self._topic(output)
        except Exception:
            self.destroy()  # a QoS override may be refused
            raise

    def _topic(self, output: str) -> _Topic:
        message, name = self._filled.messages[output], self._prefix + OUTPUTS[output].topic
        overrides = QoSOverridingOptions.with_default_policies()
        publisher = self._node.create_publisher(
            type(message), name, qos(), qos_overriding_options=overrides
        )
        return _Topic(publisher, message)

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._filled.config

    @config.setter
    def config(self, config: Config) -> None:
        self._filled.config = config
        if self._view is not None:
            self._view.config = config

    def wanted(self) -> bool:
        """Whether anybody subscribes to anything."""
        seen = self._view is not None and self._view.wanted
        return seen or any(topic.wanted for topic in self._topics.values())

    def settle_anew(self) -> None:
        """Let the colour range of a model without unit settle again: it is another model."""
        self._filled.settle_anew()
        if self._view is not None:
            self._view.settle_anew()

    def destroy(self) -> None:
        """End the topics."""
        self._filled.close()
        for topic in self._topics.values():
            self._node.destroy_publisher(topic.publisher)

    def publish(self, depth_map: DepthMap, header: Any) -> None:
        """Compute and publish what is subscribed to.

        Args:
            depth_map: The depth of a frame.
            header: The header of its image; every output carries it unchanged.
        """
        wanted = [name for name, topic in self._topics.items() if topic.wanted]
        with self._latency.stage('colour'):
            ready = self._filled.fill_colours(depth_map, wanted)
        with self._latency.stage('cloud'):
            ready += self._filled.fill_cloud(depth_map, wanted)
        with self._latency.stage('publish'):
            ready += self._filled.fill_depth(depth_map, wanted)
            # Before anything goes out: from then on the subscribers want the other core.
            ready += self._filled.fill_compressed()
            for name in OUTPUTS:  # the largest last, which keeps them busy for longest
                if name in ready:
                    self._topics[name].publish(header)
        if self._view is not None:
            self._view.show(self._name, depth_map)


def _empty(kind: str) -> Any:
    return getattr(sensor_msgs.msg, kind)()
