# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Small videos for tests, with sound."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

MILLISECONDS = Fraction(1, 1000)
CODECS = {'.avi': 'mpeg4', '.webm': 'libvpx-vp9', '.gif': 'gif'}


def numbered(count, width=64, height=48):
    """Pictures that tell their number by their grey, 8 apart, and where their top left is."""
    pictures = np.zeros((count, height, width, 3), np.uint8)
    pictures[:] = 8 * (1 + np.arange(count, dtype=np.uint8) % 28)[:, None, None, None]
    pictures[:, : height // 4, : width // 4] = (255, 0, 0)
    return pictures


def number(image):
    """Which of `numbered` it is."""
    return round(float(image[-16:, -16:].mean()) / 8) - 1


def shoot(path, pictures, times=None, codec='', pixels='yuv420p', sound='', **more):
    """A video of pictures, each from so many milliseconds on.

    Args:
        more: `rotation`, degrees against the clock; `aspect` of pixels; of the container `options`
            and `title`.
    """
    codec = codec or CODECS.get(path.suffix, 'libx264')
    pixels = 'rgb8' if codec == 'gif' else pixels
    times = [round(i * 1000 / 30) for i in range(len(pictures))] if times is None else times
    base = Fraction(1, 30) if path.suffix == '.avi' else MILLISECONDS
    with av.open(str(path), 'w', options=more.get('options', {})) as container:
        container.metadata.update({'title': more.get('title', '')})
        stream = container.add_stream(codec, rate=30)
        _, stream.height, stream.width, _ = pictures.shape
        stream.pix_fmt, stream.time_base = pixels, base
        stream.codec_context.time_base, stream.codec_context.gop_size = base, 12
        stream.codec_context.sample_aspect_ratio = more.get('aspect', Fraction(1))
        if 'rotation' in more:
            stream.set_display_rotation(more['rotation'])
        if sound:
            _hum(container, sound, times[-1] / 1000)
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, 'rgb24')
            frame.pts, frame.time_base = round(time * MILLISECONDS / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _hum(container, codec, seconds):
    stream = container.add_stream(codec, rate=48000)
    wave = 8000 * np.sin(np.arange(int(48000 * seconds)) / 20)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], 's16', 'mono')
    frame.sample_rate, frame.pts = 48000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def frames(path):
    """Every frame of a video, [H, W, 3] uint8, and its time in seconds."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
        return [frame.to_ndarray(format='rgb24') for frame in decoded], [f.time for f in decoded]


def sound(path):
    """The packets of sound as they are, with their times in seconds; none without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(bytes(packet), float(packet.pts * packet.time_base)) for packet in packets]
