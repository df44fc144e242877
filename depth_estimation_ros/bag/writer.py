# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 bags: messages in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from depth_estimation_ros.bag.records import Serialized, Topic, profile


def write(
    path: Path,
    topics: Sequence[Topic],
    recorded: Sequence[Serialized],
    definitions: Mapping[str, str],
) -> None:
    """Write a ROS 2 bag, mcap with zstd, that holds the definitions of its messages.

    Args:
        path: Folder to make.
        topics: All topics, of which some may have no message; without a QoS of their own they
            have that of this package's publishers.
        recorded: The messages in any order.
        definitions: Text of the .msg files of types that ROS itself does not ship.
    """
    types = get_typestore(Stores.LATEST)
    for name, text in definitions.items():
        types.register(get_types_from_msg(text, name))
    writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connections = {
            topic.name: writer.add_connection(
                topic.name,
                topic.kind,
                typestore=types,
                offered_qos_profiles=list(topic.qos) or [profile()],
            )
            for topic in topics
        }
        for message in sorted(recorded, key=lambda one: one.arrived):
            writer.write(connections[message.topic], message.arrived, message.data)
