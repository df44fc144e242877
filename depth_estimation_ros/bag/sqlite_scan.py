# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files that are cut off or damaged, or lack the index of time.

Rows are asked for one by one where the database cannot go through them by itself.
"""

from __future__ import annotations

import collections
import contextlib
import functools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import apsw
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2.metadata import parse_qos

from depth_estimation_ros.bag.records import UNDEFINED
from depth_estimation_ros.bag.scan import NEVER, Message

MAGIC = b'SQLite format 3\x00'
_GAP = 10_000  # rows one after the other that cannot be read: no more are looked for
_ROW = 'SELECT timestamp, id, topic_id FROM messages WHERE id'
_DEFINITIONS = {'ros2msg': MessageDefinitionFormat.MSG, 'ros2idl': MessageDefinitionFormat.IDL}


@functools.cache
def _whole_pages() -> _WholePages:
    return _WholePages()


class _WholePages(apsw.VFS):
    """Files without a page that is cut off: the database would read zeros behind the cut."""

    vfs_name = 'depth_estimation_whole_pages'

    def __init__(self) -> None:
        super().__init__(self.vfs_name, '')

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File('', name, flags)


class _File(apsw.VFSFile):
    def xFileSize(self) -> int:  # noqa: N802
        size = super().xFileSize()
        page = int.from_bytes(self.xRead(2, 16), 'big')  # https://sqlite.org/fileformat.html
        return size - size % (2**16 if page == 1 else max(page, 512))


class SqliteScan:
    """Reads such a file.

    Attributes:
        connections: Its topics, with the number of their messages.
        start_time, end_time: Arrival of the first message, and after that of the last, ns.
    """

    def __init__(self, path: Path) -> None:
        self._fault = ''
        self._damaged: dict[int, str] = {}  # rows, and their topics
        self._data = apsw.Connection(
            f'{path.resolve().as_uri()}?immutable=1',
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
            vfs=_whole_pages().vfs_name,
        )
        # Else a file that is shorter than its header says is not looked into at all.
        self._data.execute('PRAGMA writable_schema = ON')
        try:
            topics = self._topics()
        except apsw.Error as error:
            self._data.close()
            raise ValueError(f'its table of topics cannot be read: {error}') from error
        self._rows = sorted(self._all_rows())  # arrival, row, topic
        counts = collections.Counter(topic for _, _, topic in self._rows)
        self.connections = [one._replace(msgcount=counts[one.id]) for one in topics]
        self.start_time = self._rows[0][0] if self._rows else NEVER
        self.end_time = self._rows[-1][0] + 1 if self._rows else 0

    @property
    def loss(self) -> list[str]:
        """What could not be read so far."""
        counts = collections.Counter(self._damaged.values())
        damaged = [f'{count} messages of {name} are damaged' for name, count in counts.items()]
        return [self._fault, *damaged] if self._fault else damaged

    def close(self) -> None:
        """Close the file."""
        self._data.close()

    def messages(
        self, connections: Collection[Connection], start: int | None, stop: int | None
    ) -> Iterator[Message]:
        """Messages in the order of their arrival; see `BagSource.messages`."""
        wanted = {one.id: one for one in connections}
        low, high = -(2**63) if start is None else start, 2**63 if stop is None else stop
        for arrived, row, topic in self._rows:
            if topic in wanted and low <= arrived < high:
                try:
                    (data,) = self._one('SELECT data FROM messages WHERE id = ?', row)
                except apsw.Error:
                    self._damaged[row] = wanted[topic].topic
                    continue
                yield wanted[topic], arrived, bytes(data)

    def _one(self, query: str, row: int) -> Any:
        found = self._data.execute(query, (row,)).fetchone()
        if found is None:
            raise apsw.CorruptError(f'no row {row}')
        return found

    def _topics(self) -> list[Connection]:
        definitions = self._definitions()
        return [
            Connection(
                number,
                name,
                kind,
                definitions.get(kind, UNDEFINED),
                '',
                0,
                ConnectionExtRosbag2(encoding, parse_qos(''.join(profiles[:1]))),
                self,
            )
            for number, name, kind, encoding, *profiles in self._data.execute(
                'SELECT * FROM topics ORDER BY id'  # with QoS profiles since Eloquent
            )
        ]

    def _definitions(self) -> dict[str, MessageDefinition]:
        query = 'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
        with contextlib.suppress(apsw.Error):  # the table came with Iron
            return {
                kind: MessageDefinition(_DEFINITIONS[encoding], text)
                for kind, encoding, text in self._data.execute(query)
                if encoding in _DEFINITIONS
            }
        return {}

    def _all_rows(self) -> Iterator[tuple[int, int, int]]:
        """Arrival, row and topic of all messages whose row can be read."""
        last, fault = 0, ''
        while True:
            try:
                for arrived, row, topic in self._data.execute(f'{_ROW} > ? ORDER BY id', (last,)):
                    last = row
                    yield arrived, row, topic
                break
            except apsw.Error as error:
                fault = str(error)
            found = self._next(last)
            if found is None:
                break
            last = found[1]
            yield found
        if fault:
            self._fault = f'cut off or damaged ({fault})'

    def _next(self, last: int) -> tuple[int, int, int] | None:
        """The first row after the last one that can be read by itself."""
        for row in range(last + 1, last + 1 + _GAP):
            with contextlib.suppress(apsw.Error):
                arrived, _, topic = self._one(f'{_ROW} = ?', row)
                return arrived, row, topic
        return None
