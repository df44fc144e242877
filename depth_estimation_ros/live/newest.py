# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The newest frame of a camera, or of a video that plays at its own pace."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.capture import Capture
from depth_estimation_ros.mailbox import Mailbox

_BAD_READS = 10  # in a row: a camera is gone; one now and then is a picture that was garbled
_USUAL_RATE = 30.0  # of a video that does not tell its own
_END = 2.0  # seconds for the last read: a stream that does not answer may take longer


class Captured(NamedTuple):
    """A picture.

    Attributes:
        bgr: [H, W, 3] uint8, in OpenCV's order of channels.
        stamp: When it was read, nanoseconds since the epoch.
        arrived: The same, as of time.perf_counter.
    """

    bgr: NDArray[np.uint8]
    stamp: int
    arrived: float

    def rgb(self) -> NDArray[np.uint8]:
        """[H, W, 3] uint8 RGB."""
        return np.asarray(cv2.cvtColor(self.bgr, cv2.COLOR_BGR2RGB), np.uint8)


class Newest:
    """Reads a source in a thread, so that its newest frame is always at hand.

    Args:
        source: The images; it is closed with this.

    Attributes:
        error: Why it ended; empty at the end of a video file.
    """

    def __init__(self, source: Capture) -> None:
        self.error, self._source = '', source
        self._mailbox: Mailbox[Captured] = Mailbox()
        self._news, self._stop, self._ended = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._read, name='capture', daemon=True)

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before anybody took them."""
        return self._mailbox.overwritten

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more; `error` tells why."""
        return self._ended and not self._mailbox

    def take(self, timeout: float) -> Captured | None:
        """The newest frame that was not taken yet; None if none comes within so many seconds.

        Reading begins with the first call, so that a video waits for its viewer.
        """
        if self._thread.ident is None:
            self._thread.start()
        if not self._mailbox:
            self._news.wait(timeout)
        self._news.clear()
        return self._mailbox.take()

    def close(self) -> None:
        """Close the source; the thread that reads does it."""
        self._stop.set()
        if self._thread.ident is None:
            self._source.close()
        else:
            self._thread.join(_END)

    def _read(self) -> None:
        """Whoever reads also closes: OpenCV's captures are not for two threads."""
        started, number, bad = time.perf_counter(), 0, 0
        period = 1.0 / (self._source.rate or _USUAL_RATE)
        while not self._stop.is_set() and bad < (_BAD_READS if self._source.live else 1):
            if not self._source.live:  # as if it were
                self._stop.wait(started + number * period - time.perf_counter())
            bgr = self._source.read()
            if bgr is None:
                bad += 1
                continue
            number, bad = number + 1, 0
            self._mailbox.put(Captured(bgr, time.time_ns(), time.perf_counter()))
            self._news.set()
        if bad and self._source.live:
            self.error = (
                f'{self._source.name} gives no more frames after {number}: is it still connected, '
                'and does no other program use it?'
            )
        self._ended = True
        self._news.set()
        self._source.close()
