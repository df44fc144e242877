# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The one thread on which the network runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from depth_estimation_ros.pipeline import process_together

if TYPE_CHECKING:
    from depth_estimation_ros.ros.stream import CameraStream, Taken


class Worker:
    """Takes the newest frames of the cameras that are due through the network, together.

    One frame of each camera in a round, so that none has to wait for more than one round however
    fast another one is.

    Args:
        say: Takes a message about frames that failed together and are served one by one.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._streams: Sequence[CameraStream] = ()

    def wake(self) -> None:
        """Look again whether a camera is due."""
        self._wanted.set()

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None

    def start(self, streams: Sequence[CameraStream]) -> None:
        """Begin to serve."""
        self._stopped.clear()
        self._streams = streams
        self._thread = threading.Thread(
            target=self._run, args=(streams,), name='depth worker', daemon=True
        )
        self._thread.start()
        self.wake()

    def stop(self, within: float | None = None) -> bool:
        """Finish the frames at hand, and end.

        Args:
            within: Seconds to wait for that; None: as long as it takes.

        Returns:
            Whether it has ended.
        """
        self._stopped.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(within)
            if self._thread.is_alive():
                return False
            self._thread = None
        return True

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Between two rounds for the body of a `with`; afterwards it serves again, if it did."""
        streams = self._streams if self.running else None
        self.stop()
        try:
            yield
        finally:
            if streams is not None:
                self.start(streams)

    def _run(self, streams: Sequence[CameraStream]) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopped.is_set():
                return
            due = [stream for stream in streams if stream.due()]
            self._serve([(s, taken) for s in due if (taken := s.take()) is not None])

    def _serve(self, taken: Sequence[tuple[CameraStream, Taken]]) -> None:
        """To depth and out; of frames that fail together only those that fail alone are faults."""
        if not taken:
            return
        try:
            depth_maps = process_together([(s.pipeline, one.frame) for s, one in taken])
        except Exception as error:  # whatever a frame does, the next one is served
            if len(taken) == 1:
                taken[0][0].fail(error)
                return
            self._say(f'{len(taken)} frames failed together, now one by one: {error}')
            for alone in taken:
                self._serve([alone])
            return
        for (stream, one), depth_map in zip(taken, depth_maps, strict=True):
            stream.finish(one, depth_map)
