# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread on which the network runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol


class Source(Protocol):
    """Something with work to do, now and then."""

    def due(self) -> bool:
        """Whether there is work."""

    def serve(self) -> None:
        """Do it."""


class Worker:
    """Serves the sources that are due, in turn, until it is stopped."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Look again whether a source is due."""
        self._wanted.set()

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None

    def start(self, sources: Sequence[Source]) -> None:
        """Begin to serve."""
        self._stopped.clear()
        self._thread = threading.Thread(
            target=self._run, args=(sources,), name='depth worker', daemon=True
        )
        self._thread.start()
        self.wake()

    def stop(self) -> None:
        """Finish the frame at hand, and end."""
        self._stopped.set()
        self.wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, sources: Sequence[Source]) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            for source in sources:
                if self._stopped.is_set():
                    return
                if source.due():
                    source.serve()
            if self._stopped.is_set():
                return
            if any(source.due() for source in sources):
                self.wake()
