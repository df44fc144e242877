# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the presets cost in accuracy, for the metric networks whose weights are at hand.

The bundled network on rendered rooms that its training never saw, 640x480 with a lens; METER on
recordings of a depth camera. As they answer, and with every picture's median put right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.evaluation.pairs import pairs
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.metrics import DepthErrors, depth_errors
from depth_estimation_ros.preprocessing import PRESETS
from depth_estimation_ros.table import table

Pair = tuple[NDArray[np.uint8], NDArray[np.float32]]
_RESOLUTION = (480, 640)


def main(argv: list[str]) -> int:
    """Measure and print a table."""
    parser = command.parser('presets', __doc__)
    parser.add_argument('--rooms', type=int, default=120, help='default: %(default)s')
    parser.add_argument(
        '--recordings',
        type=Path,
        help='folder for METER: pairs.json lists name (scene_...), color and depth (files; 16 '
        'bit, 0 is unknown) and depth_unit_per_m of each picture; default: METER is left out',
    )
    parser.add_argument('--weights', default='', help="METER's; default: the folder of models")
    options = parser.parse_args(argv)
    rows = measure('bundled', '', 'rendered rooms', list(_rendered(options.rooms)))
    if options.recordings:
        for scene, recorded in _recorded(options.recordings).items():
            rows += measure('meter-nyu-xxs', options.weights, scene, recorded)
    _print(rows)
    command.write(rows, options.json)
    return 0


def measure(model: str, weights: str, data: str, known: list[Pair]) -> list[dict[str, Any]]:
    """Errors at each preset, means over the pictures.

    Args:
        model, weights: A metric one, as `DepthEstimator.load` takes them.
        data: What the pictures are called.
        known: Pictures and their depth in metres; unknown is NaN.

    Raises:
        ValueError: The model answers no metres.
    """
    rows = []
    for preset in PRESETS:
        estimator = DepthEstimator.load(model, weights, 'cpu', 'torch', preset)
        if estimator.spec.kind is not DepthKind.METRIC:
            raise ValueError(f'{model} does not answer in metres, so it has no errors in metres')
        errors: dict[str, list[DepthErrors]] = {'as_it_is': [], 'median_aligned': []}
        for image, truth in known:
            depth = np.asarray(estimator.predict([image])[0].values)
            both = np.isfinite(truth) & np.isfinite(depth)
            scale = np.median(truth[both]) / np.median(depth[both])
            errors['as_it_is'].append(depth_errors(depth, truth))
            errors['median_aligned'].append(depth_errors(scale * depth, truth))
        rows.append(
            {
                'model': model,
                'data': data,
                'pictures': len(known),
                'preset': preset,
                'network': 'x'.join(map(str, estimator.network_size)),
                **{name: _mean(each) for name, each in errors.items()},
            }
        )
        estimator.close()
    return rows


def _mean(errors: Iterable[DepthErrors]) -> dict[str, float]:
    table = [dataclasses.asdict(error) for error in errors]
    return {name: float(np.mean([row[name] for row in table])) for name in ('abs_rel', 'delta1')}


def _rendered(rooms: int) -> Iterator[Pair]:
    from depth_estimation_ros.training.validation import LENS, held_out_frame

    for index in range(rooms):
        yield held_out_frame(index, _RESOLUTION, LENS)


def _recorded(folder: Path) -> dict[str, list[Pair]]:
    """By scene."""
    scenes: dict[str, list[Pair]] = {}
    for sample in pairs(folder, None).samples():
        scene = scenes.setdefault(sample.name.partition('_')[0], [])
        scene.append((sample.frame.image, sample.truth))
    return scenes


def _print(rows: list[dict[str, Any]]) -> None:
    errors = 'AbsRel', 'δ1', 'AbsRel aligned', 'δ1 aligned'
    cells = [
        (
            row['model'],
            f'{row["pictures"]} {row["data"]}',
            row['preset'],
            row['network'],
            *(
                f'{row[alignment][error]:.3f}'
                for alignment in ('as_it_is', 'median_aligned')
                for error in ('abs_rel', 'delta1')
            ),
        )
        for row in rows
    ]
    print(table(('model', 'pictures', 'preset', 'network', *errors), cells, words=4))
