# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of a video, copied as it is."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from depth_estimation_ros.media.base import Clip
from depth_estimation_ros.media.video_reader import open_container

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet


class Audio:
    """All tracks that the target takes.

    Args:
        source: The video, or what else has sound in it.
        target: Where to; nothing has been written into it yet.
        origin: Seconds on the clock of the source at its beginning.
        clip: The part that is wanted; it begins at 0 in the target.

    Attributes:
        remarks: What could not be copied.
    """

    def __init__(
        self, source: Path, target: OutputContainer, origin: Fraction, clip: Clip
    ) -> None:
        self._target, self._clip, self._start = target, clip, origin + clip.start
        self.remarks: list[str] = []
        self._source = open_container(source)
        self._copies: dict[AudioStream, AudioStream] = {}
        for stream in self._source.streams.audio:
            if _fits(stream, target.format.name):
                self._copies[stream] = target.add_stream_from_template(stream)
            else:
                self.remarks.append(
                    f'the sound ({stream.codec.canonical_name}) does not fit into '
                    f'{target.format.name} and was left out: mkv takes any'
                )
        self._waiting = self._packets() if self._copies else iter(())

    def _packets(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Those of the part, with their times in the target."""
        packets: Iterator[Packet[Any]] = self._source.demux(*self._copies)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # the reader of the pictures meets it, too, and says so
                return
            if packet is None:
                return
            if packet.dts is None or packet.pts is None:
                continue
            time = packet.pts * packet.time_base - self._start
            if time >= self._clip.end - self._clip.start:
                return
            if time >= 0 or not self._clip.start:  # what stands before zero is for the decoder
                shift = round(self._start / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._copies[packet.stream]
                yield time, packet

    def until(self, time: Fraction | None) -> None:
        """Write what is to be heard up to a time in the target; None: all that is left."""
        for at, packet in self._waiting:
            self._target.mux(packet)
            if time is not None and at > time:
                return

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()


def _fits(stream: AudioStream, muxer: str) -> bool:
    """Whether a format takes a track, for which its list of codecs is no proof."""
    with contextlib.closing(av.open(io.BytesIO(), 'w', format=muxer)) as trial:
        try:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError):
            return False
        return True
