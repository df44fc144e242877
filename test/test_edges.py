# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Points that hang between surfaces go, those on surfaces stay, and enlarging makes up no more."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros.benchmarks import edges as benchmark
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.colorize import colorize
from depth_estimation_ros.distance import Status, measure
from depth_estimation_ros.edges import flying, stride
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.messages import depth_to_millimetres
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.operations import HOST
from depth_estimation_ros.pointcloud import cloud
from depth_estimation_ros.preprocessing import Preprocessing

INF, NAN = np.inf, np.nan
JUMP = 0.04


def flown(*depths):
    """Depths of the columns of an image that fly; rows and columns are treated alike."""
    columns = np.tile(np.float32(depths), (9, 1))
    found = flying(columns, JUMP)
    np.testing.assert_array_equal(flying(columns.T.copy(), JUMP), found.T)
    assert (found == found[0]).all()
    return columns[0, found[0]].tolist()


def test_a_ramp_between_two_surfaces_flies_and_its_ends_stay():
    assert flown(2, 2, 2, 2.25, 2.75, 3, 3, 3) == [2.25, 2.75]
    assert flown(3, 3, 3, 2.75, 2.25, 2, 2, 2) == [2.75, 2.25]
    assert flown(2, 2, 2, 6, 9, 9, 9) == [6]


def test_a_clean_step_loses_nothing():
    assert flown(2, 2, 2, 2, 5, 5, 5, 5) == []


def test_what_is_thin_stays():
    assert flown(4, 4, 4, 1, 4, 4, 4) == []
    assert flown(1, 1, 1, 4, 1, 1, 1) == []


@pytest.mark.parametrize('height', [0.1, 0.3, 1.0])
def test_a_floor_stays_however_low_the_camera(height):
    """f = 500: the row v below the horizon is height * 500 / v metres away."""
    floor = np.repeat(height * 500.0 / np.arange(8, 248, dtype=np.float32)[:, None], 640, axis=1)
    assert not flying(floor, 0.0).any()
    assert not flying(floor.T.copy(), 0.0).any()


def test_the_jump_is_a_share_of_the_depth():
    for scale in (0.5, 1.0, 8.0):
        ramp = np.float32([2.0, 2.0, 2.0, 2.1, 2.2, 2.2, 2.2]) * np.float32(scale)
        assert flying(np.tile(ramp, (5, 1)), 0.0).any()
        ramp[4:] += np.float32(0.1 * scale)
        assert flying(np.tile(ramp, (5, 1)), 0.04).any()
        assert not flying(np.tile(ramp, (5, 1)), 0.08).any()


def test_next_to_what_is_unknown_nothing_flies_and_next_to_the_sky_what_slopes_towards_it_does():
    assert flown(2, 2, 2, 2.5, NAN, 5, 5) == []
    assert flown(2, 2, 2, 9, INF, INF, INF) == [9]
    assert flown(-INF, -INF, -INF, 0.5, 2, 2, 2) == [0.5]
    assert flown(2, 2, 2, 2, INF, INF, INF) == []
    assert flown(INF, INF, INF, 2, INF, INF, INF) == []


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (4, 4), (5, 5), (1, 960), (7, 961)])
def test_an_image_of_any_size_has_a_mask(shape):
    assert flying(np.ones(shape, np.float32), JUMP).shape == shape
    assert not flying(np.ones(shape, np.float32), JUMP).any()


def test_pixels_that_are_compared_are_as_far_apart_as_the_image_is_large():
    assert [stride(480, width) for width in (1, 64, 320, 640, 1280, 1920)] == [1, 1, 1, 2, 4, 6]
    assert stride(1, 1280) == 1
    ramp = np.float32([2.0] * 9 + [2.33, 2.67] + [3.0] * 9)
    for far in (1, 2, 3):
        image = np.repeat(np.tile(ramp, (6, 1)), far, axis=1)
        image = np.pad(image, ((0, far), (0, 320 * far - image.shape[1])), mode='edge')
        found = flying(image, JUMP)
        assert found[: 6 // far * far, 9 * far : 11 * far].all()
        assert not found[:, 12 * far :].any()
        assert not found[:, : 8 * far].any()


def test_the_cloud_lacks_what_flies_and_nothing_else():
    depth = np.random.default_rng(0).uniform(1.0, 3.0, (48, 64)).astype(np.float32)
    depth[3, 4:7] = NAN, INF, -INF
    rays = Camera.from_hfov(64, 48, 60.0).rays()
    image = np.zeros((48, 64, 3), np.uint8)
    whole, masked = cloud(depth, rays, image), cloud(depth, rays, image, JUMP)
    gone = flying(depth, JUMP)
    assert 0.1 < gone.mean() < 0.9
    assert np.isnan(masked[gone][:, :3]).all()
    np.testing.assert_array_equal(masked[~gone], whole[~gone])
    np.testing.assert_array_equal(masked[..., 3], whole[..., 3])


@pytest.mark.parametrize('kind', [DepthKind.METRIC, DepthKind.RELATIVE])
def test_in_rendered_rooms_flying_points_go_and_good_ones_stay(kind):
    found = benchmark.shares(benchmark.views('256x192', kind, 2))
    assert found['flying_before'] > 0.002
    assert found['removed'] > 0.95
    assert found['lost'] < 0.01


@given(st.integers(0, 2**31), st.sampled_from([(64, 48), (97, 61), (200, 150), (31, 23)]))
def test_enlarging_never_leaves_the_range_of_the_neighbours(seed, size):
    """No overshoot, as a cubic would have it on both sides of an edge."""
    answer = np.random.default_rng(seed).choice(np.float32([0.5, 1.0, 7.0, 40.0]), (48, 64))
    width, height = size
    restored = Preprocessing(spec('bundled'), width, height, 64, 48).restore(answer)
    x, y = (
        (np.arange(length) + 0.5) * of / length - 0.5 for length, of in ((width, 64), (height, 48))
    )
    taps = [
        answer[np.clip(np.floor(y) + dy, 0, 47).astype(int)][
            :, np.clip(np.floor(x) + dx, 0, 63).astype(int)
        ]
        for dy in (0, 1)
        for dx in (0, 1)
    ]
    assert (restored >= np.min(taps, axis=0) * (1 - 1e-5)).all()
    assert (restored <= np.max(taps, axis=0) * (1 + 1e-5)).all()


def test_what_the_network_does_not_know_spreads_to_its_neighbours_alone():
    answer = np.full((48, 64), 2.0, np.float32)
    answer[20, 30] = NAN
    restored = Preprocessing(spec('bundled'), 640, 480, 64, 48).restore(answer)
    unknown = np.isnan(restored)
    rows, columns = np.nonzero(unknown)
    assert abs((rows + 0.5) / 10 - 20.5).max() <= 1.0
    assert abs((columns + 0.5) / 10 - 30.5).max() <= 1.0
    assert restored[~unknown] == pytest.approx(2.0)


def test_beyond_the_range_means_the_same_to_all_that_is_made_of_depth():
    """REP 117: NaN unknown, +Inf too far, -Inf too near."""
    said = np.tile(np.float32([[2.0, NAN, 50.0, 0.01]]).repeat(8, axis=1), (24, 1))
    depth = np.asarray(HOST.metres(said, None, 0.1, 20.0))
    np.testing.assert_array_equal(depth[0, ::8], np.float32([2.0, NAN, INF, -INF]))
    points = cloud(depth, Camera.from_hfov(32, 24, 60.0).rays(), np.zeros((24, 32, 3), np.uint8))
    assert np.isfinite(points[0, ::8, 2]).tolist() == [True, False, False, False]
    assert not np.isinf(points).any()
    assert depth_to_millimetres(depth)[0, ::8].tolist() == [2000, 0, 0, 0]
    cold, warm = (colorize(np.full((1, 1), end, np.float32), 0.3, 8.0) for end in (8.0, 0.3))
    painted = colorize(depth, 0.3, 8.0)[0, ::8]
    np.testing.assert_array_equal(painted[1:], [[0, 0, 0], cold[0, 0], warm[0, 0]])
    found = measure(
        DepthMap(
            Frame(np.zeros((24, 32, 3), np.uint8)), Prediction(said, DepthKind.METRIC), depth
        ),
        [3, 11, 19, 27],
        [9] * 4,
    )
    assert found.status.tolist() == [Status.OK, Status.INVALID, Status.TOO_FAR, Status.TOO_NEAR]


def test_the_benchmark_prints_its_figures_and_says_what_it_missed(tmp_path, capsys, monkeypatch):
    pytest.importorskip('matplotlib', reason='the picture needs matplotlib')
    monkeypatch.setattr(benchmark, 'WANTED_REMOVED', {'128x96': 0.3})
    monkeypatch.setattr(benchmark, 'BUDGET_MS', 50.0)
    picture, figures = tmp_path / 'edges.png', tmp_path / 'edges.json'
    given = ['--rooms', '1', '--picture', str(picture), '--json', str(figures)]
    assert benchmark.main(given) == 0
    assert 'cloud of 640×480' in capsys.readouterr().out
    assert cv2.imread(str(picture)).std() > 5.0
    monkeypatch.setattr(benchmark, 'WANTED_LOST', 0.0)
    assert not benchmark._holds(json.loads(figures.read_text()))
