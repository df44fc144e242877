# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth of pictures as files: numbered ones, and a folder of them beside a video."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import depth_files
from depth_estimation_ros.depth_files import KINDS
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.media import sequence
from depth_estimation_ros.media.base import Picture
from depth_estimation_ros.media.whole import whole_folder

_WITHOUT_METRES = {'npz'}  # which says what it holds instead
_OF_NUMBERS = {suffix: kind for kind, (suffix, _) in KINDS.items() if suffix != '.png'}
PATTERNS = ('.png', *_OF_NUMBERS)


class Result(NamedTuple):
    """What came of a picture.

    Attributes:
        picture: It.
        depth_map: Its depth, in main memory.
        shown: The depth in colours, [H', W', 3] uint8 RGB.
    """

    picture: Picture
    depth_map: DepthMap
    shown: NDArray[np.uint8]


Write = Callable[[Result], None]


def need_metres(target: Path, kinds: Sequence[str]) -> list[str]:
    """Those that hold metres or nothing, of a target and of what stands beside it."""
    numbers = _OF_NUMBERS.get(target.suffix.lower())
    return [kind for kind in (numbers, *kinds) if kind and kind not in _WITHOUT_METRES]


@contextlib.contextmanager
def numbered(pattern: Path, overwrite: bool) -> Iterator[Write]:
    """Files from number 0 on: colours as .png, or depth; left by an error it leaves nothing.

    Raises:
        FileExistsError: There is such a file, and it is not to be replaced.
        OSError: They cannot be written.
    """
    kind = _OF_NUMBERS.get(pattern.suffix.lower())
    numbers = itertools.count()
    with whole_folder(pattern.parent, overwrite) as folder:

        def write(result: Result) -> None:
            file = folder.add(sequence.numbered(pattern, next(numbers)).name, result.picture.time)
            if kind is None:
                depth_files.write_picture(result.shown, file)
            else:
                KINDS[kind][1](result.depth_map, file)

        yield write


@contextlib.contextmanager
def beside(folder: Path, kinds: Sequence[str], overwrite: bool) -> Iterator[Write]:
    """Files of depth, named after the pictures; left by an error it leaves nothing.

    Raises:
        FileExistsError: The folder has been written before, and is not to be replaced.
        OSError: They cannot be written.
    """
    with whole_folder(folder, overwrite) as new:

        def write(result: Result) -> None:
            for suffix, save in (KINDS[kind] for kind in kinds):
                file = new.add(f'{result.picture.name}{suffix}', result.picture.time)
                save(result.depth_map, file)

        yield write
