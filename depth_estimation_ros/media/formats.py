# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds of videos that are written, by how their names end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from av.video.reformatter import Colorspace


@dataclasses.dataclass(frozen=True)
class Format:
    """How videos of a kind are written.

    The number of threads is fixed, and so are the bytes: encoders share the work by it.

    Attributes:
        muxer, encoder: FFmpeg's names.
        options: Of the encoder.
        pixels: Its pixel format.
        even: Whether width and height must be.
        matrix: Of the colours; where the container cannot say which, the one that players take.
        clock: 'source': times are kept; 'rate': they are multiples of a frame; 'hundredths'.
        step: Units of the clock between two frames at least.
    """

    muxer: str
    encoder: str
    options: Mapping[str, str]
    pixels: str = 'yuv420p'
    even: bool = True
    matrix: Colorspace = Colorspace.ITU709
    clock: str = 'source'
    step: int = 1


# Encoders share the processor with the network. Of 640x480 `veryfast` takes three times as long,
# 11 ms of a core a frame, which is more than a small network takes; its files are six tenths as
# large, a quarter with the picture beside the depth, and pictures no better.
_H264 = {'preset': 'ultrafast', 'crf': '18', 'threads': '4'}
_VP9 = {
    'crf': '24',
    'b': '0',
    'deadline': 'realtime',
    'cpu-used': '8',
    'row-mt': '1',
    'threads': '4',
}
FORMATS = {
    '.mp4': Format('mp4', 'libx264', _H264),
    '.mov': Format('mov', 'libx264', _H264),
    '.mkv': Format('matroska', 'libx264', _H264),
    '.webm': Format('webm', 'libvpx-vp9', _VP9),
    '.avi': Format(
        'avi',
        'mpeg4',
        {'flags': '+qscale', 'global_quality': '354'},
        matrix=Colorspace.ITU601,
        clock='rate',
    ),
    # Players show what is to be shown for less than two hundredths for ten.
    '.gif': Format('gif', 'gif', {}, pixels='pal8', even=False, clock='hundredths', step=2),
}
