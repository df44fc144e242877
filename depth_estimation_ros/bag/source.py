# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag to read: its topics, its messages in the order of their arrival."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from rosbags.interfaces import Connection

from depth_estimation_ros.bag import compression
from depth_estimation_ros.bag.definitions import Definitions, is_ros1
from depth_estimation_ros.bag.files import files_of, readable
from depth_estimation_ros.bag.records import Serialized, Topic, profile
from depth_estimation_ros.bag.scan import merged
from depth_estimation_ros.bag.storage import Storage


class BagSource:
    """An open bag; what is damaged of it is left out, and told.

    Attributes:
        path: Folder or file.
        topics: Those that it has, by name.
        start, end: Arrival of the first and of the last message, ns; both 0 without messages.
    """

    def __init__(
        self, path: Path, storages: Sequence[tuple[str, Storage]], loss: list[str]
    ) -> None:
        self.path, self._storages, self._loss = path, storages, loss
        connections = [one for _, storage in storages for one in storage.connections]
        self._definitions = Definitions(connections)
        self._bad: collections.Counter[str] = collections.Counter()
        self.topics: dict[str, Topic] = {}
        for connection in connections:
            self._add(connection)
        filled = [one for _, one in storages if one.start_time < one.end_time]
        self.start = min((one.start_time for one in filled), default=0)
        self.end = max((one.end_time - 1 for one in filled), default=0)

    @property
    def loss(self) -> list[str]:
        """What could not be read, a sentence each; more may come while messages are read."""
        of_files = [f'{name}: {one}' for name, storage in self._storages for one in storage.loss]
        bad = [f'{count} times: {reason}' for reason, count in self._bad.items()]
        return list(dict.fromkeys([*self._loss, *of_files, *bad]))

    def _add(self, connection: Connection) -> None:
        """A connection may be one of several of its topic: of other files, or publishers."""
        name, kind = connection.topic, self._definitions.kind(connection)
        encoding = getattr(connection.ext, 'serialization_format', 'ros1')
        if encoding not in {'cdr', 'ros1'}:
            self._loss.append(
                f'{name} is serialized as {encoding!r}, not as ROS does, and left out'
            )
            return
        if getattr(connection.ext, 'latching', None):
            qos: tuple[Any, ...] = (profile(latched=True),)
        else:
            qos = tuple(getattr(connection.ext, 'offered_qos_profiles', ()))
        topic = self.topics.get(name)
        if topic is None:
            topic = Topic(name, kind, definition=self._definitions.definition(connection))
        elif topic.kind != kind:
            self._loss.append(
                f'{name} is of type {topic.kind}; messages of {kind} on it are left out'
            )
            return
        self.topics[name] = dataclasses.replace(
            topic,
            qos=tuple(dict.fromkeys(topic.qos + qos)),
            count=topic.count + connection.msgcount,
        )

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
        wanted = self.topics.keys() & (self.topics if topics is None else topics)
        parts = (
            (storage.start_time, storage.messages(wanted, start, end))
            for _, storage in self._storages
            if (end is None or storage.start_time < end)
            and (start is None or storage.end_time > start)
        )
        for connection, arrived, data in merged(parts):
            if self._definitions.kind(connection) != self.topics[connection.topic].kind:
                continue
            try:
                yield Serialized(connection.topic, arrived, self._plain(connection, data))
            except ValueError as error:
                self._bad[f'{connection.topic}: {error}'] += 1

    def _plain(self, connection: Connection, data: bytes) -> bytes:
        """As ROS 2 serializes it."""
        if is_ros1(connection):
            return self._definitions.converted(connection, data)
        return compression.message(data)

    def decode(self, record: Serialized) -> Any:
        """The message.

        Raises:
            ValueError: Its type is not known, or its bytes are damaged.
        """
        return self._definitions.decode(self.topics[record.topic].kind, record.data)


@contextlib.contextmanager
def open_bag(path: Path) -> Iterator[BagSource]:
    """Open a bag for reading.

    Args:
        path: Folder or file of a ROS 2 bag (sqlite3, mcap), or file of a ROS 1 bag.

    Raises:
        FileNotFoundError: There is no such bag.
        ValueError: It is no bag, or nothing of it can be read.
    """
    if not path.exists():
        raise FileNotFoundError(f'there is no bag {path}')
    loss: list[str] = []
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='depth_bag_')))
        storages = []
        for file in files_of(path, loss):
            try:
                storage = Storage(readable(file, scratch, loss))
            except ValueError as error:
                loss.append(str(error) if file == path else f'{file.name}: {error}')
                continue
            stack.callback(storage.close)
            storages.append((file.name, storage))
        if not storages:
            raise ValueError(f'{path} is no bag that can be read: {"; ".join(loss)}')
        yield BagSource(path, storages, loss)
