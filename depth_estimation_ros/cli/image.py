# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation image`: pictures to depth, colours and distances."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli import depth_options, distance_table, image_outputs

if TYPE_CHECKING:
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.frames import DepthMap
    from depth_estimation_ros.pipeline import DepthPipeline
    from depth_estimation_ros.road import Road

_CURE = (
    'calibrate (depth-estimation calibrate) and give --calibration FILE, or --depth-scale, or '
    'ask for what the network says with --unit model or --export npz'
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    image = commands.add_parser('image', help='pictures to depth, colours and distances')
    image.add_argument(
        'inputs', nargs='+', metavar='IN', help='files, folders, or patterns such as "*.jpg"'
    )
    image.add_argument(
        '-o',
        '--output',
        type=Path,
        metavar='DIR',
        help='for coloured pictures and exports (default: depth_output; with --at alone, nothing '
        'is written)',
    )
    image.add_argument(
        '--export',
        type=image_outputs.kinds,
        default=(),
        metavar='KIND,…',
        help=image_outputs.HELP,
    )
    depth_options.add_flag(image, depth_options.PARAMETERS['points.edges'])
    image.add_argument(
        '--at',
        type=distance_table.pixel,
        action='append',
        default=[],
        metavar='U,V',
        help='a pixel whose distance is wanted; give it again for more; 0,0 is the centre of the '
        'top-left one',
    )
    depth_options.add_flag(image, depth_options.PARAMETERS['distance.window'])
    image.add_argument(
        '--unit', choices=('m', 'cm', 'model'), default='m', help='model: as the network says'
    )
    image.add_argument('--json', action='store_true', help='print JSON, in metres')
    depth_options.add(image)
    image.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    road = depth_options.road(options)
    files = _files(options.inputs)
    if options.output is None and (options.export or not options.at):
        options.output = Path('depth_output')
    if options.output is not None:
        _check_names(options, files)
    _check_camera(options)
    with contextlib.closing(depth_options.estimator(options)) as estimator:
        _check_metres(options, road, estimator)
        if options.output is not None:
            options.output.mkdir(parents=True, exist_ok=True)
        rows = _rows(options, road, estimator, files)
    if options.unit != 'model':
        camera_known = bool(options.camera or options.fx or options.hfov)
        distance_table.say_what_is_missing((at for row in rows for at in row['at']), camera_known)
    if len(files) > 1:
        depth_options.say(f'{len(rows)} of {len(files)} pictures done')
    if options.json:
        print(json.dumps(rows, indent=2))
    for row in [] if options.json else rows:
        print(_text(row, options.unit))
    return int(len(rows) < len(files))


def _files(inputs: Sequence[str]) -> list[Path]:
    """Pictures named, in folders named, and those that patterns match.

    Raises:
        FileNotFoundError: There are none for an input.
    """
    from depth_estimation_ros.image_files import PICTURES

    files: list[Path] = []
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            found = sorted(f for f in path.iterdir() if f.suffix.lower() in PICTURES)
        else:
            found = [path] if path.is_file() else _matching(path)
        if not found:
            raise FileNotFoundError(
                f'{text}: there is no such picture, and no picture of {", ".join(PICTURES)} in it'
            )
        files += found
    return list(dict.fromkeys(files))


def _matching(pattern: Path) -> list[Path]:
    """For shells that do not, or not so many."""
    folder = Path(pattern.anchor or '.')
    found = folder.glob(str(pattern.relative_to(pattern.anchor)))
    return sorted(path for path in found if path.is_file())


def _check_names(options: argparse.Namespace, files: Sequence[Path]) -> None:
    """Refuse pictures whose outputs would replace each other, or a picture."""
    given = {file.resolve(): file for file in files}
    named: dict[str, Path] = {}
    for file in files:
        other = named.setdefault(file.stem, file)
        if other is not file:
            raise ValueError(
                f'{other} and {file} would both become {options.output / file.stem}_…: give them '
                'in two runs, with an --output each'
            )
        for output in image_outputs.files(options.output, file.stem, options.export).values():
            if output.resolve() in given:
                raise ValueError(
                    f'{output} would replace {given[output.resolve()]}: give another --output'
                )


def _check_metres(options: argparse.Namespace, road: Road, estimator: DepthEstimator) -> None:
    from depth_estimation_ros.frames import DepthKind

    wanted = image_outputs.need_metres(options.export)
    wanted += ['--unit cm'] * (options.unit == 'cm')
    wanted += ['--at'] * (bool(options.at) and options.unit != 'model')
    if wanted and estimator.spec.kind is DepthKind.RELATIVE and not road.makes_metres:
        raise ValueError(
            f'{estimator.spec.name} answers inverse depth without unit, so there are no metres '
            f'for {", ".join(wanted)}: {_CURE}'
        )


def _check_camera(options: argparse.Namespace) -> None:
    from depth_estimation_ros import intrinsics

    wanted = image_outputs.need_camera(options.export)
    if wanted and not (options.camera or options.fx or options.hfov):
        raise ValueError(
            f'points for {", ".join(wanted)} need the intrinsics: give --camera, --fx or --hfov'
        )
    if options.camera is not None:
        intrinsics.load(options.camera)  # what is wrong with it is said once, not of each picture


def _rows(
    options: argparse.Namespace, road: Road, estimator: DepthEstimator, files: Sequence[Path]
) -> list[dict[str, Any]]:
    """What came of each picture; one that cannot be is said and left out."""
    from tqdm import tqdm

    pipelines: dict[tuple[int, int], DepthPipeline] = {}
    rows = (
        _attempt(options, road, estimator, file, pipelines) for file in tqdm(files, disable=None)
    )
    return [row for row in rows if row is not None]


def _attempt(
    options: argparse.Namespace,
    road: Road,
    estimator: DepthEstimator,
    file: Path,
    pipelines: dict[tuple[int, int], DepthPipeline],
) -> dict[str, Any] | None:
    """What came of a picture; `pipelines` are those of the sizes that came before."""
    from depth_estimation_ros import image_files
    from depth_estimation_ros.frames import Frame

    try:
        image = image_files.read_rgb(file)
    except (ValueError, OSError) as error:
        depth_options.say(str(error))
        return None
    height, width, _ = image.shape
    try:
        camera = road.camera(width, height)
    except ValueError as error:
        depth_options.say(f'{file}: {error}')
        return None
    if (width, height) not in pipelines:
        pipelines[width, height] = road.pipeline(estimator, camera)
    try:
        depth_map = pipelines[width, height].process(Frame(image, camera=camera))
        road.check(depth_map)
        return _row(options, file, depth_map)
    except ValueError as error:
        depth_options.say(f'{file}: {error}')
        return None


def _row(options: argparse.Namespace, file: Path, depth_map: DepthMap) -> dict[str, Any]:
    height, width, _ = depth_map.frame.image.shape
    return {
        'path': str(file),
        'width': width,
        'height': height,
        'kind': depth_map.kind.value,
        'outputs': _written(options, file, depth_map) if options.output else {},
        'at': distance_table.rows(depth_map, options.at, options.window),
    }


def _written(options: argparse.Namespace, file: Path, depth_map: DepthMap) -> dict[str, str]:
    """Paths of what was written, by what it is."""
    outputs = image_outputs.files(options.output, file.stem, options.export)
    image_outputs.write(depth_map, options.unit, options.edges, outputs)
    return {kind: str(path) for kind, path in outputs.items()}


def _text(row: dict[str, Any], unit: str) -> str:
    """What came of a picture, for people."""
    lines = [f'{row["path"]}: {row["width"]}x{row["height"]}, {row["kind"]}']
    lines += [f'  {kind}: {file}' for kind, file in row['outputs'].items()]
    if row['at']:
        lines.append(distance_table.text(row['at'], unit))
    return '\n'.join(lines)
