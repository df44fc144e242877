# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""mcap files without an index: cut off, damaged or written without one.

The file is walked record by record (https://mcap.dev/spec); of a chunk that is cut off the
messages before the cut are read.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag1.reader import normalize_msgtype
from rosbags.rosbag2.metadata import parse_qos

from depth_estimation_ros.bag.records import UNDEFINED
from depth_estimation_ros.bag.scan import Block, Scan

MAGIC = b'\x89MCAP0\r\n'
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 2, 3, 4, 5, 6, 15
_KNOWN = range(1, 16)
_HEAD = struct.Struct('<BQ')  # of a record: what it is, and its size
_MESSAGE_HEAD = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_CHUNK_HEAD = struct.Struct('<QQQII')  # first and last time, size, CRC, length of compression
_NAME = 100  # bytes of a name of a compression, at most
_RUN = 2**22  # bytes of messages outside chunks that are taken together
_DEFINITIONS = {
    'ros2msg': MessageDefinitionFormat.MSG,
    'ros1msg': MessageDefinitionFormat.MSG,
    'ros2idl': MessageDefinitionFormat.IDL,
    'omgidl': MessageDefinitionFormat.IDL,
}


class McapScan(Scan):
    """Reads such a file."""

    def __init__(self, path: Path) -> None:
        self._schemas: dict[int, tuple[str, MessageDefinition]] = {}
        super().__init__(path)

    def _walk(self) -> int | None:
        at = run = len(MAGIC)  # a run of messages outside chunks
        whole = False
        while at < self._size:
            self._file.seek(at)
            head = self._file.read(_HEAD.size).ljust(_HEAD.size, b'\0')
            kind, length = _HEAD.unpack(head)
            if kind != _MESSAGE or at - run > _RUN:
                self._plain(run, at)
                run = at
            if kind not in _KNOWN:
                break
            whole = whole or kind == _DATA_END  # then schemas and channels come once more
            begin, at = at, at + _HEAD.size + length
            if kind == _CHUNK:
                self._chunk()
            elif kind in {_SCHEMA, _CHANNEL}:
                self._plain(begin, at)
            if kind != _MESSAGE:
                run = at
            if kind == _FOOTER:
                break
        self._plain(run, at)
        return None if whole else at

    def _plain(self, begin: int, end: int) -> None:
        if end > begin:
            self._add(Block(begin, end - begin))

    def _chunk(self) -> None:
        head = self._file.read(_CHUNK_HEAD.size)
        if len(head) == _CHUNK_HEAD.size:
            *_, crc, name = _CHUNK_HEAD.unpack(head)
            compression = self._file.read(min(name, _NAME)).decode('ascii', 'replace')
            stored = self._file.read(8)
            at = self._file.tell()
            self._add(Block(at, int.from_bytes(stored, 'little'), compression, crc))

    def _parse(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        view, at = memoryview(data), 0
        while at + _HEAD.size <= len(data):
            kind, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size + length
            if kind not in _KNOWN or at > len(data):
                break
            content = view[at - length : at]
            if kind in {_SCHEMA, _CHANNEL}:
                self._declare(kind, bytes(content))
            elif kind == _MESSAGE and length >= _MESSAGE_HEAD.size:
                channel, _, arrived, _ = _MESSAGE_HEAD.unpack_from(content)
                yield channel, arrived, bytes(content[_MESSAGE_HEAD.size :])
        if at != len(data):
            raise ValueError('records do not follow each other')

    def _declare(self, kind: int, content: bytes) -> None:
        """Take a schema or a channel; one that is cut off is as good as none."""
        with contextlib.suppress(struct.error, UnicodeDecodeError):
            fields = _Fields(content)
            number = fields.number('<H')
            if kind == _SCHEMA:
                name, encoding, text = (fields.text() for _ in range(3))
                form = _DEFINITIONS.get(encoding)
                definition = MessageDefinition(form, text) if form else UNDEFINED
                name = normalize_msgtype(name) if encoding == 'ros1msg' else name
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
            self._declared[number] = Connection(
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
