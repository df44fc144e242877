# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps as files: coloured pictures with a legend, and the numbers in what others read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.colorize import colorize, colorize_inverse, legend
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.messages import depth_to_millimetres
from depth_estimation_ros.whole_file import whole_file

NO_METRES = 'the depth is relative, without a calibration: there are no metres to write'
_PERCENTILES = (2.0, 98.0)


def colours(depth_map: DepthMap, unit: str) -> NDArray[np.uint8]:
    """A coloured picture, warm near and cold far, with a legend beside it.

    Args:
        depth_map: What is shown; its prediction where it has no metres.
        unit: Of the legend: m, cm, or model for the prediction.

    Returns:
        [H, W + legend, 3] uint8 RGB.
    """
    said = unit == 'model' or depth_map.depth is None
    values = np.asarray(depth_map.prediction.values if said else depth_map.depth)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, _PERCENTILES).tolist() if known.size else (0.0, 1.0)
    high = max(high, low + 1e-6 * max(abs(low), 1.0))
    if said and depth_map.prediction.kind is DepthKind.RELATIVE:
        picture, strip = colorize_inverse(values, low, high), legend(len(values), high, low, '')
    else:
        scale, name = (100.0, 'cm') if unit == 'cm' else (1.0, 'm')
        picture = colorize(values, low, high)
        strip = legend(len(values), low * scale, high * scale, name)
    return np.hstack([picture, strip])


def write_colours(depth_map: DepthMap, unit: str, file: Path) -> None:
    """Write what `colours` makes as a PNG.

    Raises:
        OSError: It cannot be written.
    """
    write_picture(colours(depth_map, unit), file)


def write_side_by_side(depth_map: DepthMap, unit: str, file: Path) -> None:
    """The picture, and beside it what `colours` makes, as one PNG.

    Raises:
        OSError: It cannot be written.
    """
    write_picture(np.hstack([depth_map.frame.image, colours(depth_map, unit)]), file)


def write_picture(picture: NDArray[np.uint8], file: Path) -> None:
    """A picture, [H, W, 3] uint8 RGB, as a PNG.

    Raises:
        OSError: It cannot be written.
    """
    save(file, png(picture[..., ::-1]))


def write_png16(depth_map: DepthMap, file: Path) -> None:
    """Millimetres in 16 bits; 0 unknown, out of range, or beyond 65.535 m.

    Raises:
        ValueError: There are no metres.
        OSError: It cannot be written.
    """
    save(file, png(depth_to_millimetres(metres(depth_map))))


def write_npy(depth_map: DepthMap, file: Path) -> None:
    """[H, W] float32 m, NaN unknown, ±Inf out of range, as `np.load` reads it.

    Raises:
        ValueError: There are no metres.
        OSError: It cannot be written.
    """
    depth = metres(depth_map)
    with _whole(file) as part, part.open('wb') as stream:
        np.save(stream, depth)


def write_npz(depth_map: DepthMap, file: Path) -> None:
    """`depth`, [H, W] float32 m (NaN unknown, ±Inf out of range), or `inverse_depth` without unit.

    With it `kind`, and where the camera is known `K`, [3, 3], `D` and `distortion_model`.

    Raises:
        OSError: It cannot be written.
    """
    camera, depth = depth_map.frame.camera, depth_map.depth
    arrays: dict[str, Any] = {'kind': depth_map.kind.value}
    arrays['inverse_depth' if depth is None else 'depth'] = np.asarray(
        depth_map.prediction.values if depth is None else depth
    )
    if camera is not None:
        arrays |= {
            'K': camera.matrix,
            'D': np.array(camera.distortion),
            'distortion_model': camera.distortion_model,
        }
    with _whole(file) as part, part.open('wb') as stream:
        np.savez_compressed(stream, **arrays)


def write_exr(depth_map: DepthMap, file: Path) -> None:
    """OpenEXR with the one channel Z, 32-bit float m, NaN unknown, ±Inf out of range; ZIP.

    Z is OpenEXR's own name for depth ("Standard channel names" of its technical introduction).

    Raises:
        ValueError: There are no metres, or the library OpenEXR is missing.
        OSError: It cannot be written.
    """
    depth = metres(depth_map)
    try:
        import OpenEXR
    except ImportError as error:  # OpenCV's wheels have no encoder for it
        raise ValueError(f'{file} needs the library OpenEXR: pip install OpenEXR') from error
    header = {'compression': OpenEXR.ZIP_COMPRESSION, 'type': OpenEXR.scanlineimage}
    with _whole(file) as part, OpenEXR.File(header, {'Z': np.ascontiguousarray(depth)}) as exr:
        try:
            exr.write(str(part))
        except RuntimeError as error:  # which is how it tells that the disk is full
            raise OSError(str(error)) from error


def write_pfm(depth_map: DepthMap, file: Path) -> None:
    """Portable float map: float32 m, the bottom row first, NaN unknown, ±Inf out of range.

    A negative scale says little-endian (Debevec's definition of PFM).

    Raises:
        ValueError: There are no metres.
        OSError: It cannot be written.
    """
    depth = metres(depth_map)
    height, width = depth.shape
    header = f'Pf\n{width} {height}\n-1.0\n'.encode()
    save(file, header + depth[::-1].astype('<f4').tobytes())


def metres(depth_map: DepthMap) -> NDArray[np.float32]:
    """The depth, [H, W] float32 m.

    Raises:
        ValueError: There are no metres.
    """
    if depth_map.depth is None:
        raise ValueError(NO_METRES)
    return np.asarray(depth_map.depth)


def png(image: NDArray[Any]) -> bytes:
    """An image as OpenCV has it (BGR or one channel) as PNG."""
    _, data = cv2.imencode('.png', np.ascontiguousarray(image))
    return data.tobytes()


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """As `whole_file`, replacing what is there; errors name the file."""
    try:
        with whole_file(file, overwrite=True) as part:
            yield part
    except OSError as error:
        why = error.strerror or error
        raise OSError(f'cannot write {file}: {why}; make room, or give another place') from error


def save(file: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: It cannot be written; the text names it.
    """
    with _whole(file) as part:
        part.write_bytes(data)


# Files of one depth map: how they end, and what writes them.
KINDS: Mapping[str, tuple[str, Callable[[DepthMap, Path], None]]] = MappingProxyType(
    {
        'npz': ('.npz', write_npz),
        'npy': ('.npy', write_npy),
        'exr': ('.exr', write_exr),
        'pfm': ('.pfm', write_pfm),
        'png16': ('.png', write_png16),
    }
)
