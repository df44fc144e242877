# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Videos out: every picture at its time, the sound of the source beside them."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from depth_estimation_ros.media.audio import Audio
from depth_estimation_ros.media.base import Clip
from depth_estimation_ros.media.formats import FORMATS
from depth_estimation_ros.whole_file import whole_file

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_ROOM = 'nothing of it is left: make room there, or choose another place'
_CURES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EACCES: 'you may not write there: choose another place',
}
_HUNDREDTHS = Fraction(1, 100)
_GREATEST = 65535  # of a clock of MPEG-4


@contextlib.contextmanager
def new_video(
    target: Path, overwrite: bool, size: tuple[int, int], time_base: Fraction, rate: Fraction
) -> Iterator[VideoWriter]:
    """A video that takes its place when it is whole; left by an error it leaves nothing.

    Args:
        target: Where; its ending is one of `FORMATS`.
        overwrite: Replace what is there.
        size, time_base, rate: As for `VideoWriter`.

    Raises:
        FileExistsError: Something is there that is not to be replaced.
        OSError: It cannot be written.
    """
    with whole_file(target, overwrite) as part:
        video = VideoWriter(part, target, size, time_base, rate)
        try:
            yield video
            video.finish()
        finally:
            video.close()


class VideoWriter:
    """A video under way.

    Args:
        file: Where it is written.
        target: What it is to become, which tells the format.
        size: Width and height of the pictures, pixels; of an odd one the last column or row is
            repeated where the format takes none.
        time_base: Seconds of which times are multiples.
        rate: Frames in a second, on average.

    Attributes:
        size: Width and height of the video.

    Raises:
        ValueError: There is no such format.
        OSError: It cannot be written.
    """

    def __init__(
        self,
        file: Path,
        target: Path,
        size: tuple[int, int],
        time_base: Fraction,
        rate: Fraction,
    ) -> None:
        self._format = FORMATS[target.suffix.lower()]
        width, height = size
        odd = int(self._format.even)
        self.size = (width + (width % 2) * odd, height + (height % 2) * odd)
        self._clock = self._time_base(time_base, rate)
        self._next = 0  # the earliest time that is free
        self._left_out = 0
        self._palette = _Palette() if self._format.pixels == 'pal8' else None
        self._audio: Audio | None = None
        with _said(target):
            self._container = self._open(file)
        self._target = target
        self._stream = self._video(rate)

    def _time_base(self, source: Fraction, rate: Fraction) -> Fraction:
        if self._format.clock == 'source':
            return source
        if self._format.clock == 'hundredths':
            return _HUNDREDTHS
        return 1 / rate.limit_denominator(max(int(_GREATEST / rate), 1))

    def _open(self, file: Path) -> OutputContainer:
        return av.open(str(file), 'w', format=self._format.muxer, options={'fflags': '+bitexact'})

    def _video(self, rate: Fraction) -> VideoStream:
        options = dict(self._format.options)
        encoder: Any = self._format.encoder  # PyAV types some by their names
        stream: VideoStream = self._container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = self._format.pixels
        stream.time_base = stream.codec_context.time_base = self._clock
        if self._palette is None and self._format.matrix is Colorspace.ITU709:
            context = stream.codec_context
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def copy_audio(self, source: Path, origin: Fraction, clip: Clip) -> None:
        """Have the sound of a video beside the pictures, to be called before the first `write`.

        Args:
            source: The video.
            origin: Seconds on its clock at its beginning.
            clip: The part of it that is wanted.
        """
        self._audio = Audio(source, self._container, origin, clip)

    def write(self, image: NDArray[np.uint8], time: Fraction) -> None:
        """Show a picture from a time on.

        Args:
            image: [H, W, 3] uint8 RGB of the size that was said.
            time: Seconds from the beginning, more than that of the last one.

        Raises:
            OSError: It cannot be written.
        """
        stamp = round(time / self._clock)
        if stamp < self._next:
            self._left_out += 1
            return
        self._next = stamp + self._format.step
        frame = self._frame(image)
        frame.pts, frame.time_base = stamp, self._clock
        with _said(self._target):
            self._mux(self._stream.encode(frame))
            if self._audio is not None:
                self._audio.until(time)

    def _frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        height, width, _ = image.shape
        right, bottom = self.size[0] - width, self.size[1] - height
        if right or bottom:
            image = np.asarray(
                cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), 'rgb24')
        if self._palette is not None:
            return self._palette.applied(frame)
        return frame.reformat(
            format=self._format.pixels, dst_colorspace=self._format.matrix, interpolation='BICUBIC'
        )

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what is still held back, and the end.

        Raises:
            OSError: It cannot be written.
        """
        with _said(self._target):
            self._mux(self._stream.encode(None))
            if self._audio is not None:
                self._audio.until(None)
            self._container.close()

    def close(self) -> None:
        """Let go of the files; what is not finished is none."""
        if self._audio is not None:
            self._audio.close()
        with contextlib.suppress(av.error.FFmpegError):  # of what has failed already
            self._container.close()

    @property
    def remarks(self) -> list[str]:
        """What people should know of it, once it is finished."""
        said = self._audio.remarks if self._audio is not None else []
        if self._left_out:
            most = float(1 / (self._clock * self._format.step))
            said.append(
                f'{self._format.muxer} takes {most:.4g} frames a second: {self._left_out} that '
                'came closer together were left out; mp4, mov, mkv and webm keep all'
            )
        return said


class _Palette:
    """256 colours for each frame, those that are in it: GIF has no more."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None

    def applied(self, frame: VideoFrame) -> VideoFrame:
        """The frame in them."""
        if self._graph is None:
            self._graph = self._made(frame)
        self._graph.push(frame)
        return self._graph.vpull()

    def _made(self, frame: VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=_HUNDREDTHS,
        )
        split = graph.add('split')
        palette = graph.add('palettegen', 'stats_mode=single:reserve_transparent=0')
        use = graph.add('paletteuse', 'new=1')
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(graph.add('buffersink'))
        graph.configure()
        return graph


@contextlib.contextmanager
def _said(target: Path) -> Iterator[None]:
    """What FFmpeg cannot write, as an error of this file that says what to do."""
    try:
        yield
    except av.error.FFmpegError as error:
        cure = _CURES.get(error.errno or 0, 'take another kind of file, or another size')
        raise OSError(f'{target} cannot be written: {error.strerror}; {cure}') from error
