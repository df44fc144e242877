# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bag consists of: topics, and messages as they came over the wire."""

from __future__ import annotations

import dataclasses
from typing import Any

from rosbags.interfaces import (
    MessageDefinition,
    MessageDefinitionFormat,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

_INFINITE = QosTime(9223372036, 854775807)  # how ROS writes it
UNDEFINED = MessageDefinition(MessageDefinitionFormat.NONE, '')


@dataclasses.dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: Its name.
        kind: Type of its messages, `sensor_msgs/msg/Image`.
        qos: What its publishers offer; empty where the bag does not tell.
        definition: Text of the .msg files of its type; UNDEFINED where it is unknown.
        count: How many messages there are; of a damaged bag as many as could be counted.
    """

    name: str
    kind: str
    qos: tuple[Qos, ...] = ()
    definition: MessageDefinition = UNDEFINED
    count: int = 0

    @property
    def latched(self) -> bool:
        """Whether publishers keep messages; old bags do not tell it of static transforms."""
        if not self.qos:
            return self.name.endswith('/tf_static')
        return any(one.durability is QosDurability.TRANSIENT_LOCAL for one in self.qos)


@dataclasses.dataclass(frozen=True)
class Serialized:
    """A message as it came over the wire: its topic's name, time of arrival in ns, CDR bytes."""

    topic: str
    arrived: int
    data: bytes | memoryview


def profile(latched: bool = False) -> Qos:
    """What this package's publishers offer: reliable, keep last 1.

    Args:
        latched: The publisher keeps the last message for late subscribers.
    """
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=_INFINITE,
        lifespan=_INFINITE,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_INFINITE,
        avoid_ros_namespace_conventions=False,
    )


def stamp_of(message: Any) -> int:
    """Nanoseconds of a message's header."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)
