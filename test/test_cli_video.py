# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation video`: the depth of every frame as the node has it, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest
from film import frames, shoot, sound

from depth_estimation_ros import cli, sections, synthetic
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.colorize import colorize, legend
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.jobs.base import Item, Network
from depth_estimation_ros.media.process import VideoWork
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.road import Road
from depth_estimation_ros.stabilizer import Stabilizer

CAMERA = Camera.from_hfov(160, 120, 70.0)
TIMES = [0, 33, 80, 100, 200, 233]  # ms


@pytest.fixture(scope='module')
def room():
    """A drive through a room, [6, 120, 160, 3] uint8."""
    room = synthetic.make_room(3)
    poses = synthetic.trajectory(room, len(TIMES))
    return np.stack([synthetic.render(room, CAMERA, pose)[0] for pose in poses])


@pytest.fixture(scope='module')
def estimator():
    return DepthEstimator.load('bundled', device='cpu', runtime='torch')


@pytest.fixture
def drive(room, tmp_path, monkeypatch):
    """It as a video without loss, with sound."""
    monkeypatch.chdir(tmp_path)
    return shoot(tmp_path / 'drive.mkv', room, TIMES, 'ffv1', 'bgr0', 'aac')


@pytest.fixture
def video(drive, capsys):
    """Runs `depth-estimation video`; exit code, output, messages."""

    def run(*arguments):
        given = ['video', *map(str, arguments), '--runtime', 'torch', '--device', 'cpu']
        if '--model' not in given:
            given += ['--model', 'bundled']
        code = cli.main(given)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize('command', documents.arguments('video'))
def test_a_command_of_the_document_does_what_it_says(video, room, tmp_path, command):
    if '--view' in command:
        pytest.importorskip('rerun', reason='rerun is not installed: it needs NumPy 2')
    for folder in ('drives', 'pictures'):
        (tmp_path / folder).mkdir()
    shoot(tmp_path / 'drive.mp4', room, TIMES, sound='aac')
    for name in ('one.mp4', 'two.mp4'):
        shoot(tmp_path / 'drives' / name, room[:3])
    for index, image in enumerate(room[:2], 9):
        cv2.imwrite(str(tmp_path / 'pictures' / f'frame_{index}.png'), image)
    arguments = shlex.split(command)[1:]
    code, out, err = video(*arguments)
    assert (code, err) == (0, '')
    target = tmp_path / arguments[1]
    if '--json' in arguments:
        assert [row['frames'] for row in json.loads(out)] == [3, 3]
    elif target.is_dir():
        assert {path.name for path in target.iterdir()} == {'one.mp4', 'two.mp4'}
    elif '%' in arguments[1]:
        stride = 2 if '--stride' in arguments else 1
        assert len(list(target.parent.glob(f'0*{target.suffix}'))) == len(TIMES) / stride
    else:
        count = {'pictures': 2, 'part.mkv': 3}
        wanted = count.get(Path(arguments[0]).parts[0], count.get(arguments[1], len(TIMES)))
        assert len(frames(target)[0]) == wanted


def depths(folder):
    """The depth in a folder, by its times."""
    with (folder / 'times.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    return {float(row['seconds']): np.load(folder / row['file'])['depth'] for row in rows}


def test_depth_is_that_of_the_road_with_a_stabilizer(video, room, estimator, tmp_path):
    code, _, err = video('drive.mkv', 'out.mp4', '--depth-output', 'depth', '--hfov', 70)
    assert code == 0, err
    road = DepthPipeline(estimator, (0.1, 20.0), stabilizer=Stabilizer())
    found = depths(tmp_path / 'depth')
    np.testing.assert_allclose(list(found), np.array(TIMES) / 1000)
    for image, stamp, depth in zip(room, TIMES, found.values(), strict=True):
        expected = road.process(Frame(image, stamp * 10**6, camera=CAMERA)).depth
        np.testing.assert_array_equal(depth, expected)


def test_the_stabilizer_can_be_turned_off(video, room, estimator, tmp_path):
    assert video('drive.mkv', 'd/%03d.npz', '--no-steady')[0] == 0
    plain = DepthPipeline(estimator, (0.1, 20.0))
    for image, depth in zip(room, depths(tmp_path / 'd').values(), strict=True):
        np.testing.assert_array_equal(depth, plain.process(Frame(image)).depth)


def test_colours_have_one_range_and_stand_beside_the_picture_with_a_legend(video, room, tmp_path):
    look = ('--side-by-side', '--legend', '--color-range', '0.5,6', '--colormap', 'inferno')
    assert video('drive.mkv', 'p/%d.png', *look, '--depth-output', 'd')[0] == 0
    strip = legend(120, 0.5, 6.0, 'm', 'inferno')
    for index, depth in enumerate(depths(tmp_path / 'd').values()):
        picture = cv2.imread(str(tmp_path / 'p' / f'{index}.png'))[..., ::-1]
        np.testing.assert_array_equal(picture[:, :160], room[index])
        np.testing.assert_array_equal(picture[:, 160:320], colorize(depth, 0.5, 6.0, 'inferno'))
        np.testing.assert_array_equal(picture[:, 320:], strip)
    assert video('drive.mkv', 'out.mp4', *look)[0] == 0
    pictures, times = frames(tmp_path / 'out.mp4')
    assert times == pytest.approx([time / 1000 for time in TIMES], abs=1e-3)
    np.testing.assert_allclose(pictures[-1][:, :320].mean(), picture[:, :320].mean(), atol=2.0)
    assert [data for data, _ in sound(tmp_path / 'out.mp4')] == [
        data for data, _ in sound(tmp_path / 'drive.mkv')
    ]


def test_the_summary_is_json(video, tmp_path):
    code, out, _ = video('drive.mkv', 'out.webm', '--json', '--stride', 2, '--end', '0.2')
    (row,) = json.loads(out)
    assert code == 0
    assert {key: row[key] for key in ('frames', 'width', 'height', 'kind', 'loss', 'error')} == {
        'frames': 2, 'width': 160, 'height': 120, 'kind': 'metric', 'loss': [], 'error': '',
    }  # fmt: skip
    assert row['target'] == str(tmp_path / 'out.webm')
    assert 'the sound (aac) does not fit into webm' in row['remarks'][0]


def test_a_relative_network_has_colours_and_inverse_depth_but_no_metres(video, tmp_path):
    relative = ('--model', 'bundled-relative')
    assert video('drive.mkv', 'out.mp4', '--depth-output', 'd', *relative)[0] == 0
    assert 'inverse_depth' in np.load(tmp_path / 'd' / '000000.npz')
    for wanted in (['a.mp4', '--legend'], ['d/%d.pfm'], ['b.mp4', '--depth-output', 'e',
                                                        '--export', 'npz,png16']):  # fmt: skip
        code, _, err = video('drive.mkv', *wanted, *relative)
        assert code == 1
        assert 'no metres for' in err
        assert '--depth-scale' in err
    assert {path.name for path in tmp_path.iterdir()} == {'drive.mkv', 'out.mp4', 'd'}
    code, *_ = video('drive.mkv', 'c/%d.npz', *relative, '--depth-scale', 40)
    assert code == 0
    assert str(np.load(tmp_path / 'c' / '0.npz')['kind']) == 'calibrated'


def test_a_folder_of_pictures_and_a_pattern_are_sequences(video, room, tmp_path):
    (tmp_path / 'in').mkdir()
    for index, image in enumerate(room[:3], 9):
        cv2.imwrite(str(tmp_path / 'in' / f'{index}.png'), image[..., ::-1])
    assert video('in', 'a.mp4', '--rate', '10', '--depth-output', 'd')[0] == 0
    assert frames(tmp_path / 'a.mp4')[1] == pytest.approx([0.0, 0.1, 0.2])
    assert sorted(path.name for path in (tmp_path / 'd').glob('*.npz')) == [
        '10.npz', '11.npz', '9.npz',
    ]  # fmt: skip
    assert video('in/%d.png', 'b.mp4', '--rate', '10')[0] == 0
    assert (tmp_path / 'a.mp4').read_bytes() == (tmp_path / 'b.mp4').read_bytes()


def test_a_video_may_be_called_like_a_pattern(video, drive, tmp_path):
    drive.rename(tmp_path / 'drive%03d.mkv')
    assert video('drive%03d.mkv', 'out.mp4')[0] == 0
    assert len(frames(tmp_path / 'out.mp4')[0]) == 6


def test_a_folder_of_videos_is_done_and_one_that_is_none_is_said(video, drive, tmp_path):
    folder = tmp_path / 'drives'
    folder.mkdir()
    (folder / 'b.mkv').write_bytes(drive.read_bytes())
    (folder / 'a.mp4').write_bytes(b'no video')
    cut = drive.read_bytes()
    (folder / 'c.mkv').write_bytes(cut[: len(cut) // 2])
    (folder / 'notes.txt').write_text('no video')
    code, out, err = video(folder, 'out', '--depth-output', 'd', '--json')
    assert code == 1
    bad, whole, cut = json.loads(out)
    assert 'a.mp4 is no video that can be read' in bad['error']
    assert (whole['frames'], whole['loss']) == (6, [])
    assert 1 <= cut['frames'] < 6
    assert 'it is cut off' in cut['loss'][0]
    assert f'{folder}/c.mkv: not all could be read: it is cut off' in err
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {'b.mkv', 'c.mkv'}
    assert len(list((tmp_path / 'd' / 'b.mkv').glob('*.npz'))) == 6


def test_a_video_that_is_cut_off_is_no_failure(video, drive):
    """All that can be had is there, and doing it again would bring no more."""
    drive.write_bytes(drive.read_bytes()[: drive.stat().st_size // 2])
    code, _, err = video('drive.mkv', 'out.mp4')
    assert (code, err.count('not all could be read')) == (0, 1)


def test_what_is_there_is_replaced_only_when_asked(video, tmp_path):
    for out in ('out.mp4', 'p/%d.png'):
        assert video('drive.mkv', out)[0] == 0
        code, _, err = video('drive.mkv', out)
        assert code == 1
        assert 'exists: give another place, or --overwrite' in err
    (tmp_path / 'p' / 'mine.png').write_text('mine')
    assert video('drive.mkv', 'p/%d.png', '--overwrite', '--stride', 3)[0] == 0
    left = {path.name for path in (tmp_path / 'p').iterdir()}
    assert left == {'0.png', '1.png', 'times.csv', 'mine.png'}


@pytest.mark.parametrize(
    ('arguments', 'code', 'text'),
    [
        (['drive.mkv', 'out.txt'], 1, 'let it end in .mp4, .mov, .mkv'),
        (['drive.mkv', 'out/%d.tif'], 1, 'numbered files end in .png, .npz'),
        (['drive.mkv', 'drive.mkv', '--overwrite'], 1, 'would replace'),
        (['none.mp4', 'out.mp4'], 1, 'none.mp4'),
        (['in/%d.png', 'out.mp4'], 1, 'there are no such pictures'),
        (['drive.mkv', 'out.mp4', '--start', '9'], 1, 'no frame in the part'),
        (['drive.mkv', 'out.mp4', '--start', '2', '--end', '1'], 1, 'from 2 s to 1 s'),
        (['drive.mkv', 'out.mp4', '--start', 'noon'], 2, "not 'noon'"),
        (['drive.mkv', 'out.mp4', '--rate', '0'], 2, 'between 0 and 1000'),
        (['drive.mkv', 'out.mp4', '--export', 'ply'], 2, 'exports are npz'),
        (['drive.mkv', 'out.mp4', '--color-range', '5,1'], 2, '5 is not below 1'),
        (['drive.mkv', 'out.mp4', '--calibration', 'no.yaml'], 1, 'no.yaml'),
        (['drive.mkv', 'o/%d.png', '--depth-output', 'o'], 1, 'give --depth-output another one'),
        (['drive.mkv', 'out.mp4', '--depth-output', 'drive.mkv'], 1, 'drive.mkv exists'),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_nothing(video, capsys, tmp_path, arguments, code, text):
    try:
        found, _, err = video(*arguments)
    except SystemExit as end:
        found, err = end.code, capsys.readouterr().err
    assert found == code
    assert text in err
    assert [path.name for path in tmp_path.iterdir()] == ['drive.mkv']


def test_work_goes_to_other_machines_and_what_it_left_is_discarded(drive, estimator, tmp_path):
    work = VideoWork(
        Network('bundled'), Road((0.1, 20.0), stabilizer=sections.Stabilizer()), rate=Fraction(25)
    )
    work = pickle.loads(pickle.dumps(work))  # noqa: S301
    item = Item(drive, tmp_path / 'out.mp4')
    (tmp_path / '.out.mp4.part').write_text('of a worker that was killed')
    work.discard(item, finished=False)
    assert [path.name for path in tmp_path.iterdir()] == ['drive.mkv']
    steps, before = [], threading.active_count()
    assert work.run(estimator, item, steps.append)['frames'] == len(TIMES)
    assert [step.done for step in steps] == [1, 2, 3, 4, 5, 6]
    assert threading.active_count() == before


def test_what_is_finished_goes_when_nobody_was_told_of_it(drive, estimator, tmp_path):
    """The worker was killed behind its last step; or among the last ones."""
    mine = tmp_path / 'p' / 'mine.png'
    mine.parent.mkdir()
    mine.touch()
    work = VideoWork(Network('bundled'), Road((0.1, 20.0)), depth_output=tmp_path / 'd')
    for item in (Item(drive, tmp_path / 'out.mp4'), Item(drive, tmp_path / 'p' / '%d.png')):
        assert not work.there(item)
        work.run(estimator, item, lambda _: None)
        assert work.there(item)
        work.discard(item, finished=True)
        assert set(tmp_path.rglob('*')) == {drive, mine.parent, mine}
    work.run(estimator, item, lambda _: None)
    folder = tmp_path / 'p'
    (folder / '.part').mkdir()
    for name in ('times.csv', '4.png', '5.png'):
        (folder / name).rename(folder / '.part' / name)
    assert work.there(item)  # depth
    work.discard(item, finished=True)
    assert set(tmp_path.rglob('*')) == {drive, mine.parent, mine}


def test_ctrl_c_leaves_nothing(room, tmp_path):
    shoot(tmp_path / 'long.mp4', np.concatenate([room] * 100))
    command = [sys.executable, '-m', 'depth_estimation_ros.cli', 'video', 'long.mp4', 'out.mp4']
    given = ['--depth-output', 'd', '--model', 'bundled', '--runtime', 'torch', '--device', 'cpu']
    with subprocess.Popen(
        [*command, *given],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(documents.ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        deadline = time.monotonic() + 60.0
        while not list(tmp_path.glob('d/.part/*.npz')):
            assert run.poll() is None, run.stderr.read()
            assert time.monotonic() < deadline, 'no frame within 60 s'
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30.0)
    assert run.returncode == 1
    assert 'depth-estimation: interrupted' in said
    assert 'Traceback' not in said
    assert [path.name for path in tmp_path.iterdir()] == ['long.mp4']
