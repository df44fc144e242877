# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag to read: its topics, its messages in the order of their arrival."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros.bag.records import Serialized, Topic


class BagSource:
    """An open bag.

    Attributes:
        path: Folder or file.
        topics: Those that it has, by name.
        start, end: Arrival of the first and of the last message, ns; both 0 without messages.
        loss: What of a damaged bag could not be read, one sentence each, which may grow while
            messages are read; empty where all is well.
    """

    def __init__(self, path: Path, reader: AnyReader) -> None:
        self.path, self._reader = path, reader
        self.loss: list[str] = []
        self.topics = {
            name: Topic(
                name,
                info.msgtype or info.connections[0].msgtype,
                tuple(getattr(info.connections[0].ext, 'offered_qos_profiles', ())),
                info.connections[0].msgdef,
                info.msgcount,
            )
            for name, info in reader.topics.items()
        }
        self.start, self.end = reader.start_time, reader.end_time - 1

    def messages(
        self,
        topics: Collection[str] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> Iterator[Serialized]:
        """Messages in the order of their arrival, read as they are asked for.

        Args:
            topics: Names; None: all.
            start, end: Only what arrived at or after, and before, ns.

        Yields:
            Messages as ROS 2 serializes them; those of ROS 1 are converted.
        """
        wanted = [one for one in self._reader.connections if topics is None or one.topic in topics]
        if wanted:
            for connection, arrived, data in self._reader.messages(wanted, start, end):
                yield Serialized(connection.topic, arrived, data)

    def decode(self, record: Serialized) -> Any:
        """The message.

        Raises:
            ValueError: Its type is not known, or its bytes are damaged.
        """
        return self._reader.deserialize(record.data, self.topics[record.topic].kind)


@contextlib.contextmanager
def open_bag(path: Path) -> Iterator[BagSource]:
    """Open a bag for reading.

    Args:
        path: Folder or file of a ROS 2 bag (sqlite3, mcap), or file of a ROS 1 bag.

    Raises:
        FileNotFoundError: There is no such bag.
        ValueError: It is no bag.
    """
    if not path.exists():
        raise FileNotFoundError(f'there is no bag {path}')
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.LATEST)) as reader:
            yield BagSource(path, reader)
    except AnyReaderError as error:
        raise ValueError(f'{path} is no bag that can be read: {error}') from error
