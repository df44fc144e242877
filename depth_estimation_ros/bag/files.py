# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files that a bag consists of."""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePath

import apsw
import yaml

from depth_estimation_ros.bag import compression

METADATA = 'metadata.yaml'
_PACKED = '.zstd'
_NAME = re.compile(rf'(.*?)(?:_(\d+))?\.(?:mcap|db3)(?:{re.escape(_PACKED)})?')


def files_of(path: Path, loss: list[str]) -> list[Path]:
    """The files of a bag in the order that they were recorded in.

    Args:
        path: A file, or the folder of a ROS 2 bag.
        loss: Takes what is missing.

    Raises:
        ValueError: The folder holds no bag.
    """
    if not path.is_dir():
        return [path]
    there = sorted((one.name for one in path.iterdir() if _NAME.fullmatch(one.name)), key=_place)
    listed = _listed(path / METADATA, loss)
    if not there and not listed:
        held = ', '.join(sorted(one.name for one in path.iterdir())[:5]) or 'nothing'
        raise ValueError(
            f'{path} is no bag, it holds {held}: give the folder of a ROS 2 bag, with its .mcap '
            'or .db3 files, or the file of a ROS 1 bag'
        )
    return [
        path / name for name in (_once(there) if listed is None else _found(listed, there, loss))
    ]


def _once(names: Sequence[str]) -> list[str]:
    """Without the packed ones that are there unpacked, too: they were just being packed."""
    return [
        name
        for name in names
        if not (name.endswith(_PACKED) and name.removesuffix(_PACKED) in names)
    ]


def _place(name: str) -> tuple[str, int, str]:
    stem, number = _parts(name)
    return stem, number, name


def _parts(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2] or -1)) if match else (name, -1)


def _listed(metadata: Path, loss: list[str]) -> list[str] | None:
    """Names of the files as metadata tells them."""
    try:
        stored = yaml.safe_load(metadata.read_text(encoding='utf-8'))
        told = stored['rosbag2_bagfile_information']['relative_file_paths']
        return [PurePath(one).name for one in told]
    except FileNotFoundError:
        loss.append(f'{METADATA} is missing')
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        loss.append(f'{METADATA} cannot be read ({" ".join(str(error).split())})')
    return None


def _found(listed: Sequence[str], there: Sequence[str], loss: list[str]) -> list[str]:
    """Those listed, packed or not, and those that a recorder began after it wrote metadata."""
    found = []
    for name in listed:
        other = name.removesuffix(_PACKED) if name.endswith(_PACKED) else name + _PACKED
        here = [one for one in (name, other) if one in there]
        found += here[:1]
        if not here:
            loss.append(f'{name} is missing')
    if listed:
        stem, last = max(map(_parts, listed), key=lambda parts: parts[1])
        found += _once([one for one in there if _parts(one)[0] == stem and _parts(one)[1] > last])
    return found


def readable(file: Path, scratch: Path, loss: list[str]) -> Path:
    """The file itself, or a copy for reading where it is compressed or was left open.

    Args:
        file: The file.
        scratch: A folder for copies.
        loss: Takes what could not be decompressed.

    Raises:
        OSError: The folder is full.
    """
    write_ahead = file.with_name(f'{file.name}-wal')
    left_open = write_ahead.is_file() and write_ahead.stat().st_size > 0
    if not left_open and not compression.is_compressed(file):
        return file
    target = scratch / file.name.removesuffix(_PACKED)
    try:
        if left_open:
            _closed(file, write_ahead, target, loss)
        elif fault := compression.decompress(file, target):
            loss.append(f'{file.name}: {fault}')
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            error.errno,
            f'{scratch.parent} is full: {file.name} is unpacked there; set TMPDIR to a folder '
            'with room for it',
        ) from error
    return target


def _closed(file: Path, write_ahead: Path, target: Path, loss: list[str]) -> None:
    """A copy of a database with what its recorder, who was killed, had not moved into it yet."""
    shutil.copyfile(file, target)
    shutil.copyfile(write_ahead, f'{target}-wal')
    try:
        with contextlib.closing(apsw.Connection(str(target))) as database:
            database.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()
    except apsw.Error as error:
        loss.append(f'{write_ahead.name} cannot be read: {error}')
