# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation video`: videos and image sequences to videos, pictures and files of depth."""

from __future__ import annotations

import argparse
import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli import depth_options, many, view_flag
from depth_estimation_ros.config import Config

if TYPE_CHECKING:
    from depth_estimation_ros.media.process import VideoWork
    from depth_estimation_ros.sections import Colorize

_WHAT = 'videos or image sequences'
_KINDS = ('npz', 'npy', 'exr', 'pfm', 'png16')
_VIDEOS = (
    '.mp4', '.m4v', '.mov', '.mkv', '.avi', '.webm', '.gif', '.mpg', '.mpeg', '.ts', '.mts',
    '.m2ts', '.wmv', '.flv', '.3gp', '.ogv',
)  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    video = commands.add_parser(
        'video',
        help='videos to depth',
        description='OUT ends in .mp4, .mov, .mkv, .webm, .avi or .gif, or is a pattern such as '
        'frames/%06d.png (colours) or depth/%06d.npz (depth). IN may be a folder of pictures or '
        'a pattern, too.',
    )
    many.add(video, _WHAT)
    _add_part(video)
    _add_look(video)
    video.add_argument(
        '--depth-output', type=Path, metavar='DIR', help='folder for depth, files for each frame'
    )
    video.add_argument(
        '--export',
        type=_kinds,
        default=('npz',),
        metavar='KIND,…',
        help='in --depth-output: npz, npy, exr, pfm: float32 metres, NaN unknown; png16: '
        'millimetres in 16 bits, 0 unknown (default: npz)',
    )
    video.add_argument('--overwrite', action='store_true', help='replace what is there')
    video.add_argument(
        '--no-steady',
        action='store_true',
        help='leave what the network says as it is, frame by frame',
    )
    depth_options.add_flag(video, depth_options.PARAMETERS['stabilizer.smooth'])
    view_flag.add(video)
    depth_options.add(video)
    video.set_defaults(run=_run)


def _add_part(video: argparse.ArgumentParser) -> None:
    video.add_argument(
        '--start',
        type=_seconds,
        default=Fraction(0),
        metavar='S',
        help='seconds from the beginning',
    )
    video.add_argument('--end', type=_seconds, default=math.inf, metavar='S', help='the same')
    video.add_argument(
        '--stride', type=int, default=1, metavar='N', help='every Nth frame (default: 1)'
    )
    video.add_argument(
        '--rate',
        type=_rate,
        default=Fraction(30),
        metavar='HZ',
        help='pictures in a second of image sequences, such as 30 or 30000/1001 (default: 30)',
    )


def _add_look(video: argparse.ArgumentParser) -> None:
    depth_options.add_colours(video)
    video.add_argument('--side-by-side', action='store_true', help='the picture, too, on the left')
    video.add_argument(
        '--legend', action='store_true', help='which colour is how many metres, on the right'
    )


def _seconds(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f'seconds are such as 12.5, not {text!r}') from error


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f'a rate is such as 30, not {text!r}') from error
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f'a rate lies between 0 and 1000, not at {text}')
    return rate


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(text.split(',')))
    if unknown := set(kinds) - set(_KINDS):
        raise argparse.ArgumentTypeError(
            f'exports are {", ".join(_KINDS)}, not {", ".join(sorted(unknown))}'
        )
    return kinds


def _run(options: argparse.Namespace) -> int:
    try:
        from depth_estimation_ros.media import process
    except ModuleNotFoundError as error:
        raise ValueError(
            f'videos need {error.name}, which is not installed: pip install "av>=17"'
        ) from error
    items = many.items(options, _WHAT, _is_one, _name)
    for item in items:
        process.check_target(item.target)
    work = _work(options, several=len(items) > 1)
    config = dataclasses.replace(Config(), colorize=work.colorize)
    with view_flag.watched(options, work, config, items) as watched:
        return many.run(options, watched, items)


def _work(options: argparse.Namespace, several: bool) -> VideoWork:
    from depth_estimation_ros import sections
    from depth_estimation_ros.media.base import Clip
    from depth_estimation_ros.media.process import VideoWork

    steady = sections.Stabilizer(not options.no_steady, options.smooth)
    return VideoWork(
        many.network(options),
        depth_options.road(options, steady),
        Clip(options.start, options.end, options.stride),
        options.rate,
        _colorize(options),
        options.side_by_side,
        options.legend,
        options.depth_output and options.depth_output.absolute(),
        options.export,
        several,
        options.overwrite,
    )


def _colorize(options: argparse.Namespace) -> Colorize:
    from depth_estimation_ros.sections import Colorize

    near, far = options.color_range
    return Colorize(near, far, options.colormap)


def _is_one(path: Path) -> bool:
    """Whether it is a video, a pattern that has pictures, or a folder of nothing but these."""
    from depth_estimation_ros.image_files import PICTURES
    from depth_estimation_ros.media import sequence

    if path.is_file():
        return path.suffix.lower() in _VIDEOS
    if sequence.is_pattern(path):
        return True
    if not path.is_dir():
        return False
    suffixes = {file.suffix.lower() for file in path.iterdir()}
    return bool(suffixes & set(PICTURES)) and not suffixes & set(_VIDEOS)


def _name(source: Path) -> str:
    """What becomes of it is called as it is, where such a video can be written."""
    from depth_estimation_ros.media import sequence
    from depth_estimation_ros.media.formats import FORMATS

    if source.suffix.lower() in FORMATS:
        return source.name
    if source.is_file():
        return f'{source.stem}.mp4'
    return f'{(source.parent if sequence.is_pattern(source) else source).name}.mp4'
