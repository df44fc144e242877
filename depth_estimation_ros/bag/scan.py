# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files read without their index: from their beginning as far as they can be."""

from __future__ import annotations

import abc
import collections
import dataclasses
import heapq
import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from rosbags.interfaces import Connection

from depth_estimation_ros.bag import compression

Message = tuple[Connection, int, bytes]  # with its time of arrival, ns
NEVER = 2**63 - 1  # after every time of arrival


@dataclasses.dataclass(frozen=True)
class Block:
    """A stretch of a file that can be read by itself: a chunk, or messages outside one.

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


class Scan(abc.ABC):
    """A file that is walked through once, to know what there is.

    Attributes:
        connections: Those that were found, with the number of their messages.
        start_time, end_time: Arrival of the first message, and after that of the last, ns.
        loss: What could not be read.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open('rb')
        self._size = self._file.seek(0, os.SEEK_END)
        self._declared: dict[int, Connection] = {}
        self._blocks: list[Block] = []
        self._counts: collections.Counter[int] = collections.Counter()
        self._faults: collections.Counter[str] = collections.Counter()
        ended = self._walk()
        self.loss = [f'{count} chunks are {fault}' for fault, count in self._faults.items()]
        if ended is not None:
            what = 'cut off' if ended >= self._size else 'damaged and not read any further'
            self.loss.append(f'{what} after {min(ended, self._size)} of its bytes')
        if unknown := sum(
            self._counts[one] for one in self._counts.keys() - self._declared.keys()
        ):
            self.loss.append(f'{unknown} messages are of topics that nothing is told of')
        self.connections = [
            one._replace(msgcount=self._counts[one.id]) for one in self._declared.values()
        ]
        self.start_time = min((block.first for block in self._blocks), default=NEVER)
        self.end_time = 1 + max((block.last for block in self._blocks), default=-1)

    @abc.abstractmethod
    def _walk(self) -> int | None:
        """Go through the file, and add what there is; where it ends without an end, or None."""

    @abc.abstractmethod
    def _parse(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Connection, arrival and bytes of the messages of a block; connections are declared.

        Raises:
            ValueError: It does not go on like this.
        """

    def _add(self, block: Block) -> None:
        """Take a block, with what is in it, as far as it can be read."""
        found, fault = self._load(block)
        if fault and block.at + block.size <= self._size:  # else the file is cut off
            self._faults[fault] += 1
        for connection, _, _ in found:
            self._counts[connection] += 1
        if found:
            times = [arrived for _, arrived, _ in found]
            self._blocks.append(dataclasses.replace(block, first=min(times), last=max(times)))

    def _load(self, block: Block) -> tuple[list[tuple[int, int, bytes]], str]:
        """The messages of a block that can be read, and what is wrong with it."""
        self._file.seek(block.at)
        stored = self._file.read(block.size)
        data, fault = compression.decompressed(stored, block.compression)
        if block.crc and not fault and len(stored) == block.size and zlib.crc32(data) != block.crc:
            return [], 'damaged (their checksums are others)'
        found: list[tuple[int, int, bytes]] = []
        try:
            found.extend(self._parse(data))
        except ValueError as error:
            fault = fault or f'damaged ({error})'
        return found, fault

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def messages(
        self, connections: Collection[Connection], start: int | None, stop: int | None
    ) -> Iterator[Message]:
        """Messages in the order of their arrival; see `BagSource.messages`."""
        wanted = {one.id: one for one in connections}
        low, high = -1 if start is None else start, NEVER if stop is None else stop

        def part(block: Block) -> Iterator[Message]:
            for connection, arrived, data in sorted(self._load(block)[0], key=lambda one: one[1]):
                if connection in wanted and low <= arrived < high:
                    yield wanted[connection], arrived, data

        return merged(
            (block.first, part(block))
            for block in self._blocks
            if block.last >= low and block.first < high
        )


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
