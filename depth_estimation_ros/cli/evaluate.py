# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation evaluate`: networks held against true depth."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli import depth_options

if TYPE_CHECKING:
    from depth_estimation_ros.evaluation.alignment import Alignment
    from depth_estimation_ros.evaluation.base import DataSet, Sample
    from depth_estimation_ros.evaluation.scores import Protocol
    from depth_estimation_ros.evaluation.tally import Tally

_CROPS = ('none', 'eigen', 'garg')


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    evaluate = commands.add_parser(
        'evaluate', help='how good networks are on data with true depth'
    )
    evaluate.add_argument(
        'data',
        type=Path,
        metavar='DATA',
        help='folder with pairs.json, nyu_depth_v2_labeled.mat, folder of KITTI, or bag',
    )
    depth_options.add_network(evaluate, several=True)
    evaluate.add_argument(
        '--align',
        type=_alignment,
        default='none',
        metavar='HOW',
        help='none (default), median, scale, affine, or points:N as a user calibrates',
    )
    evaluate.add_argument(
        '--cap', type=_cap, metavar='M', help="metres, or none (default: the data set's usual)"
    )
    evaluate.add_argument('--crop', choices=_CROPS, help="default: the data set's usual")
    evaluate.add_argument('--split', type=Path, metavar='FILE', help='names the frames to take')
    evaluate.add_argument('--limit', type=_count, metavar='N', help='at most the first N frames')
    evaluate.add_argument(
        '--seed', type=_seed, default=0, metavar='N', help='of the points (default: 0)'
    )
    evaluate.add_argument('--json', action='store_true', help='print JSON')
    evaluate.add_argument('--report', type=Path, metavar='FILE.png', help='draw a picture')
    evaluate.set_defaults(run=_run)


def _alignment(text: str) -> Alignment:
    from depth_estimation_ros.evaluation.alignment import Alignment

    try:
        return Alignment.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _cap(text: str) -> float:
    """Metres; infinity for none."""
    try:
        metres = math.inf if text == 'none' else float(text)
    except ValueError:
        metres = math.nan
    if not metres > 0.0:
        raise argparse.ArgumentTypeError(f'a cap is metres, or none, not {text!r}')
    return metres


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'a number of frames is 1 or more, not {text!r}')
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'a seed is a whole number from 0 on, not {text!r}')
    return int(text)


def _run(options: argparse.Namespace) -> int:
    models = options.model or [None]
    if options.weights and len(models) > 1:
        raise ValueError(
            f'--weights {options.weights} is of one model, not of {len(models)}: give the paths '
            'of their weights as --model'
        )
    try:
        if options.report is not None:
            from depth_estimation_ros.evaluation import report  # before the long work
        from depth_estimation_ros.evaluation.data import open_data

        data = open_data(options.data, options.split)
        protocol = _protocol(options, data)
        _check(options)
        scored = [_evaluate(options, model, data, protocol) for model in models]
    except ModuleNotFoundError as error:
        raise ValueError(f'{error}: install this package with its extra evaluation') from error
    rows, tallies = zip(*scored, strict=True)
    print(json.dumps(rows, indent=2) if options.json else _text(rows))
    if options.report is not None:
        report.draw(rows, tallies, options.report)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse before the long work what could only be refused after it."""
    from depth_estimation_ros.models.resolve import resolve

    for model in options.model or []:
        spec = resolve(model, options.weights)
        options.align.check(spec.name, spec.kind)
    if options.report is None:
        return
    if options.report.suffix != '.png':
        raise ValueError(f'--report {options.report}: it is a PNG; call it .png')
    if not options.report.parent.is_dir():
        raise FileNotFoundError(f'--report {options.report}: there is no such folder; make it')


def _protocol(options: argparse.Namespace, data: DataSet) -> Protocol:
    from depth_estimation_ros.evaluation.scores import Protocol

    cap = data.cap if options.cap is None else options.cap
    return Protocol(
        options.align,
        data.crop if options.crop is None else options.crop,
        None if cap == math.inf else cap,
        options.seed,
        options.limit,
    )


def _evaluate(
    options: argparse.Namespace, model: str | None, data: DataSet, protocol: Protocol
) -> tuple[dict[str, Any], Tally]:
    """The row and the scores of a model; a bar shows how far it is, on a terminal."""
    from tqdm import tqdm

    from depth_estimation_ros.evaluation import scores

    one = argparse.Namespace(**vars(options) | {'model': model})
    with contextlib.closing(depth_options.estimator(one)) as estimator:
        total = data.total
        if total is not None and protocol.limit is not None:
            total = min(total, protocol.limit)

        def watch(samples: Iterable[Sample]) -> Iterable[Sample]:
            bar: Iterable[Sample] = tqdm(samples, estimator.spec.name, total, disable=None)
            return bar

        tally = scores.evaluate(estimator, data, protocol, watch)
        row = scores.row(estimator, str(options.data), data, protocol, tally)
    return row, tally


def _text(rows: Sequence[dict[str, Any]]) -> str:
    """What was scored, and a table with a row for each model."""
    from depth_estimation_ros.table import table

    first = rows[0]
    cap = 'none' if first['cap_m'] is None else f'{first["cap_m"]:g} m'
    lines = [
        f'{first["data"]}: {first["layout"]}, {first["split"]}',
        f'crop {first["crop"]}, cap {cap}, alignment {first["align"]} of each frame by itself'
        + f' (seed {first["seed"]})' * first['align'].startswith('points'),
        '',
        table(
            ('model', *_COLUMNS.values()),
            [(row['model'], *(_cell(row[key]) for key in _COLUMNS)) for row in rows],
        ),
    ]
    for row in rows:
        if row['refused']:
            lines.append(
                f'{row["model"]}: draws of points that determined no fit, so that others '
                f'were drawn: {row["refused"]}'
            )
        lines += [
            f'{row["model"]}: frames left out: {count} ({reason})'
            for reason, count in row['left_out'].items()
        ]
    return '\n'.join(lines)


_COLUMNS = {
    'frames': 'frames',
    'pixels': 'pixels',
    'AbsRel': 'AbsRel',
    'SqRel': 'SqRel m',
    'RMSE': 'RMSE m',
    'RMSElog': 'RMSElog',
    'log10': 'log10',
    'SILog': 'SILog',
    'delta1': 'δ1',
    'delta2': 'δ2',
    'delta3': 'δ3',
    'coverage': 'coverage',
    'flicker': 'flicker',
}


def _cell(value: float | None) -> str:
    if value is None:
        return '–'
    return str(value) if isinstance(value, int) else f'{value:.4f}'
