# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation image`: the commands of its document, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest
import yaml

from depth_estimation_ros import calibration_file, cli, synthetic
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction

CAMERA = Camera(640, 480, 525.0, 526.0, 319.5, 239.5, 'plumb_bob', (-0.1, 0.02, 0.0, 0.0, 0.0))
INFO = {
    'image_width': 640,
    'image_height': 480,
    'camera_matrix': {'data': CAMERA.matrix.ravel().tolist()},
    'distortion_model': 'plumb_bob',
    'distortion_coefficients': {'data': list(CAMERA.distortion)},
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """What the document names: a picture, its camera, and a calibration of it."""
    folder = tmp_path_factory.mktemp('pictures')
    room = synthetic.make_room(3)
    image, depth = synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])
    cv2.imwrite(str(folder / 'room.png'), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    (folder / 'camera.yaml').write_text(yaml.safe_dump(INFO))
    (prediction,) = DepthEstimator.load('bundled-relative', device='cpu', runtime='torch').predict(
        [image]
    )
    said = np.asarray(prediction.values)[::60, ::60].ravel()
    fitted = fit(said, depth[::60, ::60].ravel(), DepthKind.RELATIVE)
    calibration_file.save(
        Calibration(fitted, 'bundled-relative', CAMERA, 1), folder / 'calibration.yaml'
    )
    return folder


@pytest.fixture
def image(folder, monkeypatch, capsys, tmp_path):
    """Runs `depth-estimation image` among copies of the files; exit code, output, messages."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        given = ['image', *map(str, arguments), '--runtime', 'torch', '--device', 'cpu']
        code = cli.main(given)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def asked(image, *arguments):
    """The rows of --json at a pixel."""
    code, out, err = image('room.png', '--json', '--at', '320,240', *arguments)
    assert code == 0, err
    (row,) = json.loads(out)
    return row, row['at'][0]


@pytest.mark.parametrize('command', documents.arguments('image'))
def test_a_command_of_the_document_does_what_it_says(image, command):
    arguments = shlex.split(command)[1:]
    code, out, err = image(*arguments)
    assert code == 0, err
    if '--json' in arguments:
        assert json.loads(out)[0]['at'][0]['status'] == 'OK'
    elif '--at' in arguments:
        assert '| 320, 240 |' in out
        assert not Path('depth_output').exists()
    else:
        folder = arguments[arguments.index('-o') + 1] if '-o' in arguments else 'depth_output'
        picture = Path(folder, 'room_colour.png')
        assert cv2.imread(str(picture)).shape[0] == 480
        assert str(picture) in out


def test_the_exports_are_the_depth(image):
    code, out, err = image(
        'room.png', '--export', 'png16,npz', '--camera', 'camera.yaml', '--at', '320,240', '--json'
    )
    assert code == 0, err
    (row,) = json.loads(out)
    assert (row['width'], row['height'], row['kind']) == (640, 480, 'metric')
    assert set(row['outputs']) == {'colour', 'png16', 'npz'}
    stored = np.load(row['outputs']['npz'])
    depth = stored['depth']
    assert (depth.shape, depth.dtype, str(stored['kind'])) == ((480, 640), np.float32, 'metric')
    np.testing.assert_array_equal(stored['K'], CAMERA.matrix)
    np.testing.assert_array_equal(stored['D'], CAMERA.distortion)
    millimetres = cv2.imread(row['outputs']['png16'], cv2.IMREAD_UNCHANGED)
    assert millimetres.dtype == np.uint16
    np.testing.assert_allclose(millimetres, depth * 1000, atol=0.51)
    (at,) = row['at']
    assert at['depth_m'] == np.median(depth[238:243, 318:323])
    assert at['prediction'] == at['depth_m']
    assert at['distance_m'] == pytest.approx(at['depth_m'], rel=1e-4)
    assert at['std_dev_m'] is None


def test_units(image):
    metres, centimetres, own = (
        image('room.png', '--at', '320,240', '--window', 1, '--unit', unit)[1].splitlines()
        for unit in ('m', 'cm', 'model')
    )
    numbers = [float(lines[-1].split('|')[2]) for lines in (metres, centimetres, own)]
    assert numbers[1] == pytest.approx(100 * numbers[0], rel=1e-3)
    assert numbers[2] == numbers[0]
    assert ['depth, m' in metres[1], 'depth, cm' in centimetres[1], 'says' in own[1]] == [True] * 3


def test_a_relative_network_has_metres_of_a_calibration_with_its_standard_deviation(image):
    given = ('--model', 'bundled-relative', '--camera', 'camera.yaml')
    row, at = asked(image, *given, '--calibration', 'calibration.yaml')
    assert row['kind'] == 'calibrated'
    assert 0.5 < at['depth_m'] < 8.0
    assert 0.0 < at['std_dev_m'] < at['depth_m']
    assert 'outputs' in row


def test_a_plain_factor_makes_metres_without_standard_deviation(image):
    _, at = asked(image, '--model', 'bundled-relative', '--depth-scale', 40)
    assert at['depth_m'] == pytest.approx(40 / at['prediction'], rel=1e-5)
    assert at['std_dev_m'] is None
    _, at = asked(image, '--depth-scale', 1.1)
    assert at['depth_m'] == pytest.approx(1.1 * at['prediction'], rel=1e-5)


def test_every_export_is_written_and_named(image):
    kinds = 'side-by-side,png16,npy,npz,exr,pfm,ply,pcd,glb'
    code, out, err = image('room.png', '--export', kinds, '--camera', 'camera.yaml', '--json')
    assert code == 0, err
    outputs = json.loads(out)[0]['outputs']
    assert list(outputs) == ['colour', *kinds.split(',')]
    assert sorted(map(str, Path('depth_output').iterdir())) == sorted(outputs.values())
    depth = np.load(outputs['npy'])
    np.testing.assert_array_equal(np.load(outputs['npz'])['depth'], depth)
    flying = np.isnan(np.frombuffer(Path(outputs['pcd']).read_bytes()[-depth.size * 16 :], '<f4'))
    flying = flying.reshape(480, 640, 4)[..., 2]
    assert 0 < flying.sum() < 0.1 * depth.size
    points = depth.size - flying.sum()
    assert f'element vertex {points}\n'.encode() in Path(outputs['ply']).read_bytes()
    code, out, err = image(
        'room.png', '--export', 'ply', '--hfov', '60', '--edges', '0', '--model', 'bundled'
    )
    assert f'element vertex {depth.size}\n'.encode() in Path(outputs['ply']).read_bytes()


METRES = [('--at', '3,4'), ('--unit', 'cm'), *(('--export', k) for k in ('png16', 'npy', 'exr'))]


@pytest.mark.parametrize('wanted', [*METRES, ('--export', 'pfm'), ('--export', 'npz,glb')])
def test_a_relative_network_has_no_metres_and_says_what_would_make_them(image, wanted):
    code, out, err = image(
        'room.png', '--model', 'bundled-relative', '--camera', 'camera.yaml', *wanted
    )
    assert (code, out) == (1, '')
    assert err.count('\n') == 1
    assert f'no metres for {"glb" if "npz,glb" in wanted else ""}' in err
    assert '--calibration FILE, or --depth-scale' in err
    assert '--unit model' in err
    assert not Path('depth_output').exists()


def test_points_need_a_camera(image):
    code, out, err = image('room.png', '--model', 'bundled', '--export', 'png16,ply,pcd')
    assert (code, out) == (1, '')
    assert err.count('\n') == 1
    assert 'points for ply, pcd need the intrinsics: give --camera, --fx or --hfov' in err


def test_of_many_pictures_those_that_the_camera_did_not_take_are_named_and_left_out(
    image, tmp_path
):
    cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((48, 64, 3), np.uint8))
    code, out, err = image(
        'small.png', 'room.png', '--camera', 'camera.yaml', '--model', 'bundled', '--json'
    )
    assert (code, [row['path'] for row in json.loads(out)]) == (1, ['room.png'])
    assert re.search(r'small.png: .*camera.yaml describes images of 640x480, not 64x48', err)
    assert '1 of 2 pictures done' in err


def test_what_a_relative_network_says_is_shown_as_that(image):
    row, at = asked(image, '--model', 'bundled-relative', '--unit', 'model', '--export', 'npz')
    assert row['kind'] == 'relative'
    assert at['depth_m'] is at['distance_m'] is at['std_dev_m'] is None
    stored = np.load(row['outputs']['npz'])
    assert 'depth' not in stored
    assert at['prediction'] == np.median(stored['inverse_depth'][238:243, 318:323])


def test_what_is_not_known_is_said(image):
    code, out, err = image('room.png', '--at', '320,240', '--at', '9000,1', '--at=-4,1')
    assert code == 0
    assert out.count('OUTSIDE_IMAGE') == 2
    assert 'give --camera, --fx or --hfov' in err
    assert 'need a calibration made of references' in err
    _, at = asked(image)
    assert at['distance_m'] is None


def test_a_ray_that_the_lens_does_not_tell_is_not_said_to_lack_a_camera(image, tmp_path):
    folded = INFO | {'distortion_coefficients': {'data': [-0.9, 0.0, 0.0, 0.0, 0.0]}}
    (tmp_path / 'folded.yaml').write_text(yaml.safe_dump(folded))
    code, out, err = image('room.png', '--camera', 'folded.yaml', '--at', '0,0', '--json')
    (at,) = json.loads(out)[0]['at']
    assert (code, at['status'], at['distance_m']) == (0, 'OK', None)
    assert 'give --camera' not in err
    assert 'the distortion of the camera has no inverse' in err


def test_folders_and_patterns_are_taken_and_what_is_no_picture_is_said(image, tmp_path):
    more = tmp_path / 'more'
    more.mkdir()
    for name in ('b.png', 'a.JPG'):
        cv2.imwrite(str(more / name), np.full((48, 64, 3), 90, np.uint8))
    (more / 'notes.txt').write_text('no picture')
    code, out, _ = image('more', 'roo*.png', '--at', '3,4', '--json')
    assert code == 0
    assert [row['path'] for row in json.loads(out)] == ['more/a.JPG', 'more/b.png', 'room.png']
    (more / 'c.png').write_bytes(b'no picture')
    code, out, err = image('more', '--at', '3,4', '--json', '--model', 'bundled')
    assert code == 1
    assert len(json.loads(out)) == 2
    assert [line for line in err.splitlines() if 'c.png is no image' in line]
    code, out, err = image('none*.png')
    assert (code, out) == (1, '')
    assert 'none*.png: there is no such picture' in err


def test_outputs_do_not_replace_each_other(image, tmp_path):
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'room.jpg').write_bytes((tmp_path / 'room.png').read_bytes())
    code, _, err = image('room.png', 'other')
    assert code == 1
    assert 'room.png and other/room.jpg would both become depth_output/room_' in err


def test_a_picture_that_is_given_is_not_replaced_by_what_is_written(image, tmp_path):
    sensor = tmp_path / 'room_depth.png'
    cv2.imwrite(str(sensor), np.full((48, 64), 2000, np.uint16))
    code, _, err = image('room.png', sensor, '-o', '.', '--export', 'png16', '--model', 'bundled')
    assert code == 1
    assert f'room_depth.png would replace {sensor}: give another --output' in err
    assert (cv2.imread(str(sensor), cv2.IMREAD_UNCHANGED) == 2000).all()


def test_a_picture_that_is_given_twice_is_taken_once(image, tmp_path):
    (tmp_path / 'rooms.png').mkdir()  # a folder, which a pattern does not mean
    code, out, _ = image('room.png', 'room*.png', '--at', '3,4', '--json')
    assert (code, len(json.loads(out))) == (0, 1)


def test_a_picture_that_no_network_takes_is_named_and_left_out(image, tmp_path):
    cv2.imwrite(str(tmp_path / 'strip.png'), np.zeros((6, 300, 3), np.uint8))
    code, out, err = image('strip.png', 'room.png', '--at', '3,4', '--json')
    assert (code, len(json.loads(out))) == (1, 1)
    assert 'strip.png: an image of 300x6 is no picture' in err


@pytest.mark.parametrize(
    ('arguments', 'code', 'text'),
    [
        (['--at', 'nan,1'], 2, "such as 320,240, not 'nan,1'"),
        (['--at', '3'], 2, "such as 320,240, not '3'"),
        (['--export', 'png16,exe'], 2, 'npz, exr, pfm, ply, pcd, glb, not exe'),
        (['--unit', 'feet'], 2, "'feet'"),
        (['--depth-scale', '-1'], 1, 'factor is positive'),
        (['--depth-scale', '1', '--calibration', 'calibration.yaml'], 1, 'give one of them'),
        (['--calibration', 'calibration.yaml', '--hfov', '60'], 1, 'for model bundled-relative'),
        (['--calibration', 'none.yaml'], 1, 'none.yaml'),
        (['--camera', 'none.yaml'], 1, 'depth-estimation: none.yaml: No such file or directory'),
        (['-o', 'camera.yaml'], 1, 'depth-estimation: camera.yaml: File exists'),
    ],
)
def test_what_is_refused(image, capsys, arguments, code, text):
    try:
        found, out, err = image('room.png', '--model', 'bundled', *arguments)
    except SystemExit as end:
        found, out, err = end.code, '', capsys.readouterr().err
    assert (found, out) == (code, '')
    assert text in err
    assert 'usage' not in err  # which would fill the screen


def test_without_a_command_the_help_says_which_there_are(capsys):
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ''
    assert all(command in err for command in ('image', 'webcam', 'calibrate'))


def test_the_legend_of_a_picture_is_in_its_unit(tmp_path):
    """Pictures in m and in cm differ in the legend alone; inverse depth has one without unit."""
    from depth_estimation_ros import depth_files

    depth = np.linspace(1.0, 4.0, 300 * 200, dtype=np.float32).reshape(300, 200)
    frame = Frame(np.zeros((300, 200, 3), np.uint8))
    seen = DepthMap(frame, Prediction(1.0 / depth, DepthKind.RELATIVE), depth)
    pictures = {}
    for unit in ('m', 'cm', 'model'):
        depth_files.write_colours(seen, unit, tmp_path / 'a.png')
        pictures[unit] = cv2.imread(str(tmp_path / 'a.png'))
    np.testing.assert_array_equal(pictures['m'][:, :200], pictures['cm'][:, :200])
    assert pictures['m'].shape != pictures['cm'].shape
    for picture in pictures.values():  # warm (red) where it is near, at the top
        assert picture[5, 100, 2] > picture[5, 100, 0]
        assert picture[-5, 100, 0] > picture[-5, 100, 2]
    unknown = DepthMap(frame, Prediction(depth * np.nan, DepthKind.METRIC), depth * np.nan)
    depth_files.write_colours(unknown, 'm', tmp_path / 'a.png')
    assert not cv2.imread(str(tmp_path / 'a.png'))[:, :200].any()


def test_threads_of_pytorch_do_not_spin_while_they_wait(folder, tmp_path):
    """libgomp itself says how often one looks before it sleeps."""
    plain = {key: value for key, value in os.environ.items() if key != 'OMP_WAIT_POLICY'}
    command = f'-m depth_estimation_ros.cli image {folder}/room.png --runtime torch --device cpu'
    done = subprocess.run(
        [sys.executable, *command.split(), '--output', str(tmp_path)],
        env=plain | {'OMP_DISPLAY_ENV': 'VERBOSE'},
        capture_output=True,
        text=True,
        timeout=120.0,
        check=True,
    )
    assert "GOMP_SPINCOUNT = '0'" in done.stderr


def test_an_environment_that_is_to_stay_as_it_is_does(monkeypatch, capsys):
    for said, left in (('system', None), ('', 'PASSIVE')):
        monkeypatch.setenv('DEPTH_ESTIMATION_TRANSPORT', said)
        monkeypatch.setenv('OMP_WAIT_POLICY', '')
        monkeypatch.delenv('OMP_WAIT_POLICY')
        assert cli.main(['models', 'list']) == 0
        assert os.environ.get('OMP_WAIT_POLICY') == left
    assert 'bundled' in capsys.readouterr().out
