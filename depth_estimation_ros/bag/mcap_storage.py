# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files, written without copying what is large, and compressed where that saves something.

The format is that of mcap.dev/spec, the profile that of rosbag2. rosbags' own writer takes longer
for a frame with its depth than the smallest network does.
"""

from __future__ import annotations

import struct
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinitionFormat
from rosbags.rosbag2 import CompressionMode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = b'\x89MCAP0\r\n'
_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX = range(1, 8)
_CHUNK_INDEX, _STATISTICS, _METADATA, _METADATA_INDEX, _SUMMARY_OFFSET, _DATA_END = (
    *(0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F),
)
_FULL = 1 << 20  # bytes from which on a chunk is written
_LEVEL = -1  # of zstd: finds what is easy to find, in a tenth of the time
_WORTH = 0.9  # a chunk that stays larger than this share of itself is stored as it is


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _bytes(data: bytes) -> bytes:
    return struct.pack('<I', len(data)) + data


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack('<BQ', kind, len(content)) + content


class _Times:
    """When the first and the last message arrived, ns; zero without any."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0

    def add(self, time: int) -> None:
        self._first = time if self._first is None else min(self._first, time)
        self._last = max(self._last, time)

    def __bytes__(self) -> bytes:
        return struct.pack('<QQ', self._first or 0, self._last)


class _Chunk:
    """Records that are waiting to be written together."""

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = []
        self.size, self.times = 0, _Times()
        self.index: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def add(self, *parts: bytes | memoryview) -> None:
        self.parts += parts
        self.size += sum(map(len, parts))


def _compressed(parts: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    compressor = zstd.ZstdCompressor(_LEVEL)
    return [*map(compressor.compress, parts), compressor.flush()]


class _Section(NamedTuple):
    """Records of one kind in the summary."""

    kind: int
    records: list[bytes]


class McapStorage:
    """What rosbags' writer of bags puts messages into."""

    def __init__(self, path: Path, _compression: CompressionMode) -> None:
        self.path = path / f'{path.name}.mcap'
        self._file = self.path.open('xb')
        self._file.write(_MAGIC + _record(_HEADER, _text('ros2') + _text('depth_estimation_ros')))
        self._schemas: dict[str, bytes] = {}
        self._channels: list[bytes] = []
        self._chunk, self._indices = _Chunk(), list[bytes]()
        self._times, self._counts = _Times(), dict[int, int]()

    def add_msgtype(self, connection: Connection) -> None:
        """Tell how messages of a type are defined."""
        definition = connection.msgdef
        encoding = 'ros2msg' if definition.format is MessageDefinitionFormat.MSG else 'ros2idl'
        self._schemas[connection.msgtype] = _record(
            _SCHEMA,
            struct.pack('<H', len(self._schemas) + 1)
            + _text(connection.msgtype)
            + _text(encoding if definition.data else '')  # none: nobody knows the type
            + _text(definition.data),
        )
        self._chunk.add(self._schemas[connection.msgtype])

    def add_connection(self, connection: Connection, offered_qos_profiles: str) -> None:
        """Tell what a topic is."""
        schema = [*self._schemas].index(connection.msgtype) + 1
        extension = cast('ConnectionExtRosbag2', connection.ext)
        told = {'offered_qos_profiles': offered_qos_profiles, 'topic_type_hash': connection.digest}
        self._channels.append(
            _record(
                _CHANNEL,
                struct.pack('<HH', connection.id, schema)
                + _text(connection.topic)
                + _text(extension.serialization_format)
                + _bytes(b''.join(_text(name) + _text(text) for name, text in told.items())),
            )
        )
        self._counts[connection.id] = 0
        self._chunk.add(self._channels[-1])

    def write(self, connection: Connection, timestamp: int, data: bytes | memoryview) -> None:
        """Take a message."""
        chunk, channel = self._chunk, connection.id
        head = struct.pack('<HIQQ', channel, 0, timestamp, timestamp)
        chunk.index[channel].append((timestamp, chunk.size))
        chunk.add(struct.pack('<BQ', _MESSAGE, len(head) + len(data)), head, data)
        for times in (chunk.times, self._times):
            times.add(timestamp)
        self._counts[channel] += 1
        if chunk.size > _FULL:
            self._write_chunk()

    def _write_chunk(self) -> None:
        chunk, self._chunk = self._chunk, _Chunk()
        parts, size, compression = chunk.parts, chunk.size, ''
        packed = _compressed(parts)
        if (length := sum(map(len, packed))) < _WORTH * size:
            parts, size, compression = packed, length, 'zstd'
        head = bytes(chunk.times) + struct.pack('<QI', chunk.size, 0) + _text(compression)
        start, length = self._file.tell(), len(head) + 8 + size
        self._file.write(struct.pack('<BQ', _CHUNK, length) + head + struct.pack('<Q', size))
        self._file.writelines(parts)
        end, offsets = self._file.tell(), b''
        for channel, places in chunk.index.items():
            offsets += struct.pack('<HQ', channel, self._file.tell())
            pairs = b''.join(struct.pack('<QQ', *place) for place in places)
            self._file.write(_record(_MESSAGE_INDEX, struct.pack('<H', channel) + _bytes(pairs)))
        self._indices.append(
            _record(
                _CHUNK_INDEX,
                bytes(chunk.times)
                + struct.pack('<QQ', start, end - start)
                + _bytes(offsets)
                + struct.pack('<Q', self._file.tell() - end)
                + _text(compression)
                + struct.pack('<QQ', size, chunk.size),
            )
        )

    def close(self, _version: int, metadata: str) -> None:
        """Write what is left, and the summary."""
        if self._chunk.size:
            self._write_chunk()
        start = self._file.tell()
        told = _record(
            _METADATA,
            _text('rosbag2') + _bytes(_text('serialized_metadata') + _text(metadata)),
        )
        self._file.write(told + _record(_DATA_END, struct.pack('<I', 0)))
        index = _record(_METADATA_INDEX, struct.pack('<QQ', start, len(told)) + _text('rosbag2'))
        self._write_summary(
            [
                _Section(_SCHEMA, [*self._schemas.values()]),
                _Section(_CHANNEL, self._channels),
                _Section(_CHUNK_INDEX, self._indices),
                _Section(_METADATA_INDEX, [index]),
                _Section(_STATISTICS, [self._statistics()]),
            ]
        )
        self._file.close()

    def _write_summary(self, sections: list[_Section]) -> None:
        start, offsets = self._file.tell(), b''
        for kind, records in sections:
            begin = self._file.tell()
            self._file.writelines(records)
            if records:
                length = self._file.tell() - begin
                offsets += _record(_SUMMARY_OFFSET, struct.pack('<BQQ', kind, begin, length))
        footer = _record(_FOOTER, struct.pack('<QQI', start, self._file.tell(), 0))
        self._file.write(offsets + footer + _MAGIC)

    def _statistics(self) -> bytes:
        counts = b''.join(struct.pack('<HQ', *item) for item in self._counts.items())
        return _record(
            _STATISTICS,
            struct.pack(
                '<QHIIII',
                sum(self._counts.values()),
                len(self._schemas),
                len(self._channels),
                0,  # attachments
                1,  # metadata
                len(self._indices),
            )
            + bytes(self._times)
            + _bytes(counts),
        )

    def abort(self) -> None:
        """Leave the file as it is."""
        self._file.close()
