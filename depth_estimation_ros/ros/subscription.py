# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A subscription whose reliability follows its publishers.

Best effort matches every publisher, but loses most large images between processes with Fast DDS'
defaults; reliable loses none, but does not match drivers that offer best effort.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble has it elsewhere
    from rclpy.qos_event import SubscriptionEventCallbacks

_POLICIES = {
    'reliable': ReliabilityPolicy.RELIABLE,
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
}


class AdaptiveSubscription:
    """Keep last 1, volatile; `check` decides the reliability again.

    Args:
        node: Owner.
        message: Type of the messages.
        topic: Name, before remapping.
        policy: 'auto', 'reliable' or 'best_effort'.
        callback: Takes each message.
        on_fault: Takes a message about a publisher whose QoS cannot match.
    """

    def __init__(
        self,
        node: Node,
        message: type[Any],
        topic: str,
        policy: str,
        callback: Callable[[Any], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._node, self._message, self._policy = node, message, policy
        self._callback, self._on_fault = callback, on_fault
        self.topic = node.resolve_topic_name(topic)
        self.reliability = self._decide()
        self._subscription = self._create()

    def check(self) -> None:
        """Subscribe anew when the publishers ask for another reliability."""
        decided = self._decide()
        if decided is not self.reliability:
            self._node.destroy_subscription(self._subscription)
            self.reliability = decided
            self._subscription = self._create()

    def publishers(self) -> int:
        """How many publish on the topic, whether their QoS matches or not."""
        return int(self._node.count_publishers(self.topic))

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    def _decide(self) -> ReliabilityPolicy:
        if self._policy != 'auto':
            return _POLICIES[self._policy]
        offered = self._node.get_publishers_info_by_topic(self.topic)
        if any(info.qos_profile.reliability is ReliabilityPolicy.BEST_EFFORT for info in offered):
            return ReliabilityPolicy.BEST_EFFORT
        return ReliabilityPolicy.RELIABLE

    def _create(self) -> Any:
        qos = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=1,
            reliability=self.reliability,
            durability=DurabilityPolicy.VOLATILE,
        )
        return self._node.create_subscription(
            self._message,
            self.topic,
            self._callback,
            qos,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._incompatible),
        )

    def _incompatible(self, event: Any) -> None:
        if self._policy == 'auto' and self._decide() is not self.reliability:
            return  # the next check mends it
        self._on_fault(
            f'a publisher of {self.topic} offers a {_policy_name(event.last_policy_kind)} that '
            f'this subscription ({self.reliability.name.lower()}, volatile) cannot take: set '
            'qos.image to auto or best_effort, or change the publisher'
        )


def _policy_name(kind: Any) -> str:
    """`RMW_QOS_POLICY_RELIABILITY`, or a number in older distributions, to `reliability`."""
    return str(qos_policy_name_from_kind(kind)).lower()
