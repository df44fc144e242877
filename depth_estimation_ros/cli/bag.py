# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation bag`: recordings to recordings with depth."""

from __future__ import annotations

import argparse
import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli import depth_options, many, view_flag
from depth_estimation_ros.config import Config

if TYPE_CHECKING:
    from depth_estimation_ros.bag.depth import Following
    from depth_estimation_ros.bag.process import BagWork

_OUTPUTS = ('depth', 'colorized', 'inverse_depth', 'points', 'compressed')
# Flags whose values a parameter file may give as well, by what they are called there.
_SHARED = {
    name.rpartition('.')[2]: name
    for name in (
        *('model', 'weights', 'device', 'runtime', 'preset'),
        *('camera.fx', 'camera.fy', 'camera.cx', 'camera.cy', 'camera.hfov'),
    )
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    bag = commands.add_parser('bag', help='recordings of ROS 2 and ROS 1 to such with depth')
    many.add(bag, 'bags')
    _add_topics(bag.add_argument_group('topics'))
    _add_reference(bag.add_argument_group('a recorded depth camera'))
    _add_output(bag.add_argument_group('what is written'))
    bag.add_argument(
        '--params',
        type=Path,
        metavar='FILE',
        help="the node's parameters, as config/depth.yaml has them; flags go before",
    )
    view_flag.add(bag)
    depth_options.add(bag)
    bag.set_defaults(run=_run, range=None, **dict.fromkeys(_SHARED))


def _add_topics(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--image-topic',
        action='append',
        default=[],
        metavar='T',
        help='images, raw or compressed; give it again for several cameras (default: the only '
        'ones)',
    )
    group.add_argument(
        '--camera-info',
        action='append',
        default=[],
        metavar='T',
        help='of each --image-topic, in their order (default: camera_info beside the images)',
    )
    group.add_argument(
        '--topics',
        type=_topics,
        metavar='all|none|T,…',
        help='those that are copied (default: all)',
    )
    group.add_argument(
        '--namespace',
        default='depth_estimation',
        help='of the topics that are written (default: %(default)s)',
    )
    group.add_argument(
        '--start', type=_seconds, metavar='S', help='seconds of the recording to leave out'
    )
    group.add_argument(
        '--end', type=_seconds, metavar='S', help='second of the recording to end before'
    )
    group.add_argument(
        '--stride',
        type=_count,
        default=1,
        metavar='N',
        help='depth of every Nth image (default: %(default)s)',
    )


def _add_reference(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--reference-depth',
        action='append',
        default=[],
        metavar='T',
        help='its images, registered to those of the camera: calibrate against them, and tell '
        'AbsRel, RMSE (m) and delta1; of each --image-topic, in their order',
    )
    group.add_argument(
        '--reference-fit',
        choices=('continuous', 'once', 'none'),
        default='continuous',
        help='again and again, as reference.period and reference.options of --params say, or '
        'with the first good fit, or never (default: %(default)s)',
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--outputs',
        type=_outputs,
        metavar='NAME,…',
        help=f'{", ".join(_OUTPUTS)}, which is colour as JPEG (default: depth,colorized; where '
        'nothing makes metres, inverse_depth,colorized)',
    )
    group.add_argument(
        '--storage',
        choices=('mcap', 'sqlite3'),
        default='mcap',
        help='default: %(default)s, with zstd',
    )
    group.add_argument('--overwrite', action='store_true', help='replace bags that are there')
    group.add_argument(
        '--keep-partial',
        action='store_true',
        help='keep what was written until Ctrl-C, as a whole bag (default: nothing is left)',
    )


def _topics(text: str) -> tuple[str, ...] | None:
    if text in ('all', 'none'):
        return None if text == 'all' else ()
    return tuple(filter(None, text.split(',')))


def _outputs(text: str) -> tuple[str, ...]:
    names = tuple(text.split(','))
    if unknown := set(names) - set(_OUTPUTS):
        raise argparse.ArgumentTypeError(
            f'outputs are {", ".join(_OUTPUTS)}, not {", ".join(sorted(unknown))}'
        )
    return names


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f'seconds since the recording begins, not {text}')
    return seconds


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f'at least 1, not {text}')
    return int(text)


def _run(options: argparse.Namespace) -> int:
    if options.keep_partial and options.engine != 'local':
        raise ValueError(
            '--keep-partial is of --engine local: elsewhere nothing is left by Ctrl-C'
        )
    work = _work(options)
    items = many.items(options, 'bags', _is_bag, partial(_name, options.storage))
    with view_flag.watched(options, work, work.config, items) as watched:
        return many.run(options, watched, items)


def _work(options: argparse.Namespace) -> BagWork:
    from depth_estimation_ros.bag.process import BagWork

    config = _config(options)
    road = depth_options.road(options, config.stabilizer)
    return BagWork(
        many.network(options),
        dataclasses.replace(road, intrinsics=config.camera),  # and whether rectified
        config,
        tuple(options.image_topic),
        tuple(options.camera_info),
        tuple(options.reference_depth),
        options.outputs,
        options.topics,
        options.stride,
        options.start,
        options.end,
        options.namespace,
        _following(options, config),
        options.storage,
        options.overwrite,
        options.keep_partial,
    )


def _config(options: argparse.Namespace) -> Config:
    """Of the parameter file and of flags, which are completed with what the file says."""
    values: dict[str, Any] = {}
    if options.params is not None:
        from depth_estimation_ros import parameter_file

        values = parameter_file.load(options.params)
        for name in sorted(set(values) - set(depth_options.PARAMETERS)):
            values.pop(name)  # as the node does with what it has not declared
            depth_options.say(f'{options.params}: {name} is no parameter of the node: not used')
    given = {name: getattr(options, flag) for flag, name in _SHARED.items()}
    given['range.min'], given['range.max'] = options.range or (None, None)
    values |= {name: value for name, value in given.items() if value is not None}
    config = Config.from_values(values)
    for flag, name in _SHARED.items():
        section, _, field = name.rpartition('.')
        setattr(options, flag, getattr(getattr(config, section) if section else config, field))
    options.model = values.get('model')  # where nobody names it, that is said
    options.range = config.range.min, config.range.max
    return config


def _following(options: argparse.Namespace, config: Config) -> Following:
    from depth_estimation_ros.bag.depth import Following
    from depth_estimation_ros.references import methods

    reference = config.reference
    return Following(
        options.reference_fit, reference.period, methods.parse('depth', reference.options)
    )


def _name(storage: str, source: Path) -> str:
    """What becomes of a file is a folder, but for FILE.mcap."""
    stays = not source.is_file() or (source.suffix == '.mcap' and storage == 'mcap')
    return source.name if stays else source.stem


def _is_bag(path: Path) -> bool:
    """Whether a file or a folder is a bag."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or any(
            file.suffix in ('.mcap', '.db3') for file in path.iterdir()
        )
    return path.suffix in ('.mcap', '.db3', '.bag')
