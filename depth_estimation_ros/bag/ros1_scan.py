# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 1 without an index: the recorder was killed, or the file is cut off or damaged.

Their format: http://wiki.ros.org/Bags/Format/2.0.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import io
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag1,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag1 import ReaderError
from rosbags.rosbag1.reader import Header, normalize, normalize_msgtype, read_bytes, read_uint32

from depth_estimation_ros.bag.scan import NEVER, Block, Message, load, merged

MAGIC = b'#ROSBAG V2.0\n'
_MESSAGE, _CHUNK, _CONNECTION = 2, 5, 7


class Ros1Scan:
    """Reads such a file.

    Attributes:
        connections: Those that were found, with the number of their messages.
        start_time, end_time: Arrival of the first message, and after that of the last, ns.
        loss: What could not be read.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open('rb')
        self.loss: list[str] = []
        self._blocks: list[Block] = []
        self._found: dict[int, Connection] = {}
        self._counts: collections.Counter[int] = collections.Counter()
        self._damaged = collections.Counter[str]()
        self._walk()
        self.connections = [
            one._replace(msgcount=self._counts[one.id]) for one in self._found.values()
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
                (wanted[number], arrived, data)
                for number, arrived, data in _messages(load(self._file, block)[0])
                if number in wanted and low <= arrived < high
            ]
            yield from sorted(found, key=lambda message: message[1])

        return merged(
            (block.first, part(block))
            for block in self._blocks
            if block.last >= low and block.first < high
        )

    def _walk(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        at = len(MAGIC)
        while at < size:
            self._file.seek(at)
            try:
                header = Header.read(self._file)
                length = read_uint32(self._file)
                kind = header.get_uint8('op')
                compression = header.get_string('compression') if kind == _CHUNK else ''
            except (ReaderError, ValueError):
                break
            begins = self._file.tell()
            if kind == _CHUNK:
                self._add(Block(begins, length, compression))
            at = begins + length
        if at != size:
            self.loss.append(f'cut off or damaged after {min(at, size)} of {size} bytes')

    def _add(self, block: Block) -> None:
        """Keep a chunk, with what is in it, as far as it can be read."""
        data, fault = load(self._file, block)
        if fault:
            self._damaged[fault] += 1
        for header, content in _records(data):
            if header.get_uint8('op') == _CONNECTION:
                with contextlib.suppress(ReaderError, ValueError):
                    self._connect(header, content)
        times = []
        for number, arrived, _ in _messages(data):
            times.append(arrived)
            self._counts[number] += 1
        if times:
            self._blocks.append(dataclasses.replace(block, first=min(times), last=max(times)))

    def _connect(self, header: Header, content: bytes) -> None:
        told = Header.read(io.BytesIO(len(content).to_bytes(4, 'little') + content))
        number = header.get_uint32('conn')
        self._found[number] = Connection(
            number,
            normalize(header.get_string('topic')),
            normalize_msgtype(told.get_string('type')),
            MessageDefinition(MessageDefinitionFormat.MSG, told.get_string('message_definition')),
            told.get_string('md5sum'),
            0,
            ConnectionExtRosbag1(None, int(told.get('latching') == b'1')),
            self,
        )


def _records(data: bytes) -> Iterator[tuple[Header, bytes]]:
    """Headers and contents of whole records."""
    file = io.BytesIO(data)
    with contextlib.suppress(ReaderError, ValueError):
        while True:
            header = Header.read(file)
            yield header, read_bytes(file, read_uint32(file))


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Connection, arrival and bytes of whole messages."""
    for header, content in _records(data):
        if header.get_uint8('op') == _MESSAGE:
            yield header.get_uint32('conn'), header.get_time('time'), content
