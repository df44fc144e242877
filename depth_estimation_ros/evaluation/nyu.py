# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""NYU Depth V2, the labelled frames (Silberman et al., 2012): `nyu_depth_v2_labeled.mat`.

MATLAB writes columns first, so that HDF5 tells `images` as [N, 3, W, H] uint8 and `depths`,
registered and with holes filled, as [N, W, H] float32 metres.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.evaluation.base import DataSet, Sample, read_lines
from depth_estimation_ros.frames import Frame

if TYPE_CHECKING:
    import h5py

FILE = 'nyu_depth_v2_labeled.mat'
_CAP = 10.0


def nyu(file: Path, split: Path | None) -> DataSet:
    """The labelled frames, or those of a split.

    Args:
        file: The .mat file, of which only the frames that are asked for are read.
        split: The authors' splits.mat, of which the test frames are taken, or a text file with one
            number a line; the first frame is 1, as in splits.mat. None: all frames.

    Raises:
        FileNotFoundError: There is no such split file.
        ModuleNotFoundError: h5py is missing, or scipy for splits.mat.
        ValueError: The files hold something else.
    """
    with _opened(file) as mat:
        count = len(mat['images'])
    indices: Sequence[int]
    if split is None:
        indices, words = range(count), f'all {count} labelled frames, of train and test'
    else:
        indices = _split(split, count)
        words = f'{len(indices)} of {count} labelled frames, {split.name}'
    return DataSet(
        'NYU Depth V2 labelled',
        words,
        lambda: _samples(file, indices),
        len(indices),
        {'eigen': eigen_crop},
        'eigen',
        _CAP,
    )


def eigen_crop(height: int, width: int) -> tuple[slice, slice]:
    """Where the Kinect's depth reached, of Eigen et al. (2014): columns 41 to 600, rows 45 to 470.

    Raises:
        ValueError: The image is not 640x480.
    """
    if (width, height) != (640, 480):
        raise ValueError(f'the Eigen crop of NYU is of 640x480, not {width}x{height}: --crop none')
    return slice(45, 471), slice(41, 601)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        mat = h5py.File(file)
    except OSError as error:
        raise ValueError(
            f'{file} is no HDF5 (MATLAB v7.3) file that can be read: {error}; NYU calls it {FILE}'
        ) from error
    with mat:
        if not {'images', 'depths'} <= set(mat):
            raise ValueError(
                f'{file} has no images and depths but {", ".join(mat) or "nothing"}: give {FILE}'
            )
        images, depths = mat['images'].shape, mat['depths'].shape
        if len(images) != 4 or (images[0], 3, *depths[1:]) != (depths[0], *images[1:]):
            raise ValueError(
                f'{file} has images {images} and depths {depths}, not [N, 3, W, H] and [N, W, H]'
            )
        yield mat


def _samples(file: Path, indices: Sequence[int]) -> Iterator[Sample]:
    with _opened(file) as mat:
        for index in indices:
            image = np.ascontiguousarray(mat['images'][index].transpose(2, 1, 0))
            truth = np.ascontiguousarray(mat['depths'][index].T, np.float32)
            truth[~(truth > 0)] = np.nan
            yield Sample(f'frame {index + 1}', Frame(image), truth)


def _split(split: Path, count: int) -> list[int]:
    numbers = _test_numbers(split) if split.suffix == '.mat' else _numbers(split)
    wrong = [number for number in numbers if not 1 <= number <= count]
    if wrong or not numbers:
        said = f'frame {wrong[0]}' if wrong else 'no frame'
        raise ValueError(f'{split} names {said}; the frames are numbered 1 to {count}')
    return [number - 1 for number in numbers]


def _test_numbers(split: Path) -> list[int]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not split.is_file():
        raise FileNotFoundError(f'there is no split file {split}')
    try:
        return [int(number) for number in loadmat(split)['testNdxs'].ravel()]
    except (KeyError, TypeError, ValueError, NotImplementedError, MatReadError) as error:
        raise ValueError(f'{split} is no splits.mat of NYU with testNdxs: {error}') from error


def _numbers(split: Path) -> list[int]:
    lines = read_lines(split)
    try:
        return [int(line) for line in lines]
    except ValueError as error:
        raise ValueError(f'{split} must have one number a line: {error}') from error
