# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image sequences: folders of pictures, and files numbered by a pattern such as %06d.png."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from depth_estimation_ros import image_files
from depth_estimation_ros.image_files import PICTURES
from depth_estimation_ros.media.base import Clip, Picture

_NUMBER = re.compile(r'%0?(\d*)d')


def is_pattern(path: Path) -> bool:
    """Whether a name stands for numbered files."""
    return _NUMBER.search(path.name) is not None


def numbered(pattern: Path, number: int) -> Path:
    """The file of a number."""
    return pattern.with_name(
        _NUMBER.sub(lambda found: f'{number:0{found[1] or 1}d}', pattern.name, count=1)
    )


def files(path: Path) -> list[Path]:
    """The pictures of a sequence in the order of the numbers in their names.

    Args:
        path: A folder, or a pattern; numbers that are missing are none.

    Raises:
        FileNotFoundError: There are none.
    """
    if is_pattern(path):
        before, after = _NUMBER.split(path.name, maxsplit=1)[::2]
        matching = re.compile(f'{re.escape(before)}\\d+{re.escape(after)}')
        folder = path.parent.iterdir() if path.parent.is_dir() else ()
        found = [file for file in folder if matching.fullmatch(file.name)]
    else:
        found = [file for file in path.iterdir() if file.suffix.lower() in PICTURES]
    if not found:
        raise FileNotFoundError(f'{path}: there are no such pictures ({", ".join(PICTURES)})')
    return sorted(found, key=_natural)


def _natural(file: Path) -> list[tuple[int, str]]:
    """9 before 10, however many zeros stand before them."""
    parts = re.split(r'(\d+)', file.name)
    return [(int(part), '') if part.isdecimal() else (0, part) for part in parts]


class SequenceReader:
    """See `base.Reader`; files that cannot be read leave a gap.

    Args:
        path: A folder or a pattern.
        clip: The part that is wanted.
        rate: Pictures in a second, as no file says it.

    Raises:
        FileNotFoundError, ValueError: There is none that can be read.
    """

    def __init__(self, path: Path, clip: Clip, rate: Fraction) -> None:
        found = list(enumerate(files(path)))
        wanted = [at for at in found if clip.start <= at[0] / rate < clip.end]
        self._files = wanted[:: clip.stride]
        self.rate, self.time_base = rate, 1 / rate
        self.total: int | None = len(self._files)
        self.remarks: list[str] = []
        self._unread: list[str] = []
        self._others = 0
        for _, file in self._files:
            try:
                self.height, self.width, _ = image_files.read_rgb(file).shape
            except ValueError:  # said when its turn comes
                continue
            return
        raise ValueError(f'{path}: none of {len(found)} pictures is wanted and can be read')

    def close(self) -> None:
        """Nothing is open."""

    def __iter__(self) -> Iterator[Picture]:
        """The pictures."""
        for index, file in self._files:
            try:
                image = image_files.read_rgb(file)
            except (ValueError, OSError) as error:
                self._unread.append(str(error))
                continue
            if image.shape != (self.height, self.width, 3):
                self._others += 1
                continue
            yield Picture(image, index / self.rate, file.stem)

    @property
    def loss(self) -> list[str]:
        """See `base.Reader`."""
        said = []
        if self._unread:
            said.append(f'pictures that cannot be read: {len(self._unread)}, {self._unread[0]}')
        if self._others:
            said.append(f'pictures not {self.width}x{self.height} as the first: {self._others}')
        return said
