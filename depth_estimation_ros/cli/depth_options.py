# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of every subcommand that makes depth: network, camera, calibration; and what they make.

The flags are those of the configuration, with its defaults, limits and texts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros import config
from depth_estimation_ros.tunable import Parameter

if TYPE_CHECKING:
    from depth_estimation_ros.camera import Camera
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.road import Road
    from depth_estimation_ros.sections import Intrinsics, Stabilizer

PARAMETERS = {parameter.name: parameter for parameter in config.parameters()}


def add(parser: argparse.ArgumentParser, device: str = '--device') -> None:
    """All of them; `device` as in `add_network`."""
    add_network(parser, device=device)
    add_camera(parser)
    parser.add_argument(
        '--calibration', type=Path, metavar='FILE', help='makes metres; as the node saves it'
    )
    parser.add_argument(
        '--depth-scale',
        type=float,
        metavar='S',
        help='makes metres: times what a metric network says, or over what a relative one says',
    )
    near, far = (PARAMETERS[f'range.{end}'].default for end in ('min', 'max'))
    parser.add_argument(
        '--range',
        type=interval('range'),
        default=(near, far),
        metavar='MIN,MAX',
        help=f'depths in metres that are trusted (default: {near:g},{far:g})',
    )


def add_network(
    parser: argparse.ArgumentParser, several: bool = False, device: str = '--device'
) -> None:
    """Which network or networks, and what carries them.

    Args:
        parser: Of the subcommand.
        several: --model takes several names.
        device: The flag of the network's device, where --device is another one.
    """
    group = parser.add_argument_group('network')
    nargs = '+' if several else None
    group.add_argument('--model', nargs=nargs, metavar='NAME', help=PARAMETERS['model'].help)
    for name in ('weights', 'device', 'runtime', 'preset'):
        add_flag(group, PARAMETERS[name], device if name == 'device' else '')


def add_camera(parser: argparse.ArgumentParser) -> None:
    """Which camera took the images."""
    group = parser.add_argument_group('camera')
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        '--camera', type=Path, metavar='FILE', help='camera_info YAML of camera_calibration'
    )
    for name in ('fx', 'hfov'):
        add_flag(one, PARAMETERS[f'camera.{name}'])
    for name in ('fy', 'cx', 'cy'):
        add_flag(group, PARAMETERS[f'camera.{name}'])


def add_colours(parser: argparse.ArgumentParser) -> None:
    """Of consecutive frames, which have one range."""
    near, far = (PARAMETERS[f'colorize.{end}'].default for end in ('min', 'max'))
    parser.add_argument(
        '--color-range',
        type=interval('colorize'),
        default=(near, far),
        metavar='MIN,MAX',
        help='depths in metres of the warmest and the coldest colour, for every frame (default: '
        f'{near:g},{far:g}); without metres the range settles over the first 30 frames',
    )
    add_flag(parser, PARAMETERS['colorize.colormap'])


def add_flag(group: argparse._ActionsContainer, parameter: Parameter, flag: str = '') -> None:
    """The flag of a tunable: the last part of its name, its limits, its default and its text.

    Args:
        group: Where it belongs.
        parameter: The tunable.
        flag: Another one, for the same attribute of the options.
    """
    name = parameter.name.rpartition('.')[2]
    flag = flag or '--' + name.replace('_', '-')
    if parameter.default is False:
        group.add_argument(flag, dest=name, action='store_true', help=parameter.help)
        return
    group.add_argument(
        flag,
        dest=name,
        type=_checked(parameter),
        default=parameter.default,
        metavar='{' + ','.join(parameter.choices) + '}' if parameter.choices else None,
        help=f'{parameter.help} (default: {parameter.default})'
        if parameter.default and parameter.default == parameter.default  # not NaN
        else parameter.help,
    )


def _checked(parameter: Parameter) -> Callable[[str], Any]:
    def value(text: str) -> Any:
        try:
            if isinstance(parameter.default, tuple):
                return parameter.checked(tuple(map(float, text.split(','))))
            return parameter.checked(type(parameter.default)(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value


def interval(section: str) -> Callable[[str], tuple[float, float]]:
    """Reads MIN,MAX of a section of the configuration, within the limits of both."""

    def value(text: str) -> tuple[float, float]:
        low, comma, high = text.partition(',')
        if not comma:
            raise argparse.ArgumentTypeError(f'a range is such as 0.1,20, not {text!r}')
        near, far = (
            _checked(PARAMETERS[f'{section}.{end}'])(m) for end, m in (('min', low), ('max', high))
        )
        if not near < far:
            raise argparse.ArgumentTypeError(f'{near:g} is not below {far:g}')
        return near, far

    return value


def size(text: str) -> tuple[int, int]:
    """WxH of the command line."""
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f'a size is such as 640x480, not {text!r}')
    return int(width), int(height)


def estimator(options: argparse.Namespace) -> DepthEstimator:
    """The network of --model, on --device.

    Raises:
        ValueError, FileNotFoundError: As `DepthEstimator.load`.
    """
    from depth_estimation_ros.estimator import DepthEstimator

    return DepthEstimator.load(
        model(options),
        options.weights,
        options.device,
        options.runtime,
        options.preset,
        say=say,
    )


def model(options: argparse.Namespace) -> str:
    """The name of --model; the one that is taken where none is given is said."""
    if options.model is not None:
        return str(options.model)
    name: str = PARAMETERS['model'].default
    say(f'--model is not given: {name}, which knows rendered rooms only')
    return name


def camera(options: argparse.Namespace, width: int, height: int) -> Camera | None:
    """The camera of --camera, --fx or --hfov for images of this size; None: nobody told it.

    Raises:
        ValueError, FileNotFoundError: The file is none, or of images of another size.
    """
    from depth_estimation_ros import intrinsics

    return intrinsics.told(options.camera, _intrinsics(options), width, height)


def _intrinsics(options: argparse.Namespace) -> Intrinsics:
    from depth_estimation_ros.sections import Intrinsics

    if not options.fx and (options.fy or options.cx or options.cy):
        raise ValueError('--fy, --cx and --cy belong to --fx: give it, too')
    return Intrinsics(options.fx, options.fy, options.cx, options.cy, options.hfov)


def road(options: argparse.Namespace, stabilizer: Stabilizer | None = None) -> Road:
    """What the flags say of the frames of one camera, whatever folder they are read in.

    Raises:
        ValueError: They contradict each other.
    """
    from depth_estimation_ros.road import Road

    return Road(
        options.range,
        options.camera and options.camera.absolute(),
        _intrinsics(options),
        options.calibration and options.calibration.absolute(),
        options.depth_scale,
        stabilizer,
    )


def say(text: str) -> None:
    """A line for people, where it disturbs no output."""
    print(f'depth-estimation: {text}', file=sys.stderr)
