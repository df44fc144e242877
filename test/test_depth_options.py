# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The common options of the command line: what they make, and what they refuse."""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
import pytest
import yaml

from depth_estimation_ros import calibration_file, intrinsics
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.cli import depth_options
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, Frame

CAMERA = Camera(640, 480, 525.0, 526.0, 319.5, 239.5, 'plumb_bob', (-0.1, 0.02, 0.0, 0.0, 0.0))
# As camera_calibration writes it.
INFO = {
    'image_width': 640,
    'image_height': 480,
    'camera_name': 'narrow_stereo',
    'camera_matrix': {
        'rows': 3,
        'cols': 3,
        'data': [525.0, 0.0, 319.5, 0.0, 526.0, 239.5, 0.0, 0.0, 1.0],
    },
    'distortion_model': 'plumb_bob',
    'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [-0.1, 0.02, 0.0, 0.0, 0.0]},
    'rectification_matrix': {'rows': 3, 'cols': 3, 'data': [1, 0, 0, 0, 1, 0, 0, 0, 1]},
    'projection_matrix': {'rows': 3, 'cols': 4, 'data': [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]},
}


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    depth_options.add(parser)
    return parser.parse_args([str(argument) for argument in arguments])


@pytest.fixture
def info_file(tmp_path):
    def write(**changes):
        file = tmp_path / 'camera.yaml'
        file.write_text(yaml.safe_dump(INFO | changes))
        return file

    return write


@pytest.fixture(scope='module')
def network():
    return depth_options.estimator(
        parsed('--model', 'bundled-relative', '--runtime', 'torch', '--device', 'cpu')
    )


@pytest.fixture
def calibrated(tmp_path):
    """A file with a calibration of the network and camera, but for some fields."""
    z = np.linspace(0.5, 5.0, 20)
    whole = Calibration(fit(1.0 / z, z, DepthKind.RELATIVE), 'bundled-relative', CAMERA, 1)

    def write(**changes):
        file = tmp_path / 'calibration.yaml'
        calibration_file.save(dataclasses.replace(whole, **changes), file)
        return file

    return write


def test_the_defaults_are_those_of_the_configuration():
    options = parsed()
    for name in ('weights', 'device', 'runtime', 'preset'):
        assert getattr(options, name) == depth_options.PARAMETERS[name].default
    assert options.range == (0.1, 20.0)
    assert depth_options.camera(options, 640, 480) is None
    assert not depth_options.road(options).makes_metres


def test_bundled_is_taken_where_nothing_is_said_and_that_is_said(capsys):
    estimator = depth_options.estimator(parsed('--runtime', 'torch', '--device', 'cpu'))
    assert estimator.spec.name == 'bundled'
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.count('\n') == 1
    assert 'bundled' in captured.err


def test_a_network_that_is_named_is_not_commented_on(network, capsys):
    assert network.spec.name == 'bundled-relative'
    assert capsys.readouterr() == ('', '')


def test_the_camera_of_a_file(info_file):
    assert depth_options.camera(parsed('--camera', info_file()), 640, 480) == CAMERA
    fisheye = info_file(
        distortion_model='equidistant', distortion_coefficients={'data': [0.1, 0.0, 0.0, 0.0]}
    )
    assert intrinsics.load(fisheye).distortion_model == 'equidistant'


def test_a_camera_of_another_size_is_refused(info_file):
    options = parsed('--camera', info_file())
    with pytest.raises(ValueError, match='640x480, not 320x240: give the one'):
        depth_options.camera(options, 320, 240)


@pytest.mark.parametrize(
    'changes',
    [
        {'camera_matrix': {'data': [0.0] * 9}},
        {'camera_matrix': {'data': [1.0]}},
        {'camera_matrix': None},
        {'image_width': 'wide'},
        {'image_width': float('inf')},
        {'camera_matrix': {'data': [10**400] * 9}},
        {'distortion_model': 'none of these'},
        {'distortion_coefficients': {'data': [0.1, 0.2]}},
    ],
)
def test_a_file_that_describes_no_camera_is_refused_by_its_name(info_file, changes):
    with pytest.raises(ValueError, match=r'camera\.yaml is no camera_info file \(.+\)'):
        intrinsics.load(info_file(**changes))


def test_a_file_that_is_no_yaml_or_not_there(tmp_path):
    (tmp_path / 'camera.yaml').write_text('a: [1,\nb')
    with pytest.raises(ValueError, match='no camera_info file') as refusal:
        intrinsics.load(tmp_path / 'camera.yaml')
    assert '\n' not in str(refusal.value)
    with pytest.raises(FileNotFoundError, match='none'):
        intrinsics.load(tmp_path / 'none.yaml')


def test_the_camera_of_numbers():
    camera = depth_options.camera(parsed('--fx', 500, '--cx', 310), 640, 480)
    assert camera == Camera(640, 480, 500.0, 500.0, 310.0, 239.5, approximate=True)
    camera = depth_options.camera(parsed('--hfov', 90), 640, 480)
    assert camera == Camera.from_hfov(640, 480, 90.0)
    with pytest.raises(ValueError, match='belong to --fx'):
        depth_options.camera(parsed('--fy', 500), 640, 480)


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (['--hfov', '200'], 'camera.hfov must lie between 0 and 179'),
        (['--hfov', '60', '--fx', '500'], 'not allowed with'),
        (['--fx', 'wide'], "'wide'"),
        (['--preset', 'slow'], 'preset is one of full, balanced, fast'),
        (['--range', '3'], 'such as 0.1,20'),
        (['--range', '3,2'], '3 is not below 2'),
        (['--range', '1,inf'], 'range.max must lie between'),
    ],
)
def test_wrong_use_is_refused_with_what_is_right(capsys, arguments, text):
    with pytest.raises(SystemExit) as end:
        parsed(*arguments)
    assert end.value.code == 2
    assert text in capsys.readouterr().err


def test_a_calibration_of_this_network_and_camera_makes_metres(network, calibrated):
    options = parsed('--calibration', calibrated(), '--range', '0.2,9')
    road = depth_options.road(options).pipeline(network, CAMERA)
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    depth_map = road.process(Frame(image, camera=CAMERA))
    assert depth_map.kind is DepthKind.CALIBRATED
    assert road.range == (0.2, 9.0)


@pytest.mark.parametrize(
    ('changes', 'camera', 'reason'),
    [
        ({'model': 'bundled'}, CAMERA, r'calibration\.yaml: .* is for model bundled'),
        ({'preset': 'fast'}, CAMERA, 'is for preset fast'),
        ({}, dataclasses.replace(CAMERA, fx=400.0), 'is for another camera'),
        ({}, None, 'say with --camera, --fx or --hfov'),
    ],
)
def test_a_calibration_of_another_is_refused(network, calibrated, changes, camera, reason):
    options = parsed('--calibration', calibrated(**changes))
    with pytest.raises(ValueError, match=reason):
        depth_options.road(options).calibration(network, camera)
