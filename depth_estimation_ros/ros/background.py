# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What takes long, in threads of its own, awaited on the executor's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.node import Node
from rclpy.task import Future

T = TypeVar('T')


class Background:
    """Runs functions that callbacks of a reentrant group await; the executor goes on meanwhile.

    Args:
        node: Whose executor it is.
        name: Of the threads.
    """

    def __init__(self, node: Node, name: str) -> None:
        self._node, self._name = node, name
        self._threads: list[threading.Thread] = []

    @property
    def running(self) -> bool:
        """Whether one runs; nothing but the end of the process can stop it."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return bool(self._threads)

    async def run(self, work: Callable[[], T]) -> T:
        """What the function returns.

        Raises:
            ValueError: Whatever it raised, as text.
        """
        executor = self._node.executor
        done: Future[Any] = Future(executor=executor)

        def act() -> None:
            reason = ''
            try:
                done.set_result(work())
            except Exception as error:
                reason = str(error) or type(error).__name__
            if reason:  # the text alone: tracebacks would keep in memory what was half made
                done.set_exception(ValueError(reason))
            executor.wake()

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=act, name=self._name, daemon=True))
        self._threads[-1].start()
        result: T = await done
        return result
