# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What bags are compressed with, whole or cut off."""

from __future__ import annotations

import bz2
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_ZSTD = b'\x28\xb5\x2f\xfd'  # what a compressed file, or message, begins with
_PIECE = 2**16
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    'bz2': bz2.BZ2Decompressor,
    'lz4': lz4.frame.LZ4FrameDecompressor,
    'zstd': zstd.ZstdDecompressor,
}


def decompressed(stored: bytes, compression: str) -> tuple[bytes, str]:
    """What a chunk holds, as far as it can be decompressed, and what is wrong with it.

    Args:
        stored: The chunk.
        compression: Name of how it is compressed; `none` or empty: not at all.
    """
    if compression in {'', 'none'}:
        return stored, ''
    if compression not in _DECOMPRESSORS:
        return b'', f'compressed with {compression!r}, which is not known'
    data = io.BytesIO()
    fault = _decompress(io.BytesIO(stored), data, _DECOMPRESSORS[compression])
    return data.getvalue(), fault


def _decompress(stored: BinaryIO, out: BinaryIO, new: Callable[[], Any]) -> str:
    """Decompress as far as it goes; what is wrong with it."""
    decompressor = new()
    while piece := stored.read(_PIECE):
        while piece:
            if decompressor.eof:  # one may follow the other
                decompressor = new()
            try:
                data = decompressor.decompress(piece)
            except (OSError, EOFError, RuntimeError, ValueError, zstd.ZstdError) as error:
                return f'damaged ({error})'
            out.write(data)
            piece = decompressor.unused_data or b'' if decompressor.eof else b''
    return '' if decompressor.eof else 'cut off'


def message(data: bytes) -> bytes:
    """A message, which may have been compressed: CDR begins with a zero, zstd does not.

    Raises:
        ValueError: It is damaged.
    """
    if not data.startswith(_ZSTD):
        return data
    try:
        return bytes(zstd.decompress(data))
    except zstd.ZstdError as error:
        raise ValueError(f'a message cannot be decompressed: {error}') from error


def is_compressed(file: Path) -> bool:
    """Whether a whole file is."""
    with file.open('rb') as packed:
        return packed.read(len(_ZSTD)) == _ZSTD


def decompress(file: Path, target: Path) -> str:
    """Decompress a file as far as it can be; what is wrong with it."""
    with file.open('rb') as packed, target.open('wb') as out:
        return _decompress(packed, out, _DECOMPRESSORS['zstd'])
