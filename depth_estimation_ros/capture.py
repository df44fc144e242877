# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera, a video file or a stream of the network: images as they come, through OpenCV."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_PATIENCE = 3000  # ms for a stream to open, and for each of its images
_STREAM = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE]


class Capture:
    """Images of a source, the first of which is read at once.

    Args:
        source: A camera's number (0 is /dev/video0) or device, a video file, or a URL.
        size: Width and height to ask a camera for; None: as it comes.
        rate: Images per second to ask a camera for; 0: as it comes.

    Attributes:
        name: What it is, for people; of a URL without user and password.
        live: A camera or a stream, which goes on by itself; a file waits.
        size: Width and height of the first image.
        rate: Images per second that it says it has; 0: it does not say.

    Raises:
        FileNotFoundError: No such file or camera; the text names those that are there.
        PermissionError: It may not be opened; the text says how to be allowed.
        OSError: Another program has it, or it gives no images.
        ValueError: A file that is no video.
    """

    def __init__(
        self, source: str, size: tuple[int, int] | None = None, rate: float = 0.0
    ) -> None:
        address = urlsplit(source)
        self._url = bool(address.scheme and address.netloc)
        self.name = source
        if self._url:
            self.name = f'{address.scheme}://{address.netloc.rpartition("@")[2]}{address.path}'
        elif source.isdecimal():
            self.name = f'/dev/video{source}'
        self._source = source if self._url else self.name
        self.live = self._url or not Path(self._source).is_file()
        self._asked = size, rate
        self._capture = cv2.VideoCapture()
        self.open()

    def open(self) -> None:
        """From the beginning, or again, where a camera was lost.

        Raises:
            OSError, ValueError: As the class says.
        """
        # One that was unplugged would keep its device, and come back as another; one that is held
        # cannot be opened.
        self.close()
        if self.live and not self._url:
            _check_device(self._source)
        self._capture = self._opened()
        there, first = self._capture.read()
        if not there:
            self._capture.release()
            raise self._nothing()
        self._first = None if self.live else np.asarray(first, np.uint8)  # that of a camera is old
        self.size = first.shape[1], first.shape[0]
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0.0 < rate < 1000.0 else 0.0

    def read(self) -> Image | None:
        """The next image, [H, W, 3] uint8 BGR; None: a file has ended, or a camera was lost."""
        first, self._first = self._first, None
        if first is not None:
            return first
        there, image = self._capture.read()
        return np.asarray(image, np.uint8) if there else None

    def close(self) -> None:
        """Let others have it."""
        self._capture.release()

    def _opened(self) -> cv2.VideoCapture:
        if self._url:
            return cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, _STREAM)
        if not self.live:
            return cv2.VideoCapture(self._source)
        capture = cv2.VideoCapture(self._source, cv2.CAP_V4L2)
        for key, value in _wanted(*self._asked).items():
            capture.set(key, value)
        return capture

    def _nothing(self) -> Exception:
        if not self.live:
            return ValueError(f'{self.name} is no video that can be read: play it with ffplay')
        if self._url:
            return OSError(f'{self.name} gives no images: does it answer, and is it a video?')
        return OSError(
            f'{self.name} gives no images: another program has it (fuser -v {self.name} tells '
            'which), or it is not the device of its camera that gives images: try the next number'
        )


_UNCOMPRESSED = 640 * 480  # pixels, that USB 2 carries 30 times a second


def _wanted(size: tuple[int, int] | None, rate: float) -> dict[int, float]:
    """What to ask a camera for, in this order.

    OpenCV prefers pixels that are not compressed, of which USB 2 carries few large pictures. A
    camera without JPEG keeps what it has.
    """
    wanted: dict[int, float] = {}
    if size is not None:
        if size[0] * size[1] > _UNCOMPRESSED:
            wanted[cv2.CAP_PROP_FOURCC] = cv2.VideoWriter.fourcc(*'MJPG')
        wanted[cv2.CAP_PROP_FRAME_WIDTH], wanted[cv2.CAP_PROP_FRAME_HEIGHT] = size
    if rate:
        wanted[cv2.CAP_PROP_FPS] = rate
    return wanted


def _check_device(path: str) -> None:
    """Make sure that it can be opened: OpenCV would not say why it cannot."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except FileNotFoundError as error:
        there = ', '.join(sorted(map(str, Path('/dev').glob('video*')))) or 'none'
        cure = (
            f'is it plugged in? Cameras that are there: {there}; a container must be started with '
            f'--device {path}'
            if path.startswith('/dev/')
            else f'give a file that is there, a URL, or a camera; those that are there: {there}'
        )
        raise FileNotFoundError(f'no camera or file {path}: {cure}') from error
    except PermissionError as error:
        raise PermissionError(
            f'{path} may not be opened by this user: sudo usermod -aG video $USER, and log in anew'
        ) from error
    except OSError as error:
        raise OSError(
            f'{path} cannot be opened, {error.strerror}: is it a camera, plugged in, and does '
            'nobody else have it?'
        ) from error
