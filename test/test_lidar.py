# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.gate import Gate
from depth_estimation_ros.references.lidar import LidarOptions, lidar

CAMERA = Camera(320, 240, 260.0, 262.0, 161.0, 118.0, 'plumb_bob', (-0.3, 0.05, 0.0, 0.0, 0.0))
OPTIONS = LidarOptions()
PLATE = np.s_[60:180, 100:200]  # of the image, 1 m away before a wall at 4 m


def scene():
    depth = np.full((240, 320), 4.0)
    depth[PLATE] = 1.0
    depth[200:] = np.linspace(4.0, 2.0, 40)[:, None]
    return depth


def seen(depth, scale=3.0, shift=0.02):
    said = ((1.0 / depth - shift) / scale).astype(np.float32)
    frame = Frame(np.zeros((*depth.shape, 3), np.uint8), camera=CAMERA)
    return DepthMap(frame, Prediction(said, DepthKind.RELATIVE), None)


def points_at(u, v, z):
    """[N, 3] m in the optical frame."""
    return np.insert(CAMERA.unproject(u, v), 2, 1.0, axis=1) * np.asarray(z, float)[:, None]


def cloud(depth, step=5, seed=0):
    """A point for every few pixels, rows farther apart than columns, with 1 cm of noise."""
    v, u = (grid.ravel() for grid in np.mgrid[2:240:step, 1:320:2])
    noise = np.random.default_rng(seed).normal(0.0, 0.01, len(u))
    return points_at(u, v, depth[v, u] + noise)


def test_points_fall_on_their_pixels_through_the_lens():
    depth = scene()
    found = lidar(seen(depth), cloud(depth), OPTIONS)
    at = depth[np.rint(found.v).astype(int), np.rint(found.u).astype(int)]
    assert np.median(np.abs(found.depth - at)) < 0.02
    assert (np.abs(found.depth - at) < 0.05).mean() > 0.99
    assert found.source == 'lidar'
    assert len(found.u) == 2000
    assert 90 <= found.independent <= 108
    fit = fit_to(found, seen(depth))
    assert (fit.scale, fit.shift) == pytest.approx((3.0, 0.02), rel=0.03)


def test_what_the_lidar_sees_behind_a_near_thing_is_left_out():
    """From its own place, it sees the wall where the camera sees the plate."""
    depth = scene()
    v, u = (grid.ravel() for grid in np.mgrid[70:170:5, 110:190:3])
    hidden = points_at(u, v, np.full(len(u), 4.0))
    found = lidar(seen(depth), np.concatenate([cloud(depth), hidden]), OPTIONS)
    behind = (np.abs(found.v - 120) < 45) & (np.abs(found.u - 150) < 35)
    assert behind.sum() > 50
    assert (found.depth[behind] < 1.1).all()


def test_one_stray_before_a_wall_hides_nothing_and_is_left_out():
    depth = np.full((240, 320), 4.0)
    stray = points_at([150.0], [120.0], [0.5])
    found = lidar(seen(depth), np.concatenate([cloud(depth), stray]), OPTIONS)
    assert found.depth.min() > 3.5
    near = np.hypot(found.u - 150, found.v - 120) < 15
    assert near.sum() > 10


def test_points_far_outside_the_field_of_view_are_not_folded_into_the_image():
    depth = scene()
    angles = np.radians(np.linspace(60.0, 89.0, 400))
    aside = np.column_stack([np.sin(angles), np.zeros(400), np.cos(angles)]) * 30.0
    with pytest.raises(ValueError, match='none of 400 points ahead of the camera falls into'):
        lidar(seen(depth), aside, OPTIONS)


def test_points_without_numbers_behind_too_near_and_too_far_are_left_out():
    depth = scene()
    good = cloud(depth)
    bad = np.concatenate([good * -1.0, good * 0.01, good * 1000.0, np.full((50, 3), np.nan)])
    alone, among = (
        lidar(seen(depth), points, OPTIONS) for points in (good, np.concatenate([good, bad]))
    )
    np.testing.assert_allclose(np.sort(among.depth), np.sort(alone.depth))


def test_where_the_network_knows_nothing_there_are_no_references():
    depth = scene()
    depth_map = seen(depth)
    depth_map.prediction.values[:, :160] = np.nan
    found = lidar(depth_map, cloud(depth), OPTIONS)
    assert found.u.min() >= 159.5
    depth_map.prediction.values[:] = np.nan
    with pytest.raises(ValueError, match=r'the network knows nothing there.*transform'):
        lidar(depth_map, cloud(depth), OPTIONS)


@pytest.mark.parametrize(
    ('points', 'said'),
    [
        (np.zeros((0, 3)), r'holds no point \(0 without numbers\)'),
        (np.full((7, 3), np.nan), r'holds no point \(7 without numbers\)'),
        (np.tile([0.1, 0.1, -2.0], (9, 1)), r'none of 9 points lies .*optical frame'),
        (np.tile([9.0, 0.1, 1.0], (9, 1)), 'none of 9 points ahead of the camera falls into'),
        (np.zeros((5, 4)), r'\[N, 3\] metres, not \(5, 4\)'),
        (points_at([50.0, 150.0], [50.0, 150.0], [1.0, 2.0]), '2 points .* 0 lie on surfaces'),
    ],
)
def test_a_cloud_that_tells_nothing_is_refused(points, said):
    with pytest.raises(ValueError, match=said):
        lidar(seen(scene()), points, OPTIONS)


def test_without_intrinsics_nothing_can_be_said():
    depth_map = seen(scene())
    bare = dataclasses.replace(depth_map, frame=Frame(depth_map.frame.image))
    with pytest.raises(ValueError, match='needs the intrinsics'):
        lidar(bare, cloud(scene()), OPTIONS)


def test_a_wrong_transform_contradicts_the_network_and_is_refused():
    """Half of the image is told depths that are not its own."""
    depth = scene()
    wrong = depth.copy()
    wrong[:, 160:] = np.linspace(0.5, 2.5, 160)
    found = lidar(seen(depth), cloud(wrong), OPTIONS)
    with pytest.raises(ValueError, match=r'only \d+ of \d+ references agree'):
        Gate(OPTIONS).check(fit_to(found, seen(depth)), seen(depth))
