# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Videos in, of all that FFmpeg reads: every frame with its time, as players show it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import av.error
import numpy as np
from av.stream import Disposition
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

from depth_estimation_ros.media.base import Clip, Picture
from depth_estimation_ros.media.clock import Clock

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Formats whose header tells how long a file is, wherever it is cut off.
_TELL_DURATION = {'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'flv', 'asf', 'avi'}
_TEXT = {'tty'}  # FFmpeg takes any text for a video of it being typed
_USUAL_RATE = Fraction(30)
_HDR = {ColorTrc.SMPTE2084: 'PQ', ColorTrc.ARIB_STD_B67: 'HLG'}
_SHORT = 0.1  # seconds by which headers and files may differ


def open_container(file: Path) -> InputContainer:
    """A file as FFmpeg opens it, and nothing but files.

    Raises:
        FileNotFoundError, ValueError: There is none, or it is none.
    """
    if not file.is_file():
        raise FileNotFoundError(f'there is no file {file}: check the path')
    try:
        container = av.open(
            f'file:{file}', options={'protocol_whitelist': 'file'}, metadata_errors='replace'
        )
    except av.error.FFmpegError as error:
        reason = _reason(file, error)
        raise ValueError(f'{file} is no video that can be read: {reason}') from error
    if container.format.name in _TEXT:
        container.close()
        raise ValueError(f'{file} is no video that can be read: it is text')
    return container


def _reason(file: Path, error: av.error.FFmpegError) -> str:
    with file.open('rb') as stream:
        head = stream.read(12)
    if not head:
        return 'it is empty'
    if head[4:8] == b'ftyp':
        return (
            'its index, which stands at the end, is missing: the recording was cut off; copy it '
            'again, or have a repair tool rebuild the index from another recording of the camera'
        )
    return str(error.strerror)


class Turn(NamedTuple):
    """What makes an image upright: rows and columns exchanged first, then mirrored."""

    transposed: bool = False
    mirrored: bool = False  # left and right
    flipped: bool = False  # top and bottom

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """As the display matrix of a frame says, to the nearest right angle."""
        matrix: Any = frame.side_data.get('DISPLAYMATRIX')
        if matrix is None:
            return cls()
        # Columns (x, y) to x' = a·x + c·y, y' = b·x + d·y (QuickTime File Format, matrices).
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
        if abs(a) >= abs(b):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    def applied(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """[H, W, 3] upright."""
        if self.transposed:
            image = image.transpose(1, 0, 2)
        image = image[:, ::-1] if self.mirrored else image
        image = image[::-1] if self.flipped else image
        return np.ascontiguousarray(image)


class VideoReader:
    """See `base.Reader`.

    Args:
        file: The video. Its rotation is undone, pixels that are not square are made square, alpha
            is dropped, of more than 8 bits the highest are kept. Frames of another size than the
            first are scaled to it.
        clip: The part that is wanted.

    Attributes:
        origin: Seconds on the clock of the file at its beginning.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no video, or one without a frame.
    """

    def __init__(self, file: Path, clip: Clip) -> None:
        self._file, self._clip = file, clip
        self._remarks: list[str] = []
        self._open()
        try:
            self._describe(self._first())
        except ValueError:
            self.close()
            raise

    def _open(self) -> None:
        self._container = open_container(self._file)
        try:
            self._stream = stream = self._video()
        except ValueError:
            self.close()
            raise
        self.origin = self._origin()
        self.rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
        self.time_base = stream.time_base or 1 / self.rate
        self._clock = Clock(self.origin, self.time_base, 1 / self.rate)
        self._reached = 0.0  # seconds from the beginning
        self._unreadable = self._damaged = 0
        self._stopped, self._read_all = '', False
        self._frames: Iterator[tuple[VideoFrame, Fraction]] = self._decoded()

    def close(self) -> None:
        """Nothing can be read any more."""
        self._container.close()

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, once."""
        wanted = 0
        for frame, time in self._frames:
            if time >= self._clip.end:
                return
            if time < self._clip.start:
                continue
            if wanted % self._clip.stride == 0:
                name = f'{wanted // self._clip.stride:06d}'
                yield Picture(self._image(frame), time, name)
            wanted += 1

    @property
    def remarks(self) -> list[str]:
        """See `base.Reader`."""
        return [*self._remarks, *self._clock.remarks]

    @property
    def loss(self) -> list[str]:
        """See `base.Reader`."""
        said = []
        if self._unreadable:
            said.append(f'pieces that cannot be decoded: {self._unreadable}')
        if self._damaged:
            said.append(f'damaged frames: {self._damaged}')
        if self._stopped:
            said.append(f'it cannot be read beyond {self._reached:.1f} s: {self._stopped}')
        missing = (self._promised or 0.0) - self._reached
        if self._read_all and not self._stopped and missing > max(_SHORT, 2.0 / self.rate):
            said.append(
                f'it is cut off after {self._reached:.1f} s of the {self._promised:.1f} s that it '
                'says'
            )
        return said

    def _origin(self) -> Fraction:
        """Zero, unless the clock starts later; sound may begin before it, for its decoder."""
        began = Fraction(self._container.start_time or 0, av.time_base)
        first = (self._stream.start_time or 0) * (self._stream.time_base or Fraction(1))
        return began if began > 0 else min(first, Fraction(0))

    def _said_duration(self) -> float | None:
        """Seconds that the file says it lasts; None: it says none, or none that can be trusted."""
        if self._container.format.name not in _TELL_DURATION:
            return None
        seconds = (self._container.duration or 0) / av.time_base
        if self._container.format.name == 'avi':  # whose duration FFmpeg cuts to what is there
            seconds = max(seconds, float(self._stream.frames * self.time_base))
        return seconds or None

    def _first(self) -> VideoFrame:
        """The first frame that is read; `_frames` goes on from it."""
        first = None
        if self._clip.start > 0:
            with contextlib.suppress(av.error.FFmpegError):  # not of every format
                seconds = self.origin + self._clip.start
                self._container.seek(int(seconds * av.time_base))
            first = next(self._frames, None)
            if first is None or first[0].pts is None or first[1] > self._clip.start:
                first = None
                self.close()
                self._open()  # too far, or nowhere: all is read
        first = first or next(self._frames, None)
        if first is None:
            raise ValueError(f'{self._file} holds no frame that can be read')
        self._frames = itertools.chain([first], self._frames)
        return first[0]

    def _video(self) -> VideoStream:
        for stream in self._container.streams.video:
            if not stream.disposition & Disposition.attached_pic:
                return stream
        kinds = sorted({stream.type for stream in self._container.streams})
        raise ValueError(
            f'{self._file} holds no video{", only " if kinds else ""}{", ".join(kinds)}'
        )

    def _describe(self, first: VideoFrame) -> None:
        """All that is known of the pictures after the first one."""
        self._turn = Turn.of(first)
        self._stored, self._resized = (first.width, first.height), False
        self._size = width, height = _square(first, self._stream.sample_aspect_ratio)
        self.width, self.height = (height, width) if self._turn.transposed else (width, height)
        self._promised = seconds = self._said_duration()
        self.total = None if seconds is None else self._clip.wanted(seconds, float(self.rate))
        if self._clip == Clip() and self._stream.frames:
            self.total = self._stream.frames
        if self._size != self._stored:
            self._remarks.append(
                f'pixels are not square: {first.width}x{first.height} becomes {width}x{height}'
            )
        if first.color_trc in _HDR:
            name = _HDR[ColorTrc(first.color_trc)]
            self._remarks.append(
                f'colours are HDR ({name}), and paler for the network than on a screen: convert '
                'it to SDR first'
            )

    def _decoded(self) -> Iterator[tuple[VideoFrame, Fraction]]:
        """All frames that can be read, and their times; what cannot is counted."""
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError:
                self._unreadable += 1
                continue
            torn = packet is not None and packet.is_corrupt
            self._damaged += max(torn, sum(frame.is_corrupt for frame in frames))
            for frame in frames:
                yield frame, self._clock.time(frame.pts)
        self._read_all = True

    def _packets(self) -> Iterator[Packet[Any] | None]:
        """Those of the stream; the last one has the decoder give what it holds back."""
        try:
            for packet in self._container.demux():
                if packet.pts is not None:
                    end = (packet.pts + (packet.duration or 0)) * packet.time_base - self.origin
                    self._reached = max(self._reached, float(end))
                if packet.stream is self._stream:
                    yield packet
        except av.error.FFmpegError as error:
            self._stopped = str(error.strerror)
            yield None

    def _image(self, frame: VideoFrame) -> NDArray[np.uint8]:
        width, height = self._size
        if not self._resized and (frame.width, frame.height) != self._stored:
            self._resized = True
            self._remarks.append(f'frames change their size: all are scaled to {width}x{height}')
        rgb = frame.reformat(width, height, 'rgb24', interpolation='BICUBIC').to_ndarray()
        return self._turn.applied(np.asarray(rgb, np.uint8))


def _square(frame: VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    """Width and height with square pixels; none are lost."""
    if not aspect or aspect == 1:
        return frame.width, frame.height
    if aspect > 1:
        return round(frame.width * aspect), frame.height
    return frame.width, round(frame.height / aspect)
