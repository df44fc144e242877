# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation evaluate` as users run it, and every command of its document."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import documents
import numpy as np
import pytest
from recorded import DRIVE, picture, save_kitti, save_nyu, save_pairs
from scipy.io import savemat

from depth_estimation_ros import cli, evaluation
from depth_estimation_ros.models.catalog import spec

DOCUMENT = Path(__file__).resolve().parents[1] / 'docs' / 'evaluation.md'
KEYS = [
    'model', 'data', 'align', 'frames', 'AbsRel', 'SqRel', 'RMSE', 'RMSElog', 'log10', 'SILog',
    'delta1', 'delta2', 'delta3', 'coverage', 'flicker', 'split', 'crop', 'cap_m', 'pixels',
]  # fmt: skip
ON_CPU = ('--device', 'cpu', '--runtime', 'torch')


@pytest.fixture
def evaluate(capsys):
    """Runs the command; its exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.main(['evaluate', *map(str, arguments), *ON_CPU])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def rooms(tmp_path):
    truths = [np.full((48, 64), metres, np.float32) for metres in (1.0, 2.0, 3.0)]
    return save_pairs(tmp_path / 'rooms', truths)


def test_json_is_all_there_is_on_stdout(evaluate, rooms):
    code, out, err = evaluate(rooms, '--model', 'bundled', 'bundled-relative', '--align', 'scale',
                              '--json')  # fmt: skip
    assert (code, err) == (0, '')
    rows = json.loads(out)
    assert [row['model'] for row in rows] == ['bundled', 'bundled-relative']
    for row in rows:
        assert set(KEYS) <= set(row)
        assert (row['data'], row['align'], row['frames']) == (str(rooms), 'scale', 3)
        assert row['pixels'] == 3 * 48 * 64
        assert row['flicker'] is None


def test_the_table_says_what_was_scored(evaluate, rooms):
    code, out, err = evaluate(rooms, '--align', 'points:3', '--cap', '2.5', '--seed', 7)
    assert code == 0
    assert (
        err == 'depth-estimation: --model is not given: bundled, which knows rendered rooms only\n'
    )
    head, protocol, _, titles, _, row, *_ = out.splitlines()
    assert head == f'{rooms}: pairs.json, all 3 pairs'
    assert protocol == 'crop none, cap 2.5 m, alignment points:3 of each frame by itself (seed 7)'
    assert len(titles) == len(row)
    assert row.startswith('| bundled |      2 |')
    assert 'bundled: frames left out: 1 (no truth in the crop and below the cap)' in out


def test_a_limit_is_said_with_the_split(evaluate, rooms):
    out = evaluate(rooms, '--model', 'bundled', '--limit', 2)[1]
    assert out.startswith(f'{rooms}: pairs.json, all 3 pairs, the first 2\n')


def test_progress_is_for_terminals(evaluate, rooms, monkeypatch):
    assert '3/3' not in evaluate(rooms, '--model', 'bundled')[2]
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    code, out, err = evaluate(rooms, '--model', 'bundled')
    assert code == 0
    assert 'bundled: 100%' in err
    assert '3/3' in err
    assert '100%' not in out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere'], 'there is no nowhere'),
        (
            ['{rooms}', '--model', 'bundled', 'bundled-relative'],
            'bundled-relative answers inverse',
        ),
        (['{rooms}', '--model', 'midos'], "no model 'midos'; known are"),
        (['{rooms}', '--model', 'bundled', 'b', '--weights', 'w'], '--weights w is of one model'),
        (['{rooms}', '--model', 'bundled', '--crop', 'garg'], 'no crop garg is defined for pairs'),
        (
            ['{rooms}', '--model', 'bundled', '--report', 'a/b.png'],
            '--report a/b.png: there is no',
        ),
        (['{rooms}', '--model', 'bundled', '--report', 'b.pdf'], '--report b.pdf: it is a PNG'),
        (['{rooms}', '--split', 'nowhere.txt'], 'there is no split file nowhere.txt'),
    ],
)
def test_what_cannot_be_done_is_one_line(evaluate, rooms, arguments, message):
    code, out, err = evaluate(*(argument.format(rooms=rooms) for argument in arguments))
    assert (code, out) == (1, '')
    assert err.startswith(f'depth-estimation: {message}')
    assert err.count('\n') == 1


@pytest.mark.parametrize(
    ('flag', 'value', 'message'),
    [
        ('--align', 'points', 'known are none, median, scale, affine, points:N'),
        ('--cap', '-3', "a cap is metres, or none, not '-3'"),
        ('--limit', '0', '1 or more'),
        ('--seed', '-1', "a seed is a whole number from 0 on, not '-1'"),
        ('--crop', 'kb', 'invalid choice'),
    ],
)
def test_wrong_use_ends_with_two(evaluate, rooms, capsys, flag, value, message):
    with pytest.raises(SystemExit) as ended:
        evaluate(rooms, f'{flag}={value}')
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('name', ['h5py', 'matplotlib.axes'])
def test_what_is_not_installed_is_named_with_the_extra(
    evaluate, tmp_path, rooms, monkeypatch, name
):
    (tmp_path / 'nyu.mat').touch()
    arguments = {
        'h5py': [tmp_path / 'nyu.mat'],
        'matplotlib.axes': [rooms, '--report', tmp_path / 'report.png'],
    }[name]
    monkeypatch.delitem(sys.modules, 'depth_estimation_ros.evaluation.report', raising=False)
    monkeypatch.delattr(evaluation, 'report', raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    code, _, err = evaluate(*arguments)
    assert code == 1
    assert name in err
    assert err.endswith('install this package with its extra evaluation\n')
    assert err.count('\n') == 1


@pytest.fixture
def data_of_the_document(assets, tmp_path, monkeypatch):
    """A working directory in which the commands of the document find what they name."""
    monkeypatch.chdir(tmp_path)
    meter = spec('meter-nyu-xxs')
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', str(tmp_path / 'models'))
    (tmp_path / 'models' / meter.name).mkdir(parents=True)
    weights = tmp_path / 'models' / meter.name / meter.file
    weights.symlink_to(assets / 'weights' / 'meter' / meter.file)
    (tmp_path / 'rgbd').symlink_to(assets / 'rgbd')
    (tmp_path / 'recording').symlink_to(assets / 'bags' / 'redwood_5frames_compressed')
    truth = np.full((480, 640), 3.0, np.float32)
    save_nyu(tmp_path / 'nyu_depth_v2_labeled.mat', [truth] * 2, [picture(640, 480)] * 2)
    savemat(tmp_path / 'splits.mat', {'testNdxs': [[2]]})
    save_kitti(tmp_path / 'kitti', [truth], [picture(640, 480)])
    line = f'{DRIVE[:10]}/{DRIVE}/image_02/data/0000000005.png {DRIVE}/… 721.5377\n'
    (tmp_path / 'eigen_test_files_with_gt.txt').write_text(line)


@pytest.mark.parametrize('command', documents.arguments('evaluate'))
def test_the_commands_of_the_document_run(capsys, data_of_the_document, command):
    code = cli.main([*shlex.split(command), '--limit', '2', *ON_CPU])
    out, err = capsys.readouterr()
    assert (code, err) == (0, '')
    assert ('"AbsRel"' in out) == ('--json' in command)
    for file in re.findall(r'--report (\S+)', command):
        assert Path(file).stat().st_size > 10_000


def test_the_figures_of_the_document_are_those_of_the_command(capsys, data_of_the_document):
    code = cli.main(
        shlex.split('evaluate rgbd --model meter-nyu-xxs bundled --align affine --json')
        + list(ON_CPU)
    )
    assert code == 0
    for row in json.loads(capsys.readouterr().out):
        said = re.search(
            rf'^\| {row["model"]} \| affine \| 9 \| (\S+) \|', DOCUMENT.read_text(), re.MULTILINE
        )
        assert float(said[1]) == pytest.approx(row['AbsRel'], abs=0.0015)
