# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation calibrate`: the commands of its document, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest
import yaml
from printed import CAMERA, SIDE, charuco, chessboard, held, tag

from depth_estimation_ros import calibration_file, cli, synthetic
from depth_estimation_ros.references.marker import MarkerOptions
from depth_estimation_ros.synthetic.card import Card, hold_up, turned

CARDS = {
    'near.png': held(tag('DICT_APRILTAG_36H11', 7), SIDE, (10.0, 5.0, 0.0), (0.0, 0.05, 0.6)),
    'tag.png': held(tag('DICT_APRILTAG_36H11', 7), SIDE, (20.0, 0.0, 5.0), (0.2, 0.1, 1.5)),
    'board.png': held(chessboard(9, 7), 0.04, centre=(0.0, 0.0, 0.8)),
    'charuco.png': held(charuco(MarkerOptions('4x4_50', 'charuco', columns=7, rows=5)), 0.05),
    'person.png': Card(
        np.full((35, 13), 150, np.uint8), 0.65, turned(0.0, 0.0, 0.0), np.array([0.04, 0.01, 2.6])
    ),
}
INFO = {
    'image_width': 640,
    'image_height': 480,
    'camera_matrix': {'data': [531.0, 0.0, 322.4, 0.0, 533.0, 236.8, 0.0, 0.0, 1.0]},
    'distortion_model': CAMERA.distortion_model,
    'distortion_coefficients': {'data': list(CAMERA.distortion)},
}


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """A folder with the files that the document names, and the true depth of each picture."""
    folder = tmp_path_factory.mktemp('pictures')
    room = synthetic.make_room(3)
    image, depth = synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])
    truth = {}
    for name in ('room.png', *CARDS):
        seen, truth[name] = (
            hold_up(CARDS[name], CAMERA, image, depth) if name in CARDS else (image, depth)
        )
        cv2.imwrite(str(folder / name), cv2.cvtColor(seen, cv2.COLOR_RGB2BGR))
    (folder / 'camera.yaml').write_text(yaml.safe_dump(INFO))
    cv2.imwrite(str(folder / 'depth.png'), np.round(depth * 1000).astype(np.uint16))
    rays = np.insert(CAMERA.rays(), 2, 1.0, axis=-1)[::6, ::6]
    cloud = (rays * depth[::6, ::6, None]).reshape(-1, 3)
    np.save(folder / 'cloud.npy', cloud[:, [2, 0, 1]] * (1, -1, -1))  # x ahead, y left, z up
    extrinsics = [[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    (folder / 'extrinsics.yaml').write_text(yaml.safe_dump(extrinsics))
    extrinsics[2] = [1, 0, 0, 0.3]
    (folder / 'transposed.yaml').write_text(yaml.safe_dump(np.transpose(extrinsics).tolist()))
    (folder / 'empty.npy').touch()
    return folder, truth


@pytest.fixture
def calibrate(pictures, monkeypatch, capsys, tmp_path):
    """Runs a command in the folder, with PyTorch; its exit code, output and messages."""
    monkeypatch.chdir(pictures[0])

    def run(command, *more):
        arguments = [*shlex.split(command), *map(str, more), '--runtime', 'torch']
        code = cli.main([*arguments, '--device', 'cpu'])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize('command', documents.arguments('calibrate'))
def test_a_command_of_the_document_makes_a_calibration(command, calibrate, pictures, tmp_path):
    file = tmp_path / 'calibration.yaml'

    def measured(place):  # the metres of an example are not those of this room
        u, v = int(place[1]), int(place[2])
        x, y = CAMERA.rays()[v, u] if '--along-ray' in command else (0.0, 0.0)
        return f'{u},{v},{pictures[1]["room.png"][v, u] * np.sqrt(1.0 + x * x + y * y):.3f}'

    code, out, err = calibrate(
        re.sub(r'(?<=--at )(\d+),(\d+),[\d.]+', measured, command), '-o', file
    )
    assert code == 0, err
    loaded = calibration_file.load(file)
    assert f'scale {loaded.fit.scale:.6g}' in out
    assert loaded.anchors is not None or 'marker' not in command
    assert out.endswith(f'saved to {file}\n')


def depth_by(file, picture, pictures, model='bundled'):
    """What the network says of a picture under a calibration, and the truth."""
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.image_files import read_rgb

    estimator = DepthEstimator.load(model, device='cpu', runtime='torch')
    (prediction,) = estimator.predict([read_rgb(pictures[0] / picture)])
    calibration = calibration_file.load(file)
    assert calibration.model == model
    return calibration.fit.depth(prediction.values), pictures[1][picture]


@pytest.mark.parametrize(
    ('command', 'region'),
    [
        ('marker near.png --side 0.16', np.s_[240:320, 290:350]),
        ('object person.png --height 1.75 --box 262,62,398,418', np.s_[190:290, 310:350]),
        ('depth room.png --depth depth.png', np.s_[:]),
        ('lidar room.png --points cloud.npy --extrinsics extrinsics.yaml', np.s_[:]),
    ],
)
def test_metres_are_right_where_the_references_were(command, region, calibrate, pictures):
    code, out, err = calibrate(f'calibrate {command}', '--camera', 'camera.yaml', '--json')
    assert code == 0, err
    told = json.loads(out)
    assert told['file'].endswith('/state/depth_estimation/camera--bundled.yaml')
    assert told['inliers'] > told['references'] / 2 > 20
    assert told['found']
    found, true = depth_by(Path(told['file']), command.split()[1], pictures)
    assert np.nanmedian(found[region] / true[region]) == pytest.approx(1.0, abs=0.05)


def test_a_factor_needs_no_picture(calibrate):
    code, out, err = calibrate('calibrate factor --factor 1.25', '--json', '--name', 'front')
    told = json.loads(out)
    assert (code, told['scale'], told['rms_relative_error']) == (0, 1.25, None), err
    assert told['file'].endswith('/front--bundled.yaml')
    assert 'how right it is' in told['remark']


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        ('marker room.png --camera camera.yaml --side 0.16', 'room.png: no marker of apriltag_36'),
        ('marker tag.png --side 0.16', 'marker needs the intrinsics: give --camera, --fx or --h'),
        ('points room.png --along-ray --at 1,1,1', '--along-ray needs the intrinsics: give --'),
        ('marker tag.png nothing.png --hfov 60 --side 0.16', 'there is no file nothing.png'),
        ('marker camera.yaml --hfov 60 --side 0.16', 'camera.yaml is no image that can be read'),
        ('marker tag.png --hfov 60 --side -1', 'must be positive metres, not -1'),
        ('object person.png --hfov 60 --height 1.7', 'must be four pixels, u0, v0, u1 and v1'),
        ('points room.png --at 700,10,1', 'pixel (700, 10) is outside the image of 640x480'),
        ('depth room.png --depth room.png', 'room.png holds uint8 (480, 640, 3), which is no dep'),
        ('depth room.png --depth depth.png --unit 1', 'check that the depth image is in metres'),
        ('lidar room.png --hfov 60 --points camera.yaml', 'camera.yaml holds no numbers that can'),
        ('lidar room.png --hfov 60 --points cloud.npy --extrinsics camera.yaml', 'holds no num'),
        (
            'depth room.png --depth depth.png --unit nan',
            'the unit must be positive metres, such as 0.001',
        ),
        ('lidar room.png --hfov 60 --points empty.npy', 'empty.npy holds no numbers that can'),
        (
            'lidar room.png --hfov 60 --points cloud.npy --extrinsics transposed.yaml',
            'transposed.yaml is no rotation with a translation in metres: its last column',
        ),
        ('factor --factor -2', 'the factor is positive and finite, not -2.0'),
    ],
)
def test_a_refusal_is_one_line_and_keeps_the_old_file(command, said, calibrate, tmp_path):
    file = tmp_path / 'old.yaml'
    file.write_text('what was there')
    code, out, err = calibrate(f'calibrate {command}', '--model', 'bundled', '-o', file)
    assert (code, out) == (1, '')
    assert said in err
    assert err.count('\n') == 1
    assert file.read_text() == 'what was there'


def test_a_place_that_cannot_be_written_is_told_with_the_flag(calibrate, tmp_path):
    (tmp_path / 'taken').write_text('a file, no folder')
    code, _, err = calibrate('calibrate factor --factor 2', '-o', tmp_path / 'taken' / 'one.yaml')
    assert code == 1
    assert err.endswith('taken/one.yaml: File exists; give another file with -o\n')
    assert 'calibration.directory' not in err


def test_pictures_of_two_sizes_are_not_of_one_camera(calibrate, pictures, tmp_path):
    small = tmp_path / 'small.png'
    cv2.imwrite(str(small), np.zeros((240, 320, 3), np.uint8))
    code, _, err = calibrate(f'calibrate marker tag.png {small} --hfov 60 --side 0.16')
    assert code == 1
    assert 'small.png is 320x240 and tag.png 640x480: give pictures of one camera' in err


@pytest.mark.parametrize('place', ['1,2', '1,2,x', '1,2,3,4'])
def test_a_place_that_is_none_is_wrong_use(place, calibrate, capsys):
    with pytest.raises(SystemExit) as ended:
        calibrate(f'calibrate points room.png --at {place}')
    assert ended.value.code == 2
    assert f'a place is such as 320,240,1.5, not {place}' in capsys.readouterr().err
