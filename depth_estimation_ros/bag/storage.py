# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One file of a bag: by its index while that serves, else as it can be read without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Reader as Ros1Reader
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader

from depth_estimation_ros.bag import mcap_scan, ros1_scan, sqlite_scan
from depth_estimation_ros.bag.scan import Message


def _mcap(path: Path) -> Any:
    reader = McapReader(path)
    reader.open()
    # Without an index of its messages a chunk would be passed over in silence.
    indexed = bool(reader.chunks) and all(chunk.channel_count for chunk in reader.chunks)
    return reader if indexed else reader.close()


def _sqlite3(path: Path) -> Any:
    reader = Sqlite3Reader(path)
    reader.open()
    # Without an index of time the database would sort all messages before it gave the first.
    indexed = reader.dbconn and list(reader.dbconn.execute('PRAGMA index_list(messages)'))
    return reader if indexed else reader.close()


def _ros1(path: Path) -> Any:
    reader = Ros1Reader(path)
    reader.open()
    return reader


_KINDS: dict[bytes, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {  # by their beginning
    mcap_scan.MAGIC: (_mcap, mcap_scan.McapScan),
    sqlite_scan.MAGIC: (_sqlite3, sqlite_scan.SqliteScan),
    ros1_scan.MAGIC: (_ros1, ros1_scan.Ros1Scan),
}


class Storage:
    """An open file of a bag.

    Attributes:
        connections: As rosbags has them, with the number of their messages.
        start_time, end_time: Arrival of the first message, and after that of the last, ns; start
            is after the end where there is none.

    Raises:
        ValueError: It is no file of a bag, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loss: list[str] = []
        with path.open('rb') as file:
            begin = file.read(max(map(len, _KINDS)))
        kinds = [kind for magic, kind in _KINDS.items() if begin.startswith(magic)]
        if not kinds:
            raise ValueError(
                f'it begins with {begin!r}, as neither mcap, sqlite3 nor a ROS 1 bag does'
                if begin
                else 'it is empty'
            )
        ((by_index, self._without_index),) = kinds
        try:
            self._reader = by_index(path)
        except Exception:  # rosbags fails in many ways on what is damaged
            self._reader = None
        self._scanned = self._reader is None
        if self._scanned:
            self._reader = self._without_index(path)
        self.connections = list(self._reader.connections)
        told = getattr(self._reader, 'metadata', self._reader)
        self.start_time, self.end_time = int(told.start_time), int(told.end_time)

    @property
    def loss(self) -> list[str]:
        """What could not be read so far."""
        return self._loss + (list(self._reader.loss) if self._scanned else [])

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def messages(
        self, topics: Collection[str], start: int | None, stop: int | None
    ) -> Iterator[Message]:
        """Messages in the order of their arrival; see `BagSource.messages`."""
        if self._scanned:
            yield from self._of(topics, start, stop)
            return
        arrived, served, total = start, 0, 0
        try:
            for message in self._of(topics, start, stop):
                served = served + 1 if message[1] == arrived else 1
                arrived, total = message[1], total + 1
                yield message
        except Exception:  # as above
            self._go_on_without_index()
        else:
            if start is None and stop is None:
                self._count(topics, total)
            return
        for message in self._of(topics, arrived, stop):
            if message[1] == arrived and served:
                served -= 1
            else:
                yield message

    def _count(self, topics: Collection[str], total: int) -> None:
        """A chunk without a checksum may hold fewer messages than its index says."""
        told = sum(one.msgcount for one in self.connections if one.topic in topics)
        if total < told:
            self._loss.append(f'{told - total} of {told} messages are damaged')

    def _of(self, topics: Collection[str], start: int | None, stop: int | None) -> Any:
        wanted = [one for one in self._reader.connections if one.topic in topics]
        return self._reader.messages(wanted, start, stop) if wanted else ()

    def _go_on_without_index(self) -> None:
        if not self._scanned:  # else another reader of the same file has found the damage
            indexed, self._reader = self._reader, self._without_index(self._path)
            self._scanned = True
            indexed.close()
