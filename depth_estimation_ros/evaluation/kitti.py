# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""KITTI (Geiger et al., 2013) with the truth of its depth benchmark (Uhrig et al., 2017).

Two layouts: `data_depth_annotated` with the raw pictures (sync) beside it, and the cropped
pictures of `depth_selection/val_selection_cropped`. Depth is 256 units a metre, 0 unknown.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.evaluation.base import DataSet, Sample, read_lines
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.image_files import read_depth, read_rgb

_CAP = 80.0
_UNIT = 1.0 / 256.0  # metres
_TRUTH = 'proj_depth/groundtruth'
# '2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png …', or '… 69 l'.
_LINE = re.compile(
    r'(?P<drive>\d{4}_\d\d_\d\d_drive_\d{4}_sync)(?:/image_0(?P<camera>[23])/data/|\s+)'
    r'(?P<number>\d+)(?:\.\w+)?(?:\s+(?P<side>[lr])\b)?'
)


@dataclasses.dataclass(frozen=True)
class _Place:
    """A frame: its drive, camera (2 left, 3 right) and number."""

    drive: str
    camera: int
    number: int

    def image(self, folder: Path) -> Path:
        """The raw picture, PNG as KITTI ships it, or JPEG as people keep it."""
        data = folder / self.drive[:10] / self.drive / f'image_0{self.camera}' / 'data'
        png = data / f'{self.number:010}.png'
        jpeg = png.with_suffix('.jpg')
        return jpeg if jpeg.is_file() and not png.is_file() else png

    def truth(self, part: Path) -> Path:
        name = f'{self.number:010}.png'
        return part / self.drive / _TRUTH / f'image_0{self.camera}' / name


def annotated(folder: Path) -> list[Path]:
    """The parts of the annotated depth (train, val) that lie in or under a folder."""
    roots = (folder, folder / 'data_depth_annotated')
    return [
        root / part
        for root, part in itertools.product(roots, ('train', 'val'))
        if any((root / part).glob(f'*_sync/{_TRUTH}'))
    ]


def selection(folder: Path) -> Path | None:
    """The folder of the cropped selection, where there is one in or under this one."""
    places = ('.', 'val_selection_cropped', 'depth_selection/val_selection_cropped')
    return next((folder / p for p in places if (folder / p / 'groundtruth_depth').is_dir()), None)


def kitti(folder: Path, split: Path | None) -> DataSet:
    """Frames with annotated depth and their raw pictures.

    Args:
        folder: Where the raw data's dates lie, `2011_09_26/…_sync/image_02/data`, and the
            annotated depth (train, val, or data_depth_annotated).
        split: A text file with a raw picture's path, or its drive, number and side, at the begin
            of each line, as the literature's lists of the Eigen split have it; None: the left
            pictures of the benchmark's val.

    Raises:
        FileNotFoundError: A picture or the split file is missing.
        ValueError: No frame is left, or a line of the split names none.
    """
    parts = annotated(folder)
    if split is None:
        found = _left(parts)
        words = f'val of the depth benchmark, {len(found)} left pictures'
    else:
        places = _split(split)
        found = [(place, file) for place in places if (file := _truth_of(place, parts))]
        words = (
            f'{len(found)} frames of {split.name}, {len(places) - len(found)} more have no truth'
        )
    if not found:
        raise ValueError(
            f'{folder} has no truth of {"the left pictures of val" if split is None else split}: '
            'see --split, or get it from KITTI (depth benchmark, annotated depth)'
        )
    for place, _ in found:
        if not place.image(folder).is_file():
            raise FileNotFoundError(
                f'there is no picture {place.image(folder)}: get the raw data (sync) of that '
                'drive, or name the frames that you have with --split'
            )
    return DataSet(
        'KITTI depth', words, lambda: _samples(folder, found), len(found), CROPS, 'garg', _CAP
    )


def kitti_selection(folder: Path) -> DataSet:
    """The cropped selection of 1216x352, `image` and `groundtruth_depth`; whole images count.

    Raises:
        ValueError: It has no picture.
    """
    images = sorted((folder / 'image').glob('*.png'))
    if not images:
        raise ValueError(f'{folder} has no pictures image/*.png beside groundtruth_depth')
    words = f'val_selection_cropped, {len(images)} pictures'
    return DataSet(
        'KITTI selection', words, lambda: _selected(images), len(images), CROPS, 'none', _CAP
    )


def garg_crop(height: int, width: int) -> tuple[slice, slice]:
    """What Garg et al. (2016) score of a picture of KITTI."""
    return _crop(height, width, (0.40810811, 0.99189189), (0.03594771, 0.96405229))


def eigen_crop(height: int, width: int) -> tuple[slice, slice]:
    """What Eigen et al. (2014) score of a picture of KITTI."""
    return _crop(height, width, (0.3324324, 0.91351351), (0.0359477, 0.96405229))


def _crop(
    height: int, width: int, rows: tuple[float, float], columns: tuple[float, float]
) -> tuple[slice, slice]:
    top, bottom = (int(share * height) for share in rows)
    left, right = (int(share * width) for share in columns)
    return slice(top, bottom), slice(left, right)


CROPS = {'eigen': eigen_crop, 'garg': garg_crop}


def _left(parts: Sequence[Path]) -> list[tuple[_Place, Path]]:
    files = [
        file
        for part in parts
        if part.name == 'val'
        for file in part.glob(f'*_sync/{_TRUTH}/image_02/*.png')
    ]
    return [(_Place(file.parents[3].name, 2, int(file.stem)), file) for file in sorted(files)]


def _split(split: Path) -> list[_Place]:
    places = []
    for line in read_lines(split):
        match = _LINE.search(line)
        if match is None:
            raise ValueError(
                f'{split}: {line!r} names no frame of KITTI; a line begins with '
                '2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png'
            )
        camera = match['camera'] or {'l': 2, 'r': 3}[match['side'] or 'l']
        places.append(_Place(match['drive'], int(camera), int(match['number'])))
    return places


def _truth_of(place: _Place, parts: Sequence[Path]) -> Path | None:
    return next((file for part in parts if (file := place.truth(part)).is_file()), None)


def _samples(folder: Path, found: Sequence[tuple[_Place, Path]]) -> Iterator[Sample]:
    before = None
    for place, file in found:
        image = read_rgb(place.image(folder), upright=False)
        height, width, _ = image.shape
        camera = _camera(folder / place.drive[:10], place.camera, width, height)
        name = f'{place.drive} {place.number}'
        last = dataclasses.replace(place, number=place.number - 1)
        yield Sample(name, Frame(image, camera=camera), read_depth(file, _UNIT), before == last)
        before = place


def _camera(date: Path, camera: int, width: int, height: int) -> Camera | None:
    """The camera of the rectified pictures, where the day's calibration lies beside them."""
    file = date / 'calib_cam_to_cam.txt'
    if not file.is_file():
        return None
    found = re.search(rf'^P_rect_0{camera}: (.+)$', file.read_text('utf-8'), re.MULTILINE)
    if found is None:
        raise ValueError(f'{file} has no P_rect_0{camera}: get it again')
    return _from_matrix([float(number) for number in found[1].split()], 4, width, height)


def _selected(images: Sequence[Path]) -> Iterator[Sample]:
    for file in images:
        image = read_rgb(file, upright=False)
        height, width, _ = image.shape
        folder, name = file.parents[1], file.name.replace('_image_', '_groundtruth_depth_', 1)
        truth = read_depth(folder / 'groundtruth_depth' / name, _UNIT)
        intrinsics = (folder / 'intrinsics' / file.name).with_suffix('.txt')
        camera = None
        if intrinsics.is_file():
            camera = _from_matrix(np.loadtxt(intrinsics).ravel().tolist(), 3, width, height)
        yield Sample(file.stem, Frame(image, camera=camera), truth)


def _from_matrix(numbers: list[float], columns: int, width: int, height: int) -> Camera:
    """The camera of a matrix [3, columns], row after row."""
    fx, cx, fy, cy = numbers[0], numbers[2], numbers[columns + 1], numbers[columns + 2]
    return Camera(width, height, fx, fy, cx, cy)
