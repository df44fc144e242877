# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The example for Nav2 does what its document says, for the camera that it is made for."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.transforms import Transform

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / 'docs' / 'nav2.md').read_text()
CONFIG = yaml.safe_load((ROOT / 'config' / 'nav2_costmap.yaml').read_text())
COSTMAP = CONFIG['local_costmap']['local_costmap']['ros__parameters']
LAYER = COSTMAP['depth_layer']
OBSTACLES, FREE = LAYER['obstacles'], LAYER['free_space']
HEIGHT, ERROR = 0.3, 0.15  # of the camera above the floor, m; relative, of its depth
CAMERA = Camera.from_hfov(320, 240, 70.0)
ROWS, COLUMNS = np.mgrid[0:240:4, 0:320:4].reshape(2, -1)
RAYS = np.column_stack([CAMERA.unproject(COLUMNS, ROWS), np.ones(len(ROWS))])


def placed(pitch: float) -> Transform:
    return Transform.optical([0.0, 0.0, HEIGHT, 0.0, pitch, 0.0])


def floor(error: float, pitch: float, wrong: float = 0.0) -> np.ndarray:
    """Where the floor is taken to be, [N, 3] m, for errors of depth and of the pitch."""
    down = placed(pitch).matrix()[2] @ RAYS.T
    seen = RAYS[down < -0.02]
    depth = HEIGHT / -down[down < -0.02]
    return placed(pitch + wrong).apply(seen * depth[:, None] * (1.0 + error))


def marked(points: np.ndarray) -> np.ndarray:
    """Which become obstacles."""
    heights, ranges = points[:, 2], np.linalg.norm(points - [0.0, 0.0, HEIGHT], axis=1)
    high = (heights >= OBSTACLES['min_obstacle_height']) & (
        heights <= OBSTACLES['max_obstacle_height']
    )
    return (
        high
        & (OBSTACLES['obstacle_min_range'] <= ranges)
        & (ranges <= OBSTACLES['obstacle_max_range'])
    )


@pytest.mark.parametrize('pitch', [0.0, 0.1, 0.4])
def test_depth_that_is_too_near_lifts_the_floor_evenly(pitch):
    lifted = floor(-ERROR, pitch)
    np.testing.assert_allclose(lifted[:, 2], HEIGHT * ERROR, atol=1e-9)


@pytest.mark.parametrize('pitch', [0.0, 0.1, 0.4])
@pytest.mark.parametrize('error', [-ERROR, 0.0, ERROR])
@pytest.mark.parametrize('wrong', [-math.radians(1.0), math.radians(1.0)])
def test_the_floor_is_no_obstacle(pitch, error, wrong):
    assert not marked(floor(error, pitch, wrong)).any()
    assert marked(floor(-3 * ERROR, pitch)).any()  # and the numbers are not larger than need be


@pytest.mark.parametrize('error', [-ERROR, 0.0, ERROR])
def test_a_box_is_an_obstacle_and_can_be_cleared(error):
    side = np.linspace(-0.2, 0.2, 9)
    box = np.array([(1.5, y, z) for y in side for z in np.linspace(0.0, 0.25, 9)])
    optical = placed(0.1).inverse().apply(box)
    assert marked(placed(0.1).apply(optical * (1.0 + error))).any()
    assert FREE['raytrace_max_range'] > OBSTACLES['obstacle_max_range']
    assert FREE['min_obstacle_height'] < -HEIGHT * ERROR  # rays to the floor clear
    assert (OBSTACLES['marking'], OBSTACLES['clearing']) == (True, False)
    assert (FREE['marking'], FREE['clearing']) == (False, True)


def test_voxels_reach_as_high_as_obstacles_are_marked():
    top = LAYER['origin_z'] + LAYER['z_voxels'] * LAYER['z_resolution']
    assert LAYER['z_voxels'] <= 16  # Nav2's limit
    assert top >= OBSTACLES['max_obstacle_height'] == LAYER['max_obstacle_height']


def test_scan_and_cloud_agree():
    cloud, scan = CONFIG['pointcloud_to_laserscan']['ros__parameters'], COSTMAP['scan_layer']
    for ours, theirs in (('min', 'min'), ('max', 'max')):
        assert cloud[f'{ours}_height'] == OBSTACLES[f'{theirs}_obstacle_height']
    assert cloud['range_max'] == scan['scan']['raytrace_max_range']
    assert not scan['scan']['inf_is_valid']


def test_the_document_tells_the_numbers_of_the_file():
    told = dict(re.findall(r'^\| `(?:\w+\.)?(\w+)` \| (-?[\d.]+) m', DOCUMENT, re.MULTILINE))
    assert {'min_obstacle_height', 'obstacle_max_range', 'raytrace_max_range'} <= set(told)
    values = FREE | OBSTACLES | COSTMAP['inflation_layer']
    assert {name: float(value) for name, value in told.items()} == {
        name: values[name] for name in told
    }
    topics = {source['topic'] for source in (OBSTACLES, FREE)}
    assert topics == {'/depth_estimation/points'}
