# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of a folder take their places when all of them are whole; until then they are hidden."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from depth_estimation_ros.whole_file import there

TIMES = 'times.csv'


class Folder:
    """Files that go into a folder together, and `times.csv`, which lists them.

    Args:
        folder: Where they go; what else is there stays.
        overwrite: Replace what is there; what an earlier run has listed goes.

    Raises:
        FileExistsError: There are files of an earlier run, and they are not to be replaced; or it
            is a file.
    """

    def __init__(self, folder: Path, overwrite: bool) -> None:
        if folder.is_file():
            raise there(folder)
        if is_written(folder) and not overwrite:
            raise there(folder / TIMES)
        self._folder, self._overwrite = folder, overwrite
        self._times: list[tuple[str, float]] = []
        discard_folder(folder)
        _inside(folder).mkdir(parents=True)

    def add(self, name: str, time: Fraction) -> Path:
        """Where to write a file that belongs to a time, in seconds.

        Raises:
            FileExistsError: There is such a file, and it is not to be replaced.
        """
        if (self._folder / name).exists() and not self._overwrite:
            raise there(self._folder / name)
        self._times.append((name, float(time)))
        return _inside(self._folder) / name

    def finish(self) -> None:
        """Put all in their places."""
        part = _inside(self._folder)
        with (part / TIMES).open('w', encoding='utf-8', newline='') as stream:
            writer = csv.writer(stream)
            writer.writerow(('file', 'seconds'))
            writer.writerows((name, f'{time:.9f}') for name, time in self._times)
        for name in _listed(self._folder):
            (self._folder / name).unlink(missing_ok=True)
        for name in (*_listed(part), TIMES):  # which says that all of them are there
            os.replace(part / name, self._folder / name)


@contextlib.contextmanager
def whole_folder(folder: Path, overwrite: bool) -> Iterator[Folder]:
    """A folder to write into; of an error nothing is left. Raises as `Folder`."""
    new = Folder(folder, overwrite)
    try:
        yield new
        new.finish()
    finally:
        discard_folder(folder)


def discard_folder(folder: Path, finished: bool = False) -> None:
    """Remove what was left half done in a folder, and the folder if there is nothing else.

    Args:
        folder: Need not be there.
        finished: What took its place, too, were it not all that was to.
    """
    part = _inside(folder)
    if finished:
        for name in (*_listed(part), *_listed(folder), TIMES):
            (folder / name).unlink(missing_ok=True)
    if part.is_dir():
        shutil.rmtree(part)
    elif not finished:
        return
    with contextlib.suppress(OSError):  # there is, or there never was one
        folder.rmdir()


def is_written(folder: Path) -> bool:
    """Whether files of a run are there, all of them."""
    return (folder / TIMES).exists()


def _inside(folder: Path) -> Path:
    return folder / '.part'


def _listed(folder: Path) -> list[str]:
    """The files that an earlier run has written."""
    file = folder / TIMES
    if not file.is_file():
        return []
    with file.open(encoding='utf-8', newline='') as stream:
        rows = csv.DictReader(stream)
        return [Path(row['file']).name for row in rows if row.get('file')]
