# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders with `pairs.json`: a list of pictures and registered depth images of 16 bits.

Each entry has `name`, `color` and `depth` (files beside it) and `depth_unit_per_m`; it may have
`K`, [fx, fy, cx, cy] in pixels, and `sequence`: entries in a row with the same one are consecutive
frames of one camera.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.evaluation.base import DataSet, Sample, read_lines
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.image_files import read_depth, read_rgb

FILE = 'pairs.json'
_KEYS = ('name', 'color', 'depth', 'depth_unit_per_m')


def pairs(folder: Path, split: Path | None) -> DataSet:
    """The pairs of a folder.

    Args:
        folder: Where pairs.json lies.
        split: A text file with one name a line; None: all pairs.

    Raises:
        FileNotFoundError: There is no such split file.
        ValueError: The list cannot be read, lacks something, or the split names what is not in it.
    """
    entries = _entries(folder / FILE)
    chosen = list(enumerate(entries))
    words = f'all {len(entries)} pairs'
    if split is not None:
        wanted = set(read_lines(split))
        if unknown := wanted - {entry['name'] for entry in entries}:
            raise ValueError(
                f'{split} names {min(unknown)!r}, which {folder / FILE} does not; it has '
                + ', '.join(entry['name'] for entry in entries)
            )
        chosen = [(index, entry) for index, entry in chosen if entry['name'] in wanted]
        words = f'{len(chosen)} of {len(entries)} pairs, {split.name}'
    return DataSet('pairs.json', words, lambda: _samples(folder, chosen), len(chosen))


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(file.read_text('utf-8'))
    except ValueError as error:
        raise ValueError(f'{file} is no JSON: {error}') from error
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise ValueError(f'{file} must be a list of objects with the keys {", ".join(_KEYS)}')
    for index, entry in enumerate(entries):
        if missing := [key for key in _KEYS if key not in entry]:
            raise ValueError(f'{file}: entry {index} has no {missing[0]}')
        if wrong := _wrong(entry):
            raise ValueError(f'{file}: entry {index}: {wrong}')
    if not entries:
        raise ValueError(f'{file} lists no pair')
    return entries


def _wrong(entry: dict[str, Any]) -> str:
    """What is wrong with the values of an entry; empty where nothing is."""
    for key in _KEYS[:3]:
        if not isinstance(entry[key], str):
            return f'{key} is {entry[key]!r}, not a text'
    unit, intrinsics = entry['depth_unit_per_m'], entry.get('K', [1, 1, 1, 1])
    if not (isinstance(unit, (int, float)) and 0 < unit < math.inf):
        return f'depth_unit_per_m is {unit!r}, not a positive number'
    numbers = isinstance(intrinsics, list) and all(isinstance(k, (int, float)) for k in intrinsics)
    if not numbers or len(intrinsics) != 4 or not min(intrinsics[:2]) > 0:
        return f'K is {intrinsics!r}, not fx, fy, cx, cy'
    return ''


def _samples(folder: Path, chosen: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[Sample]:
    before, sequence = -1, None
    for index, entry in chosen:
        image = read_rgb(folder / entry['color'], upright=False)
        height, width, _ = image.shape
        camera = Camera(width, height, *entry['K']) if 'K' in entry else None
        follows = index == before + 1 and sequence is not None
        follows = follows and sequence == entry.get('sequence')
        before, sequence = index, entry.get('sequence')
        yield Sample(
            entry['name'],
            Frame(image, camera=camera),
            read_depth(folder / entry['depth'], 1.0 / entry['depth_unit_per_m']),
            follows,
        )
