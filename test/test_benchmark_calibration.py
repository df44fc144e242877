# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What calibrations promise, in fewer trials than those of the benchmark; and the benchmark."""

import json

import numpy as np
import pytest

from depth_estimation_ros.benchmarks import __main__ as benchmarks
from depth_estimation_ros.benchmarks import calibration, trials
from depth_estimation_ros.benchmarks.trials import KINDS, Conditions

FIGURES = {
    'recovery': [{'data': 'exact', 'worst': 1e-9, 'wanted': 1e-6, 'refused': 0}],
    'coverage': [{'trials': 'all', 'coverage': 0.95}],
    'milliseconds': 10.0,
    'recordings': [
        {'frame': 'desk_1', 'uncalibrated': 0.4, 'all_pixels': 0.10, 'five_pixels': 0.12},
        {'frame': 'desk_2', 'uncalibrated': 0.4, 'all_pixels': 0.20, 'five_pixels': 0.22},
        {'frame': 'room_1', 'uncalibrated': 0.4, 'all_pixels': 0.10, 'five_pixels': 0.11},
    ],
}


def test_scale_and_shift_come_back_from_exact_data_and_under_gross_errors():
    exact, wrong = calibration.recovery(300)
    assert exact['worst'] < 1e-6
    assert wrong['worst'] < 0.01
    assert exact['refused'] == wrong['refused'] == 0


def test_the_standard_deviation_holds_the_truth_of_new_pixels():
    done, refused = trials.run(Conditions(), 1000)
    assert 0.92 <= trials.coverage(done) <= 0.98
    assert refused < 10


@pytest.mark.parametrize(
    'conditions',
    [
        *(Conditions(references=(n, n)) for n in (3, 5, 10, 40)),
        *(Conditions(kinds=(kind,)) for kind in KINDS),
        Conditions(noise=(0.06, 0.08)),
        Conditions(references=(8, 40), gross_trials=1.0),
    ],
)
def test_it_does_so_however_many_the_references_and_of_any_kind(conditions):
    """Not above 98 % everywhere: where less is known, more is granted."""
    done, _ = trials.run(conditions, 300)
    assert 0.91 <= trials.coverage(done) <= 0.995


def test_the_standard_deviation_is_as_large_as_the_error():
    """It is no answer to grant anything: of many references, σ is about what the network errs."""
    done, _ = trials.run(Conditions((30, 40), (0.05, 0.05)), 200)
    told = [float(found.std_dev(one.new_said)) / one.new_depth for one, found in done]
    assert np.median(told) == pytest.approx(0.05, rel=0.2)


@pytest.mark.alone
def test_many_references_are_fitted_quickly():
    assert calibration.duration() < 20.0


def test_five_pixels_of_a_depth_camera_are_nearly_as_good_as_all(assets):
    weights = str(assets / 'weights' / 'meter' / 'build_model_best_nyu_xxs')
    frames = calibration.recordings(assets / 'rgbd', weights, 25)
    assert {row['frame'].partition('_')[0] for row in frames} == {'tum', 'icl', 'redwood'}
    assert calibration.missed({**FIGURES, 'recordings': frames}) == []


def test_the_benchmark_prints_tables_and_says_what_is_missed(tmp_path, capsys):
    file = tmp_path / 'figures.json'
    code = benchmarks.main(['calibration', '--trials', '15', '--json', str(file)])
    printed = capsys.readouterr().out
    faults = calibration.missed(json.loads(file.read_text()))
    assert code == int(bool(faults))
    for row in ('exact', '30 % gross errors', '3 references', 'metric with shift'):
        assert f'| {row} ' in printed
    assert all(f'MISSED: {fault}' in printed for fault in faults)
    assert 'Recordings are left out' in printed


@pytest.mark.parametrize(
    ('change', 'fault'),
    [
        ({}, None),
        ({'recovery': [{**FIGURES['recovery'][0], 'worst': 1e-5}]}, 'off by 1.0e-05'),
        ({'recovery': [{**FIGURES['recovery'][0], 'refused': 1}]}, '1 refused'),
        ({'coverage': [{'coverage': 0.91}]}, 'in 91.0%'),
        ({'coverage': [{'coverage': 0.99}]}, 'in 99.0%'),
        ({'milliseconds': 21.0}, '21.0 ms'),
        ({'recordings': [{**FIGURES['recordings'][0]}]}, 'desk: five pixels are 1.20'),
        (
            {'recordings': [{**FIGURES['recordings'][2], 'uncalibrated': 0.11}]},
            'room: five pixels are no better',
        ),
    ],
)
def test_what_does_not_hold_is_named(change, fault):
    found = calibration.missed({**FIGURES, **change})
    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]
