# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels as cameras send them, raw or compressed, to RGB.

Encodings have the names of sensor_msgs/image_encodings. Results share the data they are made of
where the layout allows, and keep it alive.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Raw:
    """The pixels of a raw image, as a message carries them.

    Attributes:
        data: Any buffer.
        width, height: In pixels.
        step: Bytes from row to row.
        encoding: Its name.
        bigendian: Byte order of samples of more than one byte.
    """

    data: Any
    width: int
    height: int
    step: int
    encoding: str
    bigendian: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(
                f'image of zero size ({self.width}x{self.height}): check the camera driver'
            )

    def rows(self, pixel_bytes: int) -> Image:
        """[H, W * pixel_bytes] uint8, a view without the padding at the end of each row.

        Raises:
            ValueError: Step or data that do not fit the size.
        """
        data = np.frombuffer(self.data, np.uint8)
        needed = self.width * pixel_bytes
        if self.step < needed:
            raise ValueError(
                f'step={self.step} is too small: {self.width} pixels of {self.encoding} take '
                f'{needed} bytes; the publisher must fill step'
            )
        if data.size != self.step * self.height:
            raise ValueError(
                f'data has {data.size} bytes, but step={self.step} times height={self.height} is '
                f'{self.step * self.height}: the image was cut off, or the publisher fills step '
                'wrongly'
            )
        return data.reshape(self.height, self.step)[:, :needed]


@dataclasses.dataclass(frozen=True)
class _Packed:
    """An encoding with all samples of a pixel side by side."""

    channels: int
    to_rgb: int | None  # code of cv2.cvtColor; None: it is RGB
    sample_bytes: int = 1


# OpenCV names a Bayer pattern by the second row and column, ROS by the first.
_BAYER = {
    'rggb': cv2.COLOR_BayerBG2RGB,
    'bggr': cv2.COLOR_BayerRG2RGB,
    'gbrg': cv2.COLOR_BayerGR2RGB,
    'grbg': cv2.COLOR_BayerGB2RGB,
}
_PACKED = {
    'rgb8': _Packed(3, None),
    'bgr8': _Packed(3, cv2.COLOR_BGR2RGB),
    'rgba8': _Packed(4, cv2.COLOR_RGBA2RGB),
    'bgra8': _Packed(4, cv2.COLOR_BGRA2RGB),
    'mono8': _Packed(1, cv2.COLOR_GRAY2RGB),
    'mono16': _Packed(1, cv2.COLOR_GRAY2RGB, 2),
    'yuv422': _Packed(2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': _Packed(2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': _Packed(2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': _Packed(2, cv2.COLOR_YUV2RGB_YUY2),
    **{f'bayer_{name}8': _Packed(1, code) for name, code in _BAYER.items()},
    **{f'bayer_{name}16': _Packed(1, code, 2) for name, code in _BAYER.items()},
}
_PLANES = {'nv21': 1.5, 'nv24': 3.0}  # bytes per pixel, luminance and chroma together
_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'  # what files begin with
KNOWN = (*_PACKED, *_PLANES)
# ITU-R BT.601, limited range: Y, U, V and 1 to R, G, B. What OpenCV uses for the other YUV.
_YUV_TO_RGB = np.array([[1.164, 0.0, 1.596], [1.164, -0.391, -0.813], [1.164, 2.018, 0.0]])
_YUV_TO_RGB = np.column_stack([_YUV_TO_RGB, _YUV_TO_RGB @ (-16.0, -128.0, -128.0)])


def decode(raw: Raw) -> Image:
    """RGB of a raw image in any of the KNOWN encodings.

    16-bit samples keep their high byte, so that a dark picture stays dark.

    Returns:
        [H, W, 3] uint8 RGB; for rgb8 a view of the data.

    Raises:
        ValueError: Size, step, data or encoding that make no picture.
    """
    if raw.encoding in _PLANES:
        return _decode_planes(raw)
    encoding = _PACKED.get(raw.encoding)
    if encoding is None:
        raise ValueError(f'unknown encoding {raw.encoding!r}: known are {", ".join(KNOWN)}')
    if encoding.channels == 2 and raw.width % 2:
        raise ValueError(
            f'{raw.encoding} image is {raw.width} pixels wide: two pixels share their colour, so '
            'the width must be even'
        )
    samples = _samples(raw, encoding)
    if encoding.to_rgb is None:
        return samples
    return cast('Image', cv2.cvtColor(samples, encoding.to_rgb))


def _samples(raw: Raw, encoding: _Packed) -> Image:
    """[H, W, channels] uint8, of 16-bit samples the high byte."""
    rows = raw.rows(encoding.channels * encoding.sample_bytes)
    if encoding.sample_bytes == 1:
        return rows.reshape(raw.height, raw.width, encoding.channels)
    pairs = rows.reshape(raw.height, raw.width, 2)
    return cast('Image', cv2.extractChannel(pairs, 0 if raw.bigendian else 1))


def _decode_planes(raw: Raw) -> Image:
    """RGB of NV21 (4:2:0, V before U) and NV24 (4:4:4, U before V), as V4L2 lays them out.

    Drivers put into `step` the row of the luminance plane, or the data divided by the height.
    """
    data = np.frombuffer(raw.data, np.uint8)
    planes, width, height = _PLANES[raw.encoding], raw.width, raw.height
    if raw.encoding == 'nv21' and (width % 2 or height % 2):
        raise ValueError(f'nv21 image is {width}x{height}: width and height must be even')
    pitch = raw.step if data.size != raw.step * height else int(raw.step / planes)
    if data.size != round(pitch * height * planes) or pitch < width:
        raise ValueError(
            f'data has {data.size} bytes and step={raw.step}, but {width}x{height} pixels of '
            f'{raw.encoding} take {round(width * height * planes)} bytes with a step of {width}: '
            'the image was cut off, or the publisher fills step wrongly'
        )
    luminance = data[: pitch * height].reshape(height, pitch)[:, :width]
    chroma = data[pitch * height :]
    if raw.encoding == 'nv21':
        vu = chroma.reshape(height // 2, pitch)[:, :width].reshape(height // 2, width // 2, 2)
        return cast('Image', cv2.cvtColorTwoPlane(luminance, vu, cv2.COLOR_YUV2RGB_NV21))
    uv = chroma.reshape(height, 2 * pitch)[:, : 2 * width].reshape(height, width, 2)
    return cast('Image', cv2.transform(cv2.merge([luminance, *cv2.split(uv)]), _YUV_TO_RGB))


def decode_compressed(data: bytes) -> Image:
    """RGB of a JPEG or PNG.

    Grey pictures become grey RGB, alpha is dropped, 16-bit samples keep their high byte. An EXIF
    orientation is not followed, since camera_info describes the sensor as it is.

    Returns:
        [H, W, 3] uint8 RGB.

    Raises:
        ValueError: No JPEG or PNG, cut off, or damaged.
    """
    _check_complete(data)
    bgr = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if bgr is None:
        raise ValueError(
            f'compressed image of {len(data)} bytes is damaged: OpenCV cannot decode it; check '
            'the camera driver'
        )
    return cast('Image', cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, bgr))


def is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; OpenCV would fill the rest with grey and only warn."""
    if data.startswith(_JPEG):
        return data.find(b'\xff\xd9', _jpeg_scan(data)) < 0
    return data.startswith(_PNG) and b'IEND\xaeB`\x82' not in data[-64:]


def _check_complete(data: bytes) -> None:
    if not data.startswith((_JPEG, _PNG)):
        raise ValueError(
            f'compressed image of {len(data)} bytes is neither JPEG nor PNG: set the '
            'publisher to one of them, or image_transport to raw'
        )
    if is_cut_off(data):
        raise ValueError(
            f'compressed image is truncated after {len(data)} bytes: its end is '
            'missing; look for a full disk, a lossy link or a too small buffer of the driver'
        )


def _jpeg_scan(data: bytes) -> int:
    """Where the compressed picture begins, behind the headers: a thumbnail there has an end too.

    ITU-T T.81, annex B: each marker segment before the scan carries its length.
    """
    at = 2
    while at + 4 <= len(data) and data[at : at + 2] != b'\xff\xda':
        fill = data[at + 1] == 0xFF  # a marker may be preceded by any number of fill bytes
        at += 1 if fill else 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return at
