# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation bag` as people call it: flags, parameter files, Ctrl-C and full disks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import bags
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from depth_estimation_ros import cli, messages
from depth_estimation_ros.benchmarks import recording

IMAGE, TRUTH = '/camera/image_raw', '/camera/depth'
DEPTH = '/depth_estimation/depth/image'
QUICK = ('--model', 'bundled', '--device', 'cpu', '--runtime', 'torch')
LONG = 2000  # frames: nobody waits for their end


@pytest.fixture(scope='module')
def seen():
    return recording.views(96, 72)


@pytest.fixture(scope='module')
def drive(tmp_path_factory, seen):
    return recording.record(tmp_path_factory.mktemp('drive') / 'drive', seen, 2)


def called(capsys, *arguments):
    """Exit code, standard output and standard error of a call."""
    code = cli.main(['bag', *map(str, arguments), *QUICK])
    return code, *capsys.readouterr()


def read(path, topic):
    with AnyReader([path]) as reader:
        wanted = [one for one in reader.connections if one.topic == topic]
        return [reader.deserialize(data, one.msgtype) for one, _, data in reader.messages(wanted)]


def test_a_call_says_what_came_of_it(capsys, drive, tmp_path):
    code, out, _ = called(capsys, drive, tmp_path / 'out', '--reference-depth', TRUTH)
    assert code == 0
    assert f'{drive} → {tmp_path / "out"}\n' in out
    assert 'frames: 2' in out
    assert 'AbsRel' in out
    assert len(read(tmp_path / 'out', DEPTH)) == 2


def test_a_summary_has_a_line_for_what_does_not_fit_into_one(capsys, drive, tmp_path):
    _, out, _ = called(capsys, drive, tmp_path / 'out', '--reference-depth', TRUTH)
    lines = out.splitlines()
    assert max(map(len, lines[1:])) < 100
    assert '      errors of fitted: AbsRel' in out
    assert f'        {DEPTH}: 2' in lines


def test_an_error_names_the_recording_once(capsys, drive, tmp_path):
    (tmp_path / 'noise.mcap').write_bytes(b'noise')
    for source, words in (
        (tmp_path / 'noise.mcap', ()),
        (drive, ('--image-topic', '/nowhere')),
        (drive, ('--start', '90')),
    ):
        code, _, error = called(capsys, source, tmp_path / 'out', *words)
        assert (code, error.count(str(source))) == (1, 1)
    code, _, error = called(capsys, drive, tmp_path / 'out', '--params', tmp_path / 'no.yaml')
    assert (code, 'there is no parameter file' in error) == (1, True)


def test_json_is_one_value_and_nothing_else(capsys, drive, tmp_path):
    code, out, _ = called(capsys, drive, tmp_path / 'out', '--json', '--reference-depth', TRUTH)
    (row,) = json.loads(out)
    assert (code, row['frames'], row['error']) == (0, 2, '')
    assert set(row['cameras'][IMAGE]['errors']) == {'AbsRel', 'RMSE', 'delta1', 'frames'}


def test_several_bags_go_into_a_folder(capsys, drive, seen, tmp_path):
    other = recording.record(tmp_path / 'in' / 'other', seen, 1)
    empty = recording.record(tmp_path / 'in' / 'empty', seen, 0)
    code, out, error = called(capsys, drive, other, empty, tmp_path / 'out', '--topics', 'none')
    assert code == 1
    assert str(empty) in error
    assert 'FAILED' in out
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['drive', 'other']


def test_what_files_become_is_called_after_them(capsys, seen, tmp_path):
    source = recording.record(tmp_path / 'rec', seen, 1)
    [file] = source.glob('*.mcap')
    bags.ros1(tmp_path / 'old.bag', bags.drive(1, bags.ROS1))
    out = tmp_path / 'out'
    assert called(capsys, file, tmp_path / 'old.bag', out)[0] == 0
    assert (out / 'rec.mcap').is_file()
    assert (out / 'old').is_dir()
    assert called(capsys, file, file, out, '--storage', 'sqlite3')[0] == 0
    assert (out / 'rec').is_dir()


def test_parameters_of_the_node_hold_and_flags_go_before_them(capsys, drive, tmp_path):
    (tmp_path / 'depth.yaml').write_text("""
/**:
  ros__parameters:
    preset: fast
    range: {max: 3.0}
    depth.encoding: 16UC1
    colour: blue
""")
    params = ('--params', tmp_path / 'depth.yaml')
    code, _, error = called(capsys, drive, tmp_path / 'near', *params)
    assert code == 0
    assert 'colour is no parameter of the node: not used' in error
    (near, _) = read(tmp_path / 'near', DEPTH)
    assert near.encoding == '16UC1'
    (status,) = read(tmp_path / 'near', '/depth_estimation/status')
    metres = messages.decode_depth(near)
    assert np.nanmax(metres) <= 3.0
    code, *_ = called(
        capsys, drive, tmp_path / 'far', *params, '--range', '0.1,20', '--preset', 'full'
    )
    (far, _) = read(tmp_path / 'far', DEPTH)
    assert np.nanmax(messages.decode_depth(far)) > 3.0
    (full,) = read(tmp_path / 'far', '/depth_estimation/status')
    assert status.network_width < full.network_width


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('a: [', 'is no parameter file'),
        ('just words', 'is no parameter file: write it as'),
        ('other_node: {ros__parameters: {preset: fast}}', 'has no ros__parameters under'),
        ('/**: {ros__parameters: {preset: slow}}', 'preset is one of full, balanced, fast'),
    ],
)
def test_parameter_files_that_are_none(capsys, drive, tmp_path, text, reason):
    (tmp_path / 'depth.yaml').write_text(text)
    code, _, error = called(capsys, drive, tmp_path / 'out', '--params', tmp_path / 'depth.yaml')
    assert code == 1
    assert reason in error
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'wrong',
    [
        ('--outputs', 'beauty'),
        ('--stride', '0'),
        ('--start', '-1'),
        ('--storage', 'tape'),
        ('--reference-fit', 'twice'),
    ],
)
def test_wrong_use(capsys, drive, tmp_path, wrong):
    with pytest.raises(SystemExit, match='2'):
        called(capsys, drive, tmp_path / 'out', *wrong)
    assert wrong[1] in capsys.readouterr().err


def test_what_is_there_is_not_replaced_without_a_word(capsys, drive, tmp_path):
    called(capsys, drive, tmp_path / 'out')
    code, _, error = called(capsys, drive, tmp_path / 'out')
    assert (code, '--overwrite' in error) == (1, True)
    code, *_ = called(capsys, drive, tmp_path / 'out', '--overwrite')
    assert code == 0


def started(*arguments, before=''):
    """A process of its own; `before` is done in it first."""
    program = f'import sys; {before}\nfrom depth_estimation_ros.cli import main\nsys.exit(main())'
    command = [sys.executable, '-c', program, 'bag', *map(str, arguments), *QUICK]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_full_disk_is_said_and_leaves_nothing(drive, tmp_path, storage):
    # Bytes of a file.
    limit = 'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); '
    target = tmp_path / 'disk' / 'out'
    process = started(drive, target, '--storage', storage, before=limit)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f'{target} cannot be written' in error
    assert 'make room there' in error
    assert 'Traceback' not in error
    assert list((tmp_path / 'disk').iterdir()) == []


def test_ctrl_c_keeps_nothing_of_what_others_do(capsys, drive, tmp_path):
    given = ('--keep-partial', '--engine', 'ray')
    code, _, error = called(capsys, drive, tmp_path / 'out', *given)
    assert (code, list(tmp_path.glob('out*'))) == (1, [])
    assert '--keep-partial is of --engine local' in error


@pytest.fixture(scope='module')
def long_drive(tmp_path_factory, seen):
    return recording.record(tmp_path_factory.mktemp('long') / 'drive', seen, LONG)


def interrupted(target: Path, process: subprocess.Popen[str]) -> str:
    """Ctrl-C as soon as something is written; what it says."""
    deadline = time.monotonic() + 60
    while not any(file.stat().st_size > 300_000 for file in target.parent.rglob('*.mcap')):
        assert time.monotonic() < deadline, 'nothing is written within 60 s'
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert 'Traceback' not in error
    return error


def test_ctrl_c_leaves_nothing(long_drive, tmp_path):
    target = tmp_path / 'made' / 'out'
    error = interrupted(target, started(long_drive, target))
    assert f'interrupted: nothing is left of {target}' in error
    assert list(target.parent.iterdir()) == []


def test_ctrl_c_keeps_a_whole_bag_of_what_was_done_where_that_is_wanted(long_drive, tmp_path):
    target = tmp_path / 'made' / 'out'
    error = interrupted(target, started(long_drive, target, '--keep-partial'))
    assert list(target.parent.iterdir()) == [target]
    done = len(read(target, DEPTH))
    assert 0 < done < LONG
    assert f'interrupted: {target} holds the first {done} frames' in error
