# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands beside a camera and knows distances: a depth camera, a lidar, gravity."""

from __future__ import annotations

import collections
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import Image, PointCloud2

from depth_estimation_ros import messages
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import Array
from depth_estimation_ros.ros.subscription import AdaptiveSubscription
from depth_estimation_ros.ros.transforms import TransformListener

_KEPT = 20  # messages, to find the one that belongs to an image that took a while
_RECENT = 10**9  # ns before the newest depth map that one may be matched
_LOOK_AGAIN = 0.02  # seconds between looks at what has come


class Match(NamedTuple):
    """What a sensor says, and the depth map of an image taken at that time."""

    depth_map: DepthMap
    reading: Any


class _Topic:
    """The topic of a sensor, subscribed to while somebody holds it."""

    def __init__(self, subscribe: Callable[[Callable[[Any], None]], AdaptiveSubscription]) -> None:
        self._subscribe = subscribe
        self._holders = 0
        self.kept: collections.deque[Any] = collections.deque(maxlen=_KEPT)
        self.subscription: AdaptiveSubscription | None = None

    def hold(self) -> None:
        if self.subscription is None:
            self.subscription = self._subscribe(self._take)
        self._holders += 1

    def release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            self.destroy()

    def _take(self, message: Any) -> None:
        if self.kept and _stamp(message) < _stamp(self.kept[-1]):
            self.kept.clear()  # time has jumped back, as where a bag begins again
        self.kept.append(message)

    def destroy(self) -> None:
        if self.subscription is not None:
            self.subscription.destroy()
        self.subscription = None
        self.kept.clear()


class Sensors:
    """The sensors of one camera. Held on the executor's thread, asked on any.

    Args:
        node: Owner of the topics.
        name: Name of the camera, the namespace of its topics; empty for a single one.
        config: The configuration.
        transforms: Where frames lie to each other.
        on_fault: Takes a message about a publisher whose QoS cannot match.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        config: Config,
        transforms: TransformListener,
        on_fault: Callable[[str], None],
    ) -> None:
        self._transforms = transforms
        prefix = f'{name}/reference/' if name else 'reference/'

        def topic(message: type[Any], last: str) -> _Topic:
            return _Topic(
                lambda callback: AdaptiveSubscription(
                    node, message, prefix + last, config.qos.image, callback, on_fault
                )
            )

        self._topics = {'depth': topic(Image, 'depth'), 'points': topic(PointCloud2, 'points')}

    @property
    def subscriptions(self) -> list[AdaptiveSubscription]:
        """Those that are open."""
        return [one.subscription for one in self._topics.values() if one.subscription is not None]

    @contextlib.contextmanager
    def held(self, sensor: str) -> Iterator[None]:
        """Listen to a sensor (depth, points, down, or empty) for the body of a `with`.

        Raises:
            ValueError: It needs transforms, whose messages are not installed.
        """
        with contextlib.ExitStack() as stack:
            if sensor in ('points', 'down'):
                self._transforms.hold()
                stack.callback(self._transforms.release)
            if sensor in self._topics:
                self._topics[sensor].hold()
                stack.callback(self._topics[sensor].release)
            yield

    def destroy(self) -> None:
        """End the topics."""
        for topic in self._topics.values():
            topic.destroy()

    def match(
        self, sensor: str, maps: Callable[[], Sequence[DepthMap]], max_age: float, within: float
    ) -> Match:
        """What a sensor says, with the depth map whose stamp is nearest to it.

        Args:
            sensor: depth: [H', W'] float32 m, or points: [N, 3] m in the optical frame.
            maps: Gives the depth maps at hand, at least one, the newest last.
            max_age: Seconds that the stamps may lie apart.
            within: Seconds to wait for such a pair.

        Raises:
            ValueError: None came, it is too old, or it is not what it should be.
        """
        deadline = time.monotonic() + within
        while True:
            at_hand = maps()
            pair = self._nearest(sensor, at_hand)
            apart = np.inf if pair is None else abs(_age(*pair))
            if apart <= max_age and pair is not None:
                depth_map, message = pair
                left = max(deadline - time.monotonic(), 0.0)
                return Match(depth_map, self._reading(sensor, message, depth_map, left))
            if time.monotonic() >= deadline:
                raise ValueError(self._why_none(sensor, at_hand, max_age, within))
            time.sleep(_LOOK_AGAIN)

    def gravity(
        self, depth_map: DepthMap, ground_frame: str, within: float
    ) -> tuple[Array, float]:
        """Down as a unit vector [3] in the optical frame, and the camera's height in metres.

        Args:
            depth_map: At whose time.
            ground_frame: A frame whose origin lies on the ground and whose z axis points up.
            within: Seconds to wait for the transform.

        Raises:
            ValueError: The transform is not known.
        """
        frame = depth_map.frame
        found = self._transforms.lookup(frame.frame_id, ground_frame, frame.stamp, within)
        return -found.matrix()[:, 2], float(found.inverse().translation[2])

    def _nearest(self, sensor: str, maps: Sequence[DepthMap]) -> tuple[DepthMap, Any] | None:
        arrived = list(self._topics[sensor].kept)
        if not arrived:
            return None
        oldest = maps[-1].frame.stamp - _RECENT
        pairs = [(one, m) for one in maps if one.frame.stamp >= oldest for m in arrived]
        return min(pairs, key=lambda pair: abs(_age(*pair)))

    def _reading(self, sensor: str, message: Any, depth_map: DepthMap, within: float) -> Any:
        target, source = depth_map.frame.frame_id, message.header.frame_id
        if sensor == 'points':
            found = self._transforms.lookup(target, source, _stamp(message), within)
            return found.apply(messages.decode_points(message))
        if target and source and target != source:
            raise ValueError(
                f'the depth image is of frame {source}, the image of {target}: it must be '
                'registered to the camera (depth_image_proc, or align_depth of its driver)'
            )
        return messages.decode_depth(message)

    def _why_none(
        self, sensor: str, maps: Sequence[DepthMap], max_age: float, within: float
    ) -> str:
        subscription = self._topics[sensor].subscription
        if subscription is None:
            return f'the topic of the sensor ({sensor}) is closed: the node was cleaned up'
        pair = self._nearest(sensor, maps[-1:])
        if pair is None:
            there = subscription.publishers() or 'nobody'
            return (
                f'nothing has arrived on {subscription.topic} within {within:g} s, where {there} '
                'publishes: is the sensor running, and remapped to it?'
            )
        age = _age(*pair)
        return (
            f'the sensor data of {subscription.topic} is stale: {abs(age):.3f} s '
            f'{"older" if age > 0.0 else "newer"} than the image, and max_age is {max_age:g} s; '
            'is the sensor still running, and its clock that of the camera?'
        )


def _age(depth_map: DepthMap, message: Any) -> float:
    """Seconds by which a message is older than the image."""
    return float(depth_map.frame.stamp - _stamp(message)) / 1e9


def _stamp(message: Any) -> int:
    return int(Time.from_msg(message.header.stamp).nanoseconds)
