# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Short runs of the comparison with transformers: both sides agree, and the figures are theirs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest
import tiny

from depth_estimation_ros.benchmarks import __main__ as benchmarks
from depth_estimation_ros.benchmarks import models, turns
from depth_estimation_ros.benchmarks.contender import Contender, Eager, Ours, Pipeline, Side
from depth_estimation_ros.benchmarks.picture import picture
from depth_estimation_ros.benchmarks.subject import subject as subject_of
from depth_estimation_ros.cli import main

ROOT = Path(__file__).resolve().parents[1]
CONTENDER = 'depth_estimation_ros.benchmarks.contender'
ONCE = ['--frames', '2', '--runtimes', 'torch', '--presets', 'full', '--device', 'cpu']


def test_the_command_of_the_document_measures(tmp_path, monkeypatch, capsys):
    (command,) = documents.arguments('benchmark')
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), *ONCE, '--threads', '1']) == 0
    assert '| torch full ' in capsys.readouterr().out
    assert cv2.imread('figures.png').shape[1] > 1000
    result = json.loads(Path('figures.json').read_text())
    assert result['machine']['cores'] >= 1
    assert result['machine']['packages']['torch']
    (comparison,) = result['comparisons']
    assert (comparison['weights'], comparison['openmp']) == ('its own', 'passive')
    opponent, ours = comparison['rows']
    assert (opponent['contender'], ours['contender']) == ('torch eager', 'torch full')
    assert ours['times_faster'] == opponent['p50_ms'] / ours['p50_ms']
    assert ours['correlation'] > 0.99
    for row in comparison['rows']:
        assert row['network'] == '256x192'
        assert row['frames'] >= 2
        assert row['cores'] == 1
        assert row['p50_ms'] <= row['p95_ms']
        assert row['frames_per_s'] > 0
        assert 100 < row['memory_mb'] < 4000
        assert row['first_depth_s'] > row['load_s'] > 0


def difference(opponent: Side, ours: Side) -> float:
    """How far their answers to a smooth picture differ, beside how much they vary."""
    image = picture(320, 240, noise=0.0)
    expected, answer = opponent.depth(image), ours.depth(image)
    assert answer.shape == expected.shape == (240, 320)
    assert answer.dtype == np.float32
    return float(np.std(answer - expected) / np.std(expected))


def test_the_pipeline_of_transformers_gives_the_same_answer(tmp_path):
    pytest.importorskip('transformers', reason='the opponent is transformers')
    (tmp_path / 'tiny').mkdir()
    tiny.save(tmp_path / 'tiny', processor={'image_processor_type': 'DPTImageProcessor'})
    subject = subject_of(str(tmp_path / 'tiny'), random=False, scratch=tmp_path)
    size = {'device': 'cpu', 'width': 320, 'height': 240}
    opponent = Pipeline(Contender('pipeline', subject.folder, **size))
    ours = Ours(Contender('ours', subject.model, subject.weights, 'torch', **size))
    assert difference(opponent, ours) < 0.1
    assert opponent.network() == (98, 70, 'DPTImageProcessor, torch on cpu')
    assert ours.network()[:2] == (98, 70)


def test_plain_pytorch_gives_the_same_answer_with_random_weights(tmp_path):
    subject = subject_of('midas-v21-small', random=True, scratch=tmp_path)
    assert (subject.folder, subject.random) == ('', True)
    size = {'device': 'cpu', 'width': 320, 'height': 240}
    opponent = Eager(Contender('eager', subject.model, subject.weights, **size))
    ours = Ours(Contender('ours', subject.model, subject.weights, 'torch', **size))
    assert difference(opponent, ours) < 0.1
    assert opponent.network() == (256, 192, 'torch on cpu')
    assert ours.network()[:2] == (256, 192)


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--models', 'nonsense'], "'nonsense'"),
        (['--models', 'meter-nyu-xxs'], '--random-weights'),
        (['--presets', 'nonsense'], "'nonsense'"),
        (['--json', '/nowhere/figures.json'], '/nowhere'),
    ],
)
def test_what_cannot_be_measured_is_named_in_a_line(arguments, said, capsys):
    assert main(['benchmark', '--frames', '1', *arguments]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1


@pytest.mark.parametrize(('option', 'value'), [('--frame', '640'), ('--runtimes', 'nonsense')])
def test_what_makes_no_sense_is_wrong_use(option, value, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['benchmark', option, value])
    assert f"'{value}'" in capsys.readouterr().err


def test_a_contender_that_dies_is_an_error():
    with (
        turns.process(CONTENDER, dict(os.environ), '{"side": "ours"}') as process,
        pytest.raises(ChildProcessError, match='contender'),
    ):
        turns.ask(process, 1)


def row(preset: str, times_faster: float, correlation: float = 1.0, load_s: float = 1.0) -> dict:
    return {
        'contender': f'torch {preset}',
        'runtime': 'torch',
        'preset': preset,
        'times_faster': times_faster,
        'correlation': correlation,
        'load_s': load_s,
    }


@pytest.mark.parametrize(
    ('figures', 'said'),
    [
        ([row('full', 1.2), row('balanced', 2.1), row('fast', 5.1, correlation=0.5)], []),
        ([row('full', 1.05)], ['1.05 times faster']),
        ([row('full', 1.05), row('full', 1.15)], []),
        ([row('balanced', 1.9), row('fast', 4.9)], ['balanced', 'fast']),
        ([row('full', 1.2, correlation=math.nan)], ['another answer, nan']),
        ([row('full', 1.2, load_s=3.5)], ['again in 3.5 s']),
    ],
)
def test_what_is_wanted_and_missed_is_told(figures, said):
    comparison = {
        'model': 'depth-anything-v2-small',
        'openmp': 'passive',
        'rows': [row('full', 1.0, load_s=9.0), *figures],
    }
    told = list(models._missed({'comparisons': [comparison]}))
    assert len(told) == len(said)
    assert all(part in line for part, line in zip(said, told, strict=True))
    comparison['openmp'] = 'default'
    assert list(models._missed({'comparisons': [comparison]})) == []


def test_presets_cost_accuracy(tmp_path, capsys):
    file = tmp_path / 'presets.json'
    assert benchmarks.main(['presets', '--rooms', '3', '--json', str(file)]) == 0
    full, balanced, fast = json.loads(file.read_text())
    assert [row['network'] for row in (full, balanced, fast)] == ['256x192', '160x128', '128x96']
    assert full['as_it_is']['abs_rel'] < balanced['as_it_is']['abs_rel']
    assert full['median_aligned']['delta1'] > fast['median_aligned']['delta1']
    assert 'rendered rooms' in capsys.readouterr().out


def test_presets_on_recordings(tmp_path, assets):
    file, weights = tmp_path / 'presets.json', assets / 'weights' / 'meter'
    assert not benchmarks.main([
        'presets', '--rooms', '1', '--json', str(file), '--recordings', str(assets / 'rgbd'),
        '--weights', str(weights / 'build_model_best_nyu_xxs'),
    ])  # fmt: skip
    rows = [row for row in json.loads(file.read_text()) if row['model'] == 'meter-nyu-xxs']
    assert {row['data']: row['pictures'] for row in rows} == {'tum': 2, 'icl': 2, 'redwood': 5}
    for found in rows:
        assert 0.05 < found['median_aligned']['abs_rel'] < 0.3


def test_recordings_that_are_not_there_are_named(tmp_path, capsys):
    assert benchmarks.main(['presets', '--rooms', '1', '--recordings', str(tmp_path)]) == 1
    assert 'pairs.json' in capsys.readouterr().err
