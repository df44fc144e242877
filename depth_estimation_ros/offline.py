# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every frame in order: while one is in the network, the next is read and the last is written."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

A = TypeVar('A')
B = TypeVar('B')

_END = object()


def in_order(
    items: Iterable[A], work: Callable[[A], B], write: Callable[[B], object], ahead: int = 2
) -> None:
    """Work on each item, and write what comes of it, one after the other.

    Items are read in a second thread and results written in a third, both bounded. An error ends
    it. After an error in reading, all that was read before is still worked on and written; after
    one in writing, nothing more is. No thread outlives the call.

    Args:
        items: Read in the second thread.
        work: Called in the calling thread.
        write: Called in the third thread.
        ahead: Items that are read, and results that wait to be written, at most.

    Raises:
        Exception: Whatever reading, working or writing raises.
    """
    source: Any = iter(items)
    reading: collections.deque[Future[Any]] = collections.deque()
    writing: collections.deque[Future[None]] = collections.deque()
    with ThreadPoolExecutor(1, 'read') as reader, ThreadPoolExecutor(1, 'write') as writer:
        try:
            for _ in range(ahead):
                reading.append(reader.submit(next, source, _END))
            while (item := reading.popleft().result()) is not _END:
                reading.append(reader.submit(next, source, _END))
                last = writing[-1] if writing else None
                writing.append(writer.submit(_write_after, last, write, work(item)))
                if len(writing) > ahead:
                    writing.popleft().result()
        finally:
            for waiting in reading:
                waiting.cancel()
        for written in writing:
            written.result()


def _write_after(last: Future[None] | None, write: Callable[[B], object], result: B) -> None:
    if last is not None:
        last.result()  # it has ended; where it failed, so does this one
    write(result)
