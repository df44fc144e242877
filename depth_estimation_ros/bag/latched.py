# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Latched messages, which would be missed by starting in the middle of a bag."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from depth_estimation_ros.bag import types
from depth_estimation_ros.bag.records import Serialized
from depth_estimation_ros.bag.source import BagSource

_TRANSFORMS = 'tf2_msgs/msg/TFMessage'


def kept(source: BagSource, topics: Collection[str], start: int) -> list[Serialized]:
    """What is latched when a part of a bag begins, as if it arrived at that time.

    It is the last message of each topic. Static transforms come from several publishers, which a
    bag does not tell apart, and are joined into one message.

    Args:
        source: The bag.
        topics: Names of those that matter.
        start: When the part begins, ns.
    """
    latched = {name for name in topics if source.topics[name].latched}
    last: dict[str, Serialized] = {}
    transforms: dict[str, dict[str, Any]] = {}
    for record in source.messages(latched, None, start) if latched else ():
        last[record.topic] = record
        if source.topics[record.topic].kind == _TRANSFORMS:
            try:
                told = source.decode(record).transforms
            except ValueError:  # its bytes are damaged: they are of no use to anybody
                continue
            frames = transforms.setdefault(record.topic, {})
            frames.update((one.child_frame_id, one) for one in told)
    for name, frames in transforms.items():
        message = dataclasses.replace(types.empty(_TRANSFORMS), transforms=[*frames.values()])
        last[name] = dataclasses.replace(last[name], data=types.serialize(message))
    return [dataclasses.replace(record, arrived=start) for record in last.values()]
