# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a path holds: it is found from what lies there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from depth_estimation_ros import bag
from depth_estimation_ros.evaluation import kitti, nyu, pairs
from depth_estimation_ros.evaluation.base import DataSet, Sample

_KNOWN = (
    f'known are folders with {pairs.FILE}, {nyu.FILE}, KITTI (raw pictures with '
    'data_depth_annotated, or val_selection_cropped) and bags'
)


def open_data(path: Path, split: Path | None = None) -> DataSet:
    """The data set that lies at a path.

    Args:
        path: A folder or a file.
        split: A file that names frames of it; see `pairs`, `nyu` and `kitti`. None: the usual.

    Raises:
        FileNotFoundError: There is nothing, or a part of it is missing.
        ModuleNotFoundError: Reading it needs a package that is not installed.
        ValueError: It is no data set that is known, or cannot be split.
    """
    if not path.exists():
        raise FileNotFoundError(f'there is no {path}')
    if path.suffix == '.mat':
        return nyu.nyu(path, split)
    if (path / pairs.FILE).is_file():
        return pairs.pairs(path, split)
    if (path / nyu.FILE).is_file():
        return nyu.nyu(path / nyu.FILE, split)
    if kitti.annotated(path):
        return kitti.kitti(path, split)
    whole = _without_split(path)
    if whole is None:
        found = ', '.join(sorted(one.name for one in path.iterdir())[:5]) if path.is_dir() else ''
        lies = f'holds {found or "nothing"}' if path.is_dir() else f'is {path.suffix or "a file"}'
        raise ValueError(f'{path} is no data set that is known, it {lies}; {_KNOWN}')
    if split is not None:
        raise ValueError(f'--split {split}: {path} ({whole.layout}) is taken whole, leave it out')
    return whole


def _without_split(path: Path) -> DataSet | None:
    if (selected := kitti.selection(path)) is not None:
        return kitti.kitti_selection(selected)
    if (path / 'metadata.yaml').is_file() or path.suffix in {'.bag', '.mcap', '.db3'}:
        return DataSet('bag', 'all frames of the bag', lambda: _recorded(path), None)
    return None


def _recorded(path: Path) -> Iterator[Sample]:
    for index, (frame, truth) in enumerate(bag.rgbd(path)):
        yield Sample(f'{path.name} {index}', frame, truth, follows=index > 0)
