# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node says that it is: ~/status, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence

from builtin_interfaces.msg import Time as TimeMessage
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from depth_estimation_interfaces.msg import DepthStatus
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.outputs import fill_status
from depth_estimation_ros.ros.stream import CameraStream

_REFUSED = 3  # fits to a sensor in a row, from which on it is said


class StatusTopic:
    """Says on ~/status what the node is, and in the log what it wants, where that is new."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said = self._hinted = ''
        self._topic = node.create_publisher(
            DepthStatus,
            '~/status',
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def publish(self, message: DepthStatus) -> None:
        """Say it; the message has no stamp yet."""
        if str(message) != self._said:  # not message ==, which NaN defeats
            self._said = str(message)
            message.header.stamp = self._node.get_clock().now().to_msg()
            self._topic.publish(message)
        news = re.sub(r'\d+', '', message.hint)  # other figures alone are none
        if news and news != self._hinted:
            self._node.get_logger().warning(message.hint)
        self._hinted = news


def hint_for(stream: CameraStream) -> str:
    """What to do next for this camera; empty when all is well."""
    estimator = stream.pipeline.estimator
    hints = list(filter(None, (estimator.hint, estimator.runtime.hint)))
    if estimator.spec.kind is DepthKind.RELATIVE and stream.calibration is None:
        hints.append(
            'the model answers relative depth: no metres and no cloud until calibrate_scale is '
            'called with pixels of known distance'
        )
    if stream.unfit:
        hints.append(stream.unfit)
    if (checked := stream.pipeline.drift.of(stream.calibration)).drifted:
        hints.append(f'the calibration has {checked}')
    if stream.continuous.following and stream.continuous.in_a_row >= _REFUSED:
        hints.append(
            'fits to the sensor are refused and the calibration stays as it was: /diagnostics '
            'tells why'
        )
    return '; '.join(hints)


def depth_status(streams: Sequence[CameraStream]) -> DepthStatus:
    """The message of ~/status of cameras that share a model, without a stamp."""
    message = DepthStatus()
    hint = '; '.join(dict.fromkeys(filter(None, map(hint_for, streams))))
    calibrations = {stream.name: stream.calibration for stream in streams}
    fill_status(message, streams[0].pipeline.estimator, calibrations, hint, _time)
    return message


def _time(nanoseconds: int) -> TimeMessage:
    seconds, rest = divmod(nanoseconds, 10**9)
    return TimeMessage(sec=seconds, nanosec=rest)
