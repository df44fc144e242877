# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is written of one camera's depth maps, and how far they are from a depth camera."""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.bag import types
from depth_estimation_ros.bag.records import Serialized, Topic, profile
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.metrics import depth_errors
from depth_estimation_ros.outputs import OUTPUTS, OutputMessages

_SCORES = {'AbsRel': 'abs_rel', 'RMSE': 'rmse', 'delta1': 'delta1'}


class Answers:
    """The outputs of one camera, as messages of its topics.

    Args:
        prefix: Of the topics, with the slash that ends it.
        wanted: Names of the outputs.
        config: How they look.

    Attributes:
        topics: Those that it writes.
        counts: Messages by topic.
        without_metres: How many depth maps had none.
    """

    def __init__(self, prefix: str, wanted: Collection[str], config: Config) -> None:
        self._wanted = {*wanted, 'camera_info'} if 'depth' in wanted else set(wanted)
        self._names = {name: prefix + OUTPUTS[name].topic for name in OUTPUTS}
        self.topics = [
            Topic(self._names[name], f'sensor_msgs/msg/{output.kind}', (profile(),))
            for name, output in OUTPUTS.items()
            if name in self._wanted
        ]
        self._filled = OutputMessages(config, _empty, types.typestore().types[_FIELD])
        self.counts: collections.Counter[str] = collections.Counter()
        self.without_metres = 0
        self._errors: dict[bool, list[list[float]]] = {False: [], True: []}

    def close(self) -> None:
        """End the thread that encodes."""
        self._filled.close()

    def records(self, depth_map: DepthMap, arrived: int) -> Iterator[Serialized]:
        """The messages of a depth map, with the header and the arrival of its image."""
        header = stamped(depth_map.frame.stamp, depth_map.frame.frame_id)
        self.without_metres += depth_map.depth is None
        for name in self._filled.fill(depth_map, self._wanted):
            message = self._filled.messages[name]
            message.header = header
            self.counts[self._names[name]] += 1
            yield Serialized(self._names[name], arrived, types.serialize(message))

    def compare(self, depth_map: DepthMap, reference: NDArray[np.float32], fitted: bool) -> None:
        """Note how far depth is from what a depth camera saw, in metres.

        Args:
            depth_map: The depth that is written.
            reference: [H', W'] float32 m, NaN unknown.
            fitted: Whether depth was calibrated against this very reference.
        """
        if depth_map.depth is None:
            return
        depth = np.asarray(depth_map.depth)
        if reference.shape != depth.shape:
            reference = _resized(reference, *depth.shape[::-1])
        errors = depth_errors(depth, reference)
        if errors.pixels:
            self._errors[fitted].append([getattr(errors, name) for name in _SCORES.values()])

    def scores(self, fitted: bool) -> dict[str, float]:
        """Means over the frames that were compared, and how many these are; empty for none.

        Args:
            fitted: Of those that were calibrated against what they are compared with, whose
                errors are too small, or of the others.
        """
        errors = self._errors[fitted]
        if not errors:
            return {}
        means = np.mean(errors, axis=0).tolist()
        return {**dict(zip(_SCORES, means, strict=True)), 'frames': len(errors)}


def _resized(depth: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Depth at the nearest pixel: what lies between two surfaces is none."""
    resized = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.float32)


_FIELD = 'sensor_msgs/msg/PointField'


def _empty(kind: str) -> Any:
    return types.empty(f'sensor_msgs/msg/{kind}')


def stamped(stamp: int, frame_id: str = '') -> Any:
    """A std_msgs/Header of a time in ns."""
    header = types.empty('std_msgs/msg/Header')
    header.stamp, header.frame_id = time(stamp), frame_id
    return header


def time(nanoseconds: int) -> Any:
    """A builtin_interfaces/Time."""
    message = types.empty('builtin_interfaces/msg/Time')
    message.sec, message.nanosec = divmod(nanoseconds, 10**9)
    return message
