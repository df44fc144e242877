# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 1 without an index: the recorder was killed, or the file is cut off or damaged.

Their format: http://wiki.ros.org/Bags/Format/2.0.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag1,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag1 import ReaderError
from rosbags.rosbag1.reader import Header, normalize, normalize_msgtype, read_bytes, read_uint32

from depth_estimation_ros.bag.scan import Block, Scan

MAGIC = b'#ROSBAG V2.0\n'
_MESSAGE, _CHUNK, _CONNECTION = 2, 5, 7


class Ros1Scan(Scan):
    """Reads such a file."""

    def _walk(self) -> int | None:
        at = len(MAGIC)
        while at < self._size:
            self._file.seek(at)
            try:
                header = Header.read(self._file)
                length = read_uint32(self._file)
                kind = header.get_uint8('op')
                compression = header.get_string('compression') if kind == _CHUNK else ''
            except (ReaderError, ValueError):
                return self._size if self._file.tell() >= self._size else at
            begin = self._file.tell()
            if kind == _CHUNK:
                self._add(Block(begin, length, compression))
            elif kind == _CONNECTION:  # the index repeats them
                self._add(Block(at, begin + length - at))
            at = begin + length
        return at if at > self._size else None

    def _parse(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        file = io.BytesIO(data)
        while file.tell() < len(data):
            try:
                header = Header.read(file)
                content = read_bytes(file, read_uint32(file))
                kind, connection = header.get_uint8('op'), header.get_uint32('conn')
                if kind == _CONNECTION:
                    self._connect(connection, header, content)
                arrived = header.get_time('time') if kind == _MESSAGE else 0
            except (ReaderError, ValueError) as error:
                raise ValueError(f'records do not follow each other: {error}') from error
            if kind == _MESSAGE:
                yield connection, arrived, content

    def _connect(self, number: int, header: Header, content: bytes) -> None:
        told = Header.read(io.BytesIO(len(content).to_bytes(4, 'little') + content))
        self._declared[number] = Connection(
            number,
            normalize(header.get_string('topic')),
            normalize_msgtype(told.get_string('type')),
            MessageDefinition(MessageDefinitionFormat.MSG, told.get_string('message_definition')),
            told.get_string('md5sum'),
            0,
            ConnectionExtRosbag1(None, int(told.get('latching') == b'1')),
            self,
        )
