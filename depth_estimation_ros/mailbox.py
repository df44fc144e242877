# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One slot between the thread that receives and the one that works: the newest wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """A slot for one item; what is overwritten before it was taken is counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None
        self.overwritten = 0

    def put(self, item: T, missed: bool = True) -> None:
        """Leave an item, in place of what may be there.

        Args:
            item: It; at no time is the slot empty between the one before and this one.
            missed: Somebody wanted the one before, so that it is counted.
        """
        with self._lock:
            self.overwritten += missed and self._item is not None
            self._item = item

    def take(self) -> T | None:
        """The item, or None; the slot is empty afterwards."""
        with self._lock:
            item, self._item = self._item, None
        return item

    def __bool__(self) -> bool:
        return self._item is not None
