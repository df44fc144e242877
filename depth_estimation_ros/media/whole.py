# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is written takes its place when it is whole; until then it is hidden beside it."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

TIMES = 'times.csv'


@contextlib.contextmanager
def whole(target: Path, overwrite: bool) -> Iterator[Path]:
    """Where to write a file; it becomes the target at the end, and of an error nothing is left.

    Raises:
        FileExistsError: It is there, and is not to be replaced.
    """
    if target.is_dir() or (target.exists() and not overwrite):
        raise there(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _part(target)
    discard(target)
    try:
        yield part
        os.replace(part, target)
    finally:
        discard(target)


def discard(target: Path) -> None:
    """Remove what was left half done beside a target, a file or a folder."""
    part = _part(target)
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f'.{target.name}.part')


def there(target: Path) -> FileExistsError:
    """That something is there which is not to be replaced."""
    return FileExistsError(f'{target} exists: give another place, or --overwrite')


class Folder:
    """Files of a folder, one or more for a frame, and `times.csv`, which lists them.

    Args:
        folder: Where they are when all of them are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._part = folder, _part(folder)
        self._times: list[tuple[str, float]] = []
        discard(folder)
        self._part.mkdir(parents=True)

    def add(self, name: str, time: Fraction) -> Path:
        """Where to write a file that belongs to a time."""
        self._times.append((name, float(time)))
        return self._part / name

    def finish(self) -> None:
        """Put all in their places; those of an earlier run go."""
        with (self._part / TIMES).open('w', encoding='utf-8', newline='') as stream:
            writer = csv.writer(stream)
            writer.writerow(('file', 'seconds'))
            writer.writerows((name, f'{time:.9f}') for name, time in self._times)
        for name in _listed(self._folder):
            (self._folder / name).unlink(missing_ok=True)
        self._folder.mkdir(exist_ok=True)
        for file in self._part.iterdir():
            os.replace(file, self._folder / file.name)


def _listed(folder: Path) -> list[str]:
    """The files that an earlier run has written."""
    file = folder / TIMES
    if not file.is_file():
        return []
    with file.open(encoding='utf-8', newline='') as stream:
        return [Path(row['file']).name for row in csv.DictReader(stream)]


@contextlib.contextmanager
def whole_folder(folder: Path, overwrite: bool) -> Iterator[Folder]:
    """A folder to write into; of an error nothing is left.

    Raises:
        FileExistsError: It has been written before, and is not to be replaced.
    """
    if (folder / TIMES).exists() and not overwrite:
        raise there(folder / TIMES)
    new = Folder(folder)
    try:
        yield new
        new.finish()
    finally:
        discard(folder)
