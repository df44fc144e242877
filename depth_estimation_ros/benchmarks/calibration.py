# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How right calibrations are, and the standard deviations that they tell.

Random ones with a known truth, as module `trials` draws them; and a few pixels of a depth camera
against all of them, of METER on recordings.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.benchmarks import command, trials
from depth_estimation_ros.benchmarks.trials import Conditions
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.evaluation.base import Sample
from depth_estimation_ros.evaluation.pairs import pairs
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.points import points
from depth_estimation_ros.sections import Distance
from depth_estimation_ros.table import table

_FEW, _MANY = (3, 5), (16, 40)
_SLICES = {
    '3 references': Conditions(references=(3, 3)),
    '4 to 7': Conditions(references=(4, 7)),
    '8 to 15': Conditions(references=(8, 15)),
    '16 to 40': Conditions(references=_MANY),
    'noise 1 to 2 %': Conditions(noise=(0.01, 0.02)),
    '2 to 4 %': Conditions(noise=(0.02, 0.04)),
    '4 to 6 %': Conditions(noise=(0.04, 0.06)),
    '6 to 8 %': Conditions(noise=(0.06, 0.08)),
    '8 to 15 %, beyond all': Conditions(noise=(0.08, 0.15)),
    'relative': Conditions(kinds=trials.KINDS[:1]),
    'metric': Conditions(kinds=trials.KINDS[1:2]),
    'metric with shift': Conditions(kinds=trials.KINDS[2:]),
    'no gross errors': Conditions(gross_trials=0.0),
    'gross errors in every trial': Conditions(references=(8, 40), gross_trials=1.0),
    '3 to 5 references, 1 to 2 %': Conditions(_FEW, (0.01, 0.02)),
    '3 to 5 references, 6 to 8 %': Conditions(_FEW, (0.06, 0.08)),
    '16 to 40 references, 1 to 2 %': Conditions(_MANY, (0.01, 0.02)),
    '16 to 40 references, 6 to 8 %': Conditions(_MANY, (0.06, 0.08)),
}


def main(argv: list[str]) -> int:
    """Measure, print tables, and say what is missed."""
    parser = command.parser('calibration', __doc__)
    parser.add_argument('--trials', type=int, default=1000, help='a row; default: %(default)s')
    parser.add_argument('--draws', type=int, default=50, help='a frame; default: %(default)s')
    parser.add_argument(
        '--recordings', type=Path, help='folder with pairs.json for METER; default: left out'
    )
    parser.add_argument('--weights', default='', help="METER's; default: the folder of models")
    options = parser.parse_args(argv)
    figures: dict[str, Any] = {
        'recovery': list(recovery(options.trials)),
        'coverage': list(coverage(options.trials)),
        'milliseconds': duration(),
    }
    _print_trials(figures)
    if options.recordings:
        figures['recordings'] = recordings(options.recordings, options.weights, options.draws)
        _print_recordings(figures['recordings'])
    else:
        print('\nRecordings are left out: --recordings FOLDER tells where there are some.')
    command.write(figures, options.json)
    faults = missed(figures)
    print('\n'.join(['', *(f'MISSED: {fault}' for fault in faults)]) if faults else '\nall held')
    return int(bool(faults))


def recovery(count: int) -> Iterator[dict[str, Any]]:
    """How far scale and shift are off where nothing errs but the gross errors."""
    exact = Conditions(noise=(0.0, 0.0), gross_trials=0.0)
    wrong = Conditions((10, 40), (0.0, 0.0), gross_trials=1.0, gross=(0.3, 0.3))
    for name, conditions, wanted in (('exact', exact, 1e-6), ('30 % gross errors', wrong, 0.01)):
        done, refused = trials.run(conditions, count)
        errors = [trial.error(found) for trial, found in done]
        yield {'data': name, 'worst': max(errors), 'wanted': wanted, 'refused': refused}


def coverage(count: int) -> Iterator[dict[str, Any]]:
    """How often ±1.96 standard deviations hold the truth of a new pixel."""
    for name, conditions in {'all': Conditions(), **_SLICES}.items():
        done, refused = trials.run(conditions, count)
        told = [float(found.std_dev(one.new_said)) / one.new_depth for one, found in done]
        off = [abs(float(found.depth(one.new_said)) / one.new_depth - 1.0) for one, found in done]
        yield {
            'trials': name,
            'coverage': trials.coverage(done),
            'median_std_dev': float(np.median(told)),
            'median_error': float(np.median(off)),
            'refused': refused,
        }


def duration() -> float:
    """Milliseconds of a processor for a relative fit to 2,000 references, a quarter of them wrong.

    What else the machine does is left out.
    """
    conditions = Conditions((2000, 2000), (0.05, 0.05), trials.KINDS[:1], 1.0, (0.25, 0.25))
    trial = trials.draw(conditions, np.random.default_rng(0))
    taken = []
    for _ in range(20):
        start = time.process_time()
        trial.fit()
        taken.append(time.process_time() - start)
    return 1e3 * float(np.median(taken))


def recordings(folder: Path, weights: str, draws: int) -> list[dict[str, Any]]:
    """METER on each frame: uncalibrated, calibrated with five pixels of its truth, and with all.

    A draw that is refused leaves the frame uncalibrated.
    """
    estimator = DepthEstimator.load('meter-nyu-xxs', weights, 'cpu', 'torch')
    random = np.random.default_rng(0)
    rows = [_frame(estimator, sample, draws, random) for sample in pairs(folder, None).samples()]
    estimator.close()
    return rows


def _frame(
    estimator: DepthEstimator, sample: Sample, draws: int, random: np.random.Generator
) -> dict[str, Any]:
    prediction = estimator.predict([sample.frame.image])[0]
    depth_map = DepthMap(sample.frame, prediction, prediction.values)
    image = np.asarray(prediction.values)
    rows, columns = np.nonzero(np.isfinite(image) & np.isfinite(sample.truth))
    said, truth = image[rows, columns], sample.truth[rows, columns]
    whole = fit(said, truth, DepthKind.METRIC)
    uncalibrated = _abs_rel(said, truth)
    errors, held = [], []
    for _ in range(draws):
        five = random.choice(len(truth), 5, replace=False)
        given = points(depth_map, columns[five], rows[five], truth[five])
        try:
            found = fit_to(given, depth_map, window=Distance().window)
        except ValueError:
            errors.append(uncalibrated)
            continue
        others, other_truth = np.delete(said, five), np.delete(truth, five)
        depth = found.depth(others)
        errors.append(_abs_rel(depth, other_truth))
        held.append(np.mean(np.abs(depth - other_truth) <= 1.96 * found.std_dev(others)))
    return {
        'frame': sample.name,
        'uncalibrated': uncalibrated,
        'all_pixels': _abs_rel(whole.depth(said), truth),
        'five_pixels': float(np.median(errors)),
        'worst_of_20': float(np.quantile(errors, 0.95)),
        'coverage': float(np.mean(held)),
        'refused': draws - len(held),
    }


def _abs_rel(depth: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    return float(np.mean(np.abs(depth - truth) / truth, dtype=np.float64))


def by_set(frames: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means over the frames of a set, which is what stands before the `_` of their names."""
    sets = itertools.groupby(frames, lambda row: str(row['frame']).partition('_')[0])
    return {
        name: {
            key: float(np.mean([row[key] for row in rows])) for key in rows[0] if key != 'frame'
        }
        for name, rows in ((name, list(group)) for name, group in sets)
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """What does not hold."""
    faults = [
        f'{row["data"]}: scale or shift is off by {row["worst"]:.1e}, {row["refused"]} refused'
        for row in figures['recovery']
        if not row['worst'] <= row['wanted'] or row['refused']
    ]
    whole = figures['coverage'][0]['coverage']
    if not 0.92 <= whole <= 0.98:
        faults.append(
            f'±1.96 standard deviations hold the truth in {whole:.1%}, not in 92 to 98 %'
        )
    if not figures['milliseconds'] < 20.0:
        faults.append(f'2,000 references take {figures["milliseconds"]:.1f} ms, not under 20')
    for name, row in by_set(figures.get('recordings', [])).items():
        if not row['five_pixels'] <= 1.15 * row['all_pixels']:
            faults.append(f'{name}: five pixels are {row["five_pixels"] / row["all_pixels"]:.2f}')
        if not row['five_pixels'] < row['uncalibrated']:
            faults.append(f'{name}: five pixels are no better than none')
    return faults


def _print_trials(figures: dict[str, Any]) -> None:
    cells = [
        (row['data'], f'{row["worst"]:.1e}', f'{row["wanted"]:g}', str(row['refused']))
        for row in figures['recovery']
    ]
    print(table(('references', 'worst error', 'wanted', 'refused'), cells))
    rows = [
        (
            row['trials'],
            f'{row["coverage"]:.1%}',
            f'{row["median_std_dev"]:.1%}',
            f'{row["median_error"]:.1%}',
            str(row['refused']),
        )
        for row in figures['coverage']
    ]
    titles = 'trials', 'truth in ±1.96 σ', 'median σ', 'median error', 'refused'
    print('\n' + table(titles, rows))
    print(
        f'\n2,000 references take a processor {figures["milliseconds"]:.1f} ms (wanted: under 20).'
    )


def _print_recordings(frames: list[dict[str, Any]]) -> None:
    sets = [{'frame': f'all of {name}', **row} for name, row in by_set(frames).items()]
    cells = [
        (
            row['frame'],
            *(f'{row[key]:.3f}' for key in ('uncalibrated', 'all_pixels', 'five_pixels')),
            f'{row["five_pixels"] / row["all_pixels"]:.2f}',
            f'{row["worst_of_20"]:.3f}',
            f'{row["coverage"]:.0%}',
            f'{row["refused"]:g}',
        )
        for row in [*frames, *sets]
    ]
    titles = ('METER, AbsRel', 'uncalibrated', 'all pixels', '5 pixels', 'ratio', '1 of 20 draws')
    print('\n' + table((*titles, 'truth in ±1.96 σ', 'refused'), cells))
