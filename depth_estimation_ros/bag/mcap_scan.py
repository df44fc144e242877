# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""mcap files without an index: cut off, damaged or written without one.

The file is walked record by record (https://mcap.dev/spec); of a chunk that is cut off the
messages before the cut are read.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2.metadata import parse_qos

from depth_estimation_ros.bag.records import UNDEFINED
from depth_estimation_ros.bag.scan import NEVER, Block, Message, load, merged

MAGIC = b'\x89MCAP0\r\n'
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 2, 3, 4, 5, 6, 15
_KNOWN = range(1, 16)
_HEAD = struct.Struct('<BQ')  # of a record: what it is, and its size
_MESSAGE_HEAD = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_CHUNK_HEAD = struct.Struct('<QQQII')  # first and last time, size, CRC, length of compression
_RUN = 2**22  # bytes of messages outside chunks that are taken together
_DEFINITIONS = {
    'ros2msg': MessageDefinitionFormat.MSG,
    'ros1msg': MessageDefinitionFormat.MSG,
    'ros2idl': MessageDefinitionFormat.IDL,
    'omgidl': MessageDefinitionFormat.IDL,
}


class McapScan:
    """Reads such a file.

    Attributes:
        connections: The channels that were found, with the number of their messages.
        start_time, end_time: Arrival of the first message, and after that of the last, ns.
        loss: What could not be read.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open('rb')
        self.loss: list[str] = []
        self._blocks: list[Block] = []
        self._schemas: dict[int, tuple[str, MessageDefinition]] = {}
        self._channels: dict[int, Connection] = {}
        self._counts: collections.Counter[int] = collections.Counter()
        self._damaged = collections.Counter[str]()
        self._walk()
        self.connections = [
            one._replace(msgcount=self._counts[one.id]) for one in self._channels.values()
        ]
        self.start_time = min((block.first for block in self._blocks), default=NEVER)
        self.end_time = 1 + max((block.last for block in self._blocks), default=-1)
        self.loss += [f'{number} chunks: {fault}' for fault, number in self._damaged.items()]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def messages(
        self, connections: Collection[Connection], start: int | None, stop: int | None
    ) -> Iterator[Message]:
        """Messages in the order of their arrival; see `BagSource.messages`."""
        wanted = {one.id: one for one in connections}
        low, high = -1 if start is None else start, 2**64 if stop is None else stop

        def part(block: Block) -> Iterator[Message]:
            found = [
                (wanted[channel], arrived, bytes(data))
                for channel, arrived, data in _messages(load(self._file, block)[0])
                if channel in wanted and low <= arrived < high
            ]
            yield from sorted(found, key=lambda message: message[1])

        return merged(
            (block.first, part(block))
            for block in self._blocks
            if block.last >= low and block.first < high
        )

    def _walk(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        at, run = len(MAGIC), 0
        while True:
            self._file.seek(at)
            head = self._file.read(_HEAD.size)
            kind, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
            if kind != _MESSAGE or at - run > _RUN:
                self._plain(run, at)
                run = at
            if kind in {_FOOTER, _DATA_END}:
                return
            if kind not in _KNOWN:
                break
            if kind == _CHUNK:
                self._chunk(at + _HEAD.size, min(length, size - at - _HEAD.size))
            elif kind in {_SCHEMA, _CHANNEL}:
                self._declare(kind, self._file.read(length))
            at += _HEAD.size + length
            if kind != _MESSAGE:
                run = at
            if at > size:
                break
        self._plain(run, min(at, size))
        self.loss.append(f'cut off or damaged after {min(at, size)} of {size} bytes')

    def _plain(self, start: int, end: int) -> None:
        """Messages outside chunks."""
        if end > start:
            self._add(Block(start, end - start))

    def _chunk(self, at: int, length: int) -> None:
        self._file.seek(at)
        head = self._file.read(min(length, _CHUNK_HEAD.size))
        if len(head) < _CHUNK_HEAD.size:
            return
        *_, crc, name = _CHUNK_HEAD.unpack(head)
        rest = self._file.read(name + 8)
        if len(rest) < name + 8:
            return
        compression = rest[:name].decode('ascii', 'replace')
        (stored,) = struct.unpack('<Q', rest[name:])
        self._add(Block(at + _CHUNK_HEAD.size + name + 8, stored, compression, crc))

    def _add(self, block: Block) -> None:
        """Keep a block, with what is in it, as far as it can be read."""
        data, fault = load(self._file, block)
        if fault:
            self._damaged[fault] += 1
        for kind, content in _records(data):
            if kind in {_SCHEMA, _CHANNEL}:
                self._declare(kind, bytes(content))
        times = []
        for channel, arrived, _ in _messages(data):
            times.append(arrived)
            self._counts[channel] += 1
        if times:
            self._blocks.append(dataclasses.replace(block, first=min(times), last=max(times)))

    def _declare(self, kind: int, content: bytes) -> None:
        """Take a schema or a channel; one that is cut off is as good as none."""
        with contextlib.suppress(struct.error, UnicodeDecodeError):
            fields = _Fields(content)
            number = fields.number('<H')
            if kind == _SCHEMA:
                name, encoding, text = (fields.text() for _ in range(3))
                form = _DEFINITIONS.get(encoding)
                definition = MessageDefinition(form, text) if form else UNDEFINED
                self._schemas[number] = name, definition
                return
            name, definition = self._schemas.get(fields.number('<H'), ('', UNDEFINED))
            topic, encoding = fields.text(), fields.text()
            told = _Fields(fields.bytes())
            metadata = {}
            while not told.empty:
                key = told.text()
                metadata[key] = told.text()
            qos = parse_qos(metadata.get('offered_qos_profiles', ''))
            self._channels[number] = Connection(
                number,
                topic,
                name,
                definition,
                '',
                0,
                ConnectionExtRosbag2(encoding, qos),
                self,
            )


class _Fields:
    """The fields of a record, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def empty(self) -> bool:
        return self._at >= len(self._content)

    def number(self, layout: str) -> int:
        (value,) = struct.unpack_from(layout, self._content, self._at)
        self._at += struct.calcsize(layout)
        return int(value)

    def bytes(self) -> bytes:
        size = self.number('<I')
        self._at += size
        return self._content[self._at - size : self._at]

    def text(self) -> str:
        return self.bytes().decode()


def _records(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Kind and content of whole records."""
    view, at = memoryview(data), 0
    while at + _HEAD.size <= len(data):
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > len(data):
            return
        yield kind, view[at - length : at]


def _messages(data: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Channel, arrival and bytes of whole messages."""
    for kind, content in _records(data):
        if kind == _MESSAGE and len(content) >= _MESSAGE_HEAD.size:
            channel, _, arrived, _ = _MESSAGE_HEAD.unpack_from(content)
            yield channel, arrived, content[_MESSAGE_HEAD.size :]
