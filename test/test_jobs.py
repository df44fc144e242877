# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Many recordings in one call: which ones, where they go, what came of them."""

from __future__ import annotations

import argparse
import json

import cv2
import numpy as np
import pytest
from chores import Perilous, Pictures

from depth_estimation_ros.cli import depth_options, many
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.jobs.local import run_here

NETWORK = Network('bundled', device='cpu', runtime='torch', preset='fast')


def parse(*arguments):
    parser = argparse.ArgumentParser()
    many.add(parser, 'folders of pictures')
    depth_options.add_network(parser)
    return parser.parse_args([*map(str, arguments), '--device=cpu', '--runtime=torch'])


def is_one(path):
    return path.is_dir() and any(path.glob('*.png'))


def items(*arguments):
    return many.items(parse(*arguments), 'folders of pictures', is_one, lambda p: f'{p.name}.npy')


@pytest.fixture
def drives(tmp_path):
    """Folders of pictures, one of them damaged."""
    random = np.random.default_rng(0)
    for name in ('day1', 'day2', 'night'):
        folder = tmp_path / 'drives' / name
        folder.mkdir(parents=True)
        for index in range(2):
            picture = random.integers(0, 255, (48, 64, 3), np.uint8)
            cv2.imwrite(str(folder / f'{index}.png'), picture)
    (tmp_path / 'drives' / 'notes').mkdir()
    (tmp_path / 'drives' / 'day2' / '1.png').write_bytes(b'torn')
    return tmp_path / 'drives'


def test_one_goes_to_a_file_and_many_into_a_folder(drives, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    each = [Item(drives / name, out / f'{name}.npy') for name in ('day1', 'day2', 'night')]
    assert items(drives / 'day1', out) == [Item(drives / 'day1', out)]
    assert items(drives, out) == each
    assert items(drives / 'day*', out) == each[:2]
    assert items(drives / 'night*', out) == each[2:]
    assert items(drives / 'day2', drives / 'night', drives / 'day2', out) == each[1:]
    (tmp_path / 'list').write_text(f'{drives}/night\n\ndrives/day1\n')
    monkeypatch.chdir(tmp_path)
    assert items('@list', 'out') == [each[2], each[0]]


def test_what_is_not_there_is_named(drives, tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: there is no such file or folder'):
        items(drives, tmp_path / 'nowhere', tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match='there are no folders of pictures'):
        items(drives / 'notes', tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match='there are no folders of pictures'):
        items(drives / 'week*', tmp_path / 'out')


def test_nothing_replaces_another_or_a_recording(drives, tmp_path):
    same = tmp_path / 'other' / 'day1'
    same.mkdir(parents=True)
    (same / '0.png').touch()
    with pytest.raises(ValueError, match='would both become'):
        items(drives / 'day1', same, tmp_path / 'out')
    for inputs in (['day1', 'day1'], ['day1', 'day2', 'day1/out']):
        with pytest.raises(ValueError, match='/day1, or be written into it: give another OUT'):
            items(*(drives / name for name in inputs))


def test_a_network_is_found_from_any_folder(drives, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = many.network(parse('IN', 'OUT', '--model=drives', '--weights=drives/day1'))
    assert (named.model, named.weights) == (str(drives), str(drives / 'day1'))
    (tmp_path / 'bundled').mkdir()
    assert many.network(parse('IN', 'OUT', '--model=bundled')).model == 'bundled'


def test_one_that_fails_does_not_stop_the_others(drives, tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    seen = []
    outcomes = list(
        run_here(Pictures(NETWORK), items(drives, out), lambda *told: seen.append(told))
    )
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert 'day2/1.png' in outcomes[1].error
    assert outcomes[0].summary == {'frames': 2, 'runtime': 'torch'}
    assert np.load(out / 'day1.npy').shape == (2, 48, 64)
    assert sorted(path.name for path in out.iterdir()) == ['day1.npy', 'night.npy']
    assert [progress for item, progress in seen if item.source.name == 'night'] == [
        Progress(1, 2),
        Progress(2, 2),
    ]


def test_the_command_tells_what_came_of_each(drives, tmp_path, capsys):
    options = parse(drives, tmp_path / 'out')
    code = many.run(options, Pictures(NETWORK), items(drives, tmp_path / 'out'))
    said = capsys.readouterr()
    assert code == 1
    assert said.err.count(f'{drives}/day2') == 1  # told by the error itself
    assert said.err.count('\n') == 1  # no bars in a pipe
    assert '| day2  | FAILED |      – |' in said.out
    assert '| night | done   |      2 |' in said.out


def test_json_is_all_that_is_printed(drives, tmp_path, capsys):
    options = parse(drives / 'day1', tmp_path / 'one.npy', '--json')
    code = many.run(options, Pictures(NETWORK), items(drives / 'day1', tmp_path / 'one.npy'))
    [row] = json.loads(capsys.readouterr().out)
    assert code == 0
    assert row.pop('seconds') > 0.0
    assert row == {
        'source': str(drives / 'day1'),
        'target': str(tmp_path / 'one.npy'),
        'error': '',
        'frames': 2,
        'runtime': 'torch',
    }


def test_what_libraries_print_is_not_among_it(tmp_path, capsys):
    (tmp_path / 'calm').touch()
    options = parse(tmp_path / 'calm', tmp_path / 'copy', '--json')
    assert many.run(options, Perilous(NETWORK), [Item(tmp_path / 'calm', tmp_path / 'copy')]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)[0]['frames'] == 1
    assert said.err == 'copying\n'


def test_what_belongs_to_a_cluster_is_not_passed_over(drives, tmp_path, capsys):
    for flags in (['--workers=2'], ['--address=auto']):
        options = parse(drives, tmp_path / 'out', *flags)
        with pytest.raises(ValueError, match='belong to --engine ray: give it, too'):
            many.run(options, Pictures(NETWORK), items(drives, tmp_path / 'out'))
    with pytest.raises(SystemExit):
        parse(drives, tmp_path / 'out', '--engine=ray', '--workers=0')
    assert 'a number of workers is 1 or more' in capsys.readouterr().err
