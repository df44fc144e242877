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
        FileExistsError: There are files of an earlier run, and they are not to be replaced.
    """

    def __init__(self, folder: Path, overwrite: bool) -> None:
        if (folder / TIMES).exists() and not overwrite:
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
        for file in part.iterdir():
            os.replace(file, self._folder / file.name)


@contextlib.contextmanager
def whole_folder(folder: Path, overwrite: bool) -> Iterator[Folder]:
    """A folder to write into; of an error nothing is left. Raises as `Folder`."""
    new = Folder(folder, overwrite)
    try:
        yield new
        new.finish()
    finally:
        discard_folder(folder)


def discard_folder(folder: Path) -> None:
    """Remove what was left half done in a folder, and the folder if there is nothing else."""
    if _inside(folder).is_dir():
        shutil.rmtree(_inside(folder))
        with contextlib.suppress(OSError):  # there is
            folder.rmdir()


def _inside(folder: Path) -> Path:
    return folder / '.part'


def _listed(folder: Path) -> list[str]:
    """The files that an earlier run has written."""
    file = folder / TIMES
    if not file.is_file():
        return []
    with file.open(encoding='utf-8', newline='') as stream:
        return [Path(row['file']).name for row in csv.DictReader(stream)]
