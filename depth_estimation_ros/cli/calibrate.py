# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation calibrate`: from pictures to the file that makes metres of a network."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli import depth_options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.calibration import Calibration, Fit
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.frames import DepthMap
    from depth_estimation_ros.references import References

_SEVERAL = ('marker', 'ground')  # whose options are those of each picture
_OF_RAYS = ('marker', 'object', 'ground', 'lidar')  # which need the intrinsics
_HELP = {
    'marker': 'a printed marker or board whose side you measured',
    'object': 'something upright of known height, by the box around it',
    'ground': 'a flat floor, and how high the camera is above it',
    'depth': 'the image of a depth camera, registered to the picture',
    'lidar': 'points of a lidar',
    'factor': 'a number that makes metres of what the network says',
}
_OF_A_STREAM = ('continuous', 'max_age', 'max_change', 'patience')  # nothing to one picture


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], chosen: bool) -> None:
    """Add the subcommand and its options.

    Args:
        commands: Where to.
        chosen: Whether it is the one that is asked for. Its options are those of the methods,
            which bring NumPy and OpenCV with them; no other command is to wait for these.
    """
    calibrate = commands.add_parser(
        'calibrate', help='fit scale and shift to known distances, for the node to load'
    )
    if not chosen:
        return
    from depth_estimation_ros.references.methods import METHODS

    methods = calibrate.add_subparsers(required=True, metavar='METHOD', dest='method')
    _add_points(methods.add_parser('points', help='pixels whose distance you measured'))
    for name in METHODS:
        _add_method(methods.add_parser(name, help=_HELP[name]), name)
    for parser in methods.choices.values():
        depth_options.add_network(parser)
        parser.add_argument(
            '-o', '--output', type=Path, metavar='FILE', help='default: where the node finds it'
        )
        parser.add_argument(
            '--name', default='', help='name of the camera in the node (default: a single one)'
        )
        parser.add_argument('--json', action='store_true', help='print JSON')
        parser.set_defaults(run=_run)


def _add_points(parser: argparse.ArgumentParser) -> None:
    _add_images(parser, 1)
    parser.add_argument(
        '--at',
        type=_place,
        action='append',
        required=True,
        metavar='U,V,METRES',
        help='a pixel and its depth; give it again for more',
    )
    parser.add_argument(
        '--along-ray', action='store_true', help='the metres are lengths of rays, not depths'
    )
    parser.add_argument('--shift', action='store_true', help='a shift for a metric model, too')


def _add_images(parser: argparse.ArgumentParser, count: int | str) -> None:
    parser.add_argument('images', type=Path, nargs=count, metavar='IMAGE')
    depth_options.add_camera(parser)


def _place(text: str) -> tuple[float, ...]:
    numbers = text.split(',')
    try:
        u, v, metres = map(float, numbers)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'a place is such as 320,240,1.5, not {text}') from error
    return u, v, metres


def _add_method(parser: argparse.ArgumentParser, name: str) -> None:
    from depth_estimation_ros.references.methods import METHODS
    from depth_estimation_ros.tunable import tunables

    method = METHODS[name]
    if method.references is not None:
        _add_images(parser, '+' if name in _SEVERAL else 1)
    if method.value:
        number, _, meaning = method.value.partition(' ')
        parser.add_argument(f'--{number}', dest='value', type=float, required=True, help=meaning)
    if method.sensor == 'depth':
        parser.add_argument(
            '--depth', type=Path, required=True, metavar='FILE', help='its depth image'
        )
        parser.add_argument(
            '--unit', type=float, default=0.001, help='metres of one (default: %(default)s)'
        )
    if method.sensor == 'points':
        parser.add_argument(
            '--points', type=Path, required=True, metavar='FILE', help='.npy of [N, 3] metres'
        )
        parser.add_argument(
            '--extrinsics',
            type=Path,
            metavar='FILE',
            help='YAML list of 4 rows of 4 numbers: from the frame of the points to the optical '
            'frame of the camera (default: they are in it)',
        )
    for tunable in tunables(method.options):
        if tunable.name not in _OF_A_STREAM:
            depth_options.add_flag(parser, tunable)


def _run(options: argparse.Namespace) -> int:
    from depth_estimation_ros import calibration_file, sections
    from depth_estimation_ros.ros.calibrations import Calibrations

    _check_camera(options)
    estimator = depth_options.estimator(options)
    try:
        calibration, found = _calibration(options, estimator)
    finally:
        estimator.close()
    of_node = Calibrations(options.name, sections.CalibrationFile(), depth_options.say)
    file = options.output or of_node.file(estimator)
    try:
        calibration_file.save(calibration, file)
    except OSError as error:
        raise OSError(f'{error}; give another file with -o') from error
    if options.json:
        print(json.dumps(_plain(calibration, found, file), indent=2))
    else:
        print('\n'.join([*found, *calibration.fit.told, f'saved to {file}']))
    return 0


def _check_camera(options: argparse.Namespace) -> None:
    of_rays = options.method in _OF_RAYS or (options.method == 'points' and options.along_ray)
    if of_rays and not (options.camera or options.fx or options.hfov):
        wanted = '--along-ray' if options.method == 'points' else f'calibrate {options.method}'
        raise ValueError(f'{wanted} needs the intrinsics: give --camera, --fx or --hfov')


def _calibration(
    options: argparse.Namespace, estimator: DepthEstimator
) -> tuple[Calibration, list[str]]:
    """What the pictures make, and what was found in them."""
    from depth_estimation_ros.calibrating import made
    from depth_estimation_ros.calibration import Calibration
    from depth_estimation_ros.fitting import factor
    from depth_estimation_ros.models import store

    spec = estimator.spec
    if options.method == 'factor':
        fit, weights = factor(spec.kind, options.value), store.weights_of(spec)
        now = time.time_ns()
        return Calibration(fit, spec.name, None, now, estimator.preset, weights), []
    views = _views(options, estimator)
    references, depth_map = views[-1]  # of one picture are those that are kept, with their looks
    calibration = made(_fit(options, views), depth_map, estimator, references)
    return calibration, [given.remark for given, _ in views if given.remark]


def _views(
    options: argparse.Namespace, estimator: DepthEstimator
) -> list[tuple[References, DepthMap]]:
    """What is known of each picture, and what the network says of it."""
    from depth_estimation_ros import image_files
    from depth_estimation_ros.frames import DepthMap, Frame

    images = [image_files.read_rgb(file) for file in options.images]
    height, width, _ = images[0].shape
    camera = depth_options.camera(options, width, height)
    views = []
    for file, image in zip(options.images, images, strict=True):
        if image.shape != images[0].shape:
            raise ValueError(
                f'{file} is {image.shape[1]}x{image.shape[0]} and {options.images[0]} '
                f'{width}x{height}: give pictures of one camera at one size'
            )
        (prediction,) = estimator.predict([image])
        depth_map = DepthMap(Frame(image, camera=camera), prediction, None)
        try:
            views.append((_references(options, depth_map), depth_map))
        except ValueError as error:
            raise ValueError(f'{file}: {error}') from error
    return views


def _references(options: argparse.Namespace, depth_map: DepthMap) -> References:
    from depth_estimation_ros.references.methods import METHODS
    from depth_estimation_ros.references.points import points

    if options.method == 'points':
        u, v, metres = zip(*options.at, strict=True)
        return points(depth_map, u, v, metres, options.along_ray)
    method = METHODS[options.method]
    if method.references is None:
        raise ValueError(f'{options.method} takes nothing from pictures')
    value = options.value if method.value else 0.0
    return method.references(depth_map, value, _method_options(options), _sensed(options))


def _method_options(options: argparse.Namespace) -> Any:
    from depth_estimation_ros.references.methods import METHODS

    kind = METHODS[options.method].options
    names = {field.name for field in dataclasses.fields(kind)} - set(_OF_A_STREAM)
    return kind(**{name: getattr(options, name) for name in names})


def _sensed(options: argparse.Namespace) -> NDArray[np.floating[Any]] | None:
    """What a sensor measured, out of its file."""
    from depth_estimation_ros import image_files

    if options.method == 'depth':
        return image_files.read_depth(options.depth, options.unit)
    if options.method == 'lidar':
        return _points(options.points, options.extrinsics)
    return None


def _points(file: Path, extrinsics: Path | None) -> NDArray[np.floating[Any]]:
    """[N, 3] metres in the optical frame."""
    from zipfile import BadZipFile

    import numpy as np
    import yaml

    try:
        points = np.asarray(np.load(file, allow_pickle=False), np.float64)
        matrix = np.eye(4)
        if extrinsics is not None:
            file = extrinsics
            matrix = np.array(yaml.safe_load(extrinsics.read_text('utf-8')), np.float64)
    except (ValueError, TypeError, EOFError, BadZipFile, yaml.YAMLError) as error:
        raise ValueError(f'{file} holds no numbers that can be read: {error}') from error
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f'points are [N, 3] metres, not {points.shape} as in {file}')
    if matrix.shape != (4, 4):
        raise ValueError(f'extrinsics are 4 rows of 4 numbers, not {matrix.shape} as in {file}')
    turn = matrix[:3, :3]
    rigid = np.allclose(turn @ turn.T, np.eye(3), atol=0.01) and np.linalg.det(turn) > 0.0
    if not (rigid and np.array_equal(matrix[3], (0.0, 0.0, 0.0, 1.0))):
        raise ValueError(
            f'{file} is no rotation with a translation in metres: its last column is x, y, z and '
            '1, its last row 0, 0, 0 and 1'
        )
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3], np.float64)


def _fit(options: argparse.Namespace, views: Sequence[tuple[References, DepthMap]]) -> Fit:
    from depth_estimation_ros.references import fit_together
    from depth_estimation_ros.references.gate import Gate

    if options.method == 'points':
        window = depth_options.PARAMETERS['distance.window'].default
        return fit_together(views, options.shift, window)
    fitted = fit_together(views)
    if options.method in ('ground', 'depth', 'lidar'):
        Gate(_method_options(options)).check(fitted, views[0][1])
    return fitted


def _plain(calibration: Calibration, found: list[str], file: Path) -> dict[str, Any]:
    """As JSON has it: what is not known is null."""
    fit = calibration.fit
    numbers = ('scale', 'shift', 'rms_relative_error', 'leave_one_out', 'inliers', 'references')
    values = {name: getattr(fit, name) for name in numbers}
    return {
        'file': str(file),
        'model': calibration.model,
        'preset': calibration.preset,
        'kind': fit.kind.value,
        **{name: None if math.isnan(value) else value for name, value in values.items()},
        'found': found,
        'remark': fit.remark,
    }
