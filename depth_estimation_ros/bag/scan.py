# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What reading files without their index has in common: stretches of them, and time order."""

from __future__ import annotations

import dataclasses
import heapq
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from rosbags.interfaces import Connection

from depth_estimation_ros.bag import compression

Message = tuple[Connection, int, bytes]  # with its time of arrival, ns
NEVER = 2**63 - 1  # after every time of arrival


@dataclasses.dataclass(frozen=True)
class Block:
    """A stretch of a file that can be read by itself.

    Attributes:
        at: Where its messages begin in the file.
        size: Their bytes there.
        compression: Name of how they are compressed; `none` or empty: not at all.
        crc: Of the messages, CRC-32; 0 where there is none.
        first, last: Arrival of the earliest and of the latest message, ns.
    """

    at: int
    size: int
    compression: str = ''
    crc: int = 0
    first: int = 0
    last: int = 0


def load(file: BinaryIO, block: Block) -> tuple[bytes, str]:
    """The messages of a block, decompressed as far as they can be, and what is wrong with it."""
    file.seek(block.at)
    stored = file.read(block.size)
    data, fault = compression.decompressed(stored, block.compression)
    if len(stored) < block.size:
        return data, 'cut off'
    if not fault and block.crc and zlib.crc32(data) != block.crc:
        return b'', 'its checksum is another'
    return data, fault


def merged(parts: Iterable[tuple[int, Iterable[Message]]]) -> Iterator[Message]:
    """The messages of several parts in order of time, then of parts.

    Args:
        parts: Messages in order of time, with the time before which none of them comes: they are
            asked for only then.
    """

    def announced(
        number: int, first: int, part: Iterable[Message]
    ) -> Iterator[tuple[tuple[int, int], Message | None]]:
        yield (first, number), None
        for message in part:
            yield (message[1], number), message

    streams = [announced(number, first, part) for number, (first, part) in enumerate(parts)]
    for _, message in heapq.merge(*streams, key=lambda one: one[0]):
        if message is not None:
            yield message
