# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The methods of calibration by name, and their options as people write them."""

import pytest

from depth_estimation_ros.references.depth_camera import DepthCameraOptions
from depth_estimation_ros.references.ground import GroundOptions
from depth_estimation_ros.references.height import ObjectOptions
from depth_estimation_ros.references.lidar import LidarOptions
from depth_estimation_ros.references.marker import MarkerOptions
from depth_estimation_ros.references.methods import METHODS, method, parse
from depth_estimation_ros.tunable import tunables


@pytest.mark.parametrize(
    ('name', 'text', 'options'),
    [
        ('marker', '', MarkerOptions()),
        ('marker', '{}', MarkerOptions()),
        ('marker', '{dictionary: 4x4_50, id: 7}', MarkerOptions('4x4_50', id=7)),
        ('marker', 'board: charuco\nratio: 0.7', MarkerOptions(board='charuco', ratio=0.7)),
        ('object', '{box: [10, 20, 30.5, 90]}', ObjectOptions((10, 20, 30.5, 90))),
        ('object', '{pitch: 12}', ObjectOptions(pitch=12.0)),
        ('ground', '{pitch: 12, roll: -1.5}', GroundOptions(pitch=12.0, roll=-1.5)),
        ('lidar', '{continuous: true, max_age: 1}', LidarOptions(continuous=True, max_age=1.0)),
        ('depth', '{farthest: 4}', DepthCameraOptions(farthest=4.0)),
    ],
)
def test_options_are_a_yaml_mapping(name, text, options):
    assert parse(name, text) == options


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('radar', '', "no method 'radar': there is marker, "),
        (
            'marker',
            '{colour: red}',
            'marker: no such option: colour; there is dictionary, ',
        ),
        ('marker', '{dictionary: 9x9}', "dictionary is one of apriltag_36h11, .* not '9x9'"),
        ('marker', '{id: seven}', "id takes a int, not 'seven'"),
        ('marker', '{rows: 3}', 'rows must lie between 4 and 100, not 3'),
        ('object', '{box: 7}', 'box takes a tuple, not 7'),
        ('marker', 'apriltag', "options 'apriltag' are no mapping: write them as"),
        ('marker', '{id: [', 'are no YAML: '),
        ('ground', '{pitch: .nan}', 'pitch must lie between -80 and 90, not nan'),
        ('lidar', '{min_inliers: 0.2}', 'min_inliers must lie between 0.5 and 1, not 0.2'),
        ('lidar', '{nearest: 1' + 400 * '0' + '}', 'nearest takes a float, not 1000'),
        ('lidar', 5000 * '[', 'are no YAML: '),
        ('object', '{box: 2026-13-45}', 'are no YAML: month must be'),
        ('factor', '{id: 1}', 'method factor: no such option: id; there is none'),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(name, text, said):
    with pytest.raises(ValueError, match=said):
        parse(name, text)


@pytest.mark.parametrize('name', METHODS)
def test_every_method_says_what_its_options_do(name):
    for option in tunables(method(name).options):
        assert option.help.endswith('.')
