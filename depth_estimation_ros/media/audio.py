# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of a video, copied as it is."""

from __future__ import annotations

import contextlib
import errno
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error

from depth_estimation_ros.media.base import Clip
from depth_estimation_ros.media.clock import Clock
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
    """

    def __init__(
        self, source: Path, target: OutputContainer, origin: Fraction, clip: Clip
    ) -> None:
        self._target, self._clip, self._origin = target, clip, origin
        self._remarks: list[str] = []
        self._damaged = 0
        self._source = open_container(source)
        self._copies: dict[AudioStream, AudioStream] = {}
        for stream in self._source.streams.audio:
            if _fits(stream, target.format.name):
                self._copies[stream] = target.add_stream_from_template(stream)
            else:
                self._remarks.append(
                    f'the sound ({stream.codec.canonical_name}) does not fit into '
                    f'{target.format.name} and was left out: mkv takes any'
                )
        self._waiting = self._packets() if self._copies else iter(())

    def _packets(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Those of the part, with their times in the target."""
        clocks: dict[AudioStream, Clock] = {}
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
            tick, stream = packet.time_base, packet.stream
            usual = (packet.duration or 1) * tick
            clock = clocks.setdefault(stream, Clock(self._origin, tick, usual))
            time = clock.time(packet.dts) - self._clip.start
            if time >= self._clip.end - self._clip.start:
                return
            if time >= 0 or not self._clip.start:  # what stands before zero is for the decoder
                stamp = round(time / tick)
                packet.pts, packet.dts = stamp + packet.pts - packet.dts, stamp
                packet.stream = self._copies[stream]
                yield time, packet

    def until(self, time: Fraction | None) -> None:
        """Write what is to be heard up to a time in the target; None: all that is left."""
        for at, packet in self._waiting:
            try:
                self._target.mux(packet)
            except av.error.FFmpegError as error:
                if error.errno in errno.errorcode:  # of the system: there is no room, for instance
                    raise
                self._damaged += 1
            if time is not None and at > time:
                return

    @property
    def remarks(self) -> list[str]:
        """What could not be copied."""
        damaged = f'pieces of sound that are damaged and were left out: {self._damaged}'
        return self._remarks + [damaged] * bool(self._damaged)

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
