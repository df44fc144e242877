# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered rooms: depth against the geometry itself, worked out in another way."""

import dataclasses

import cv2
import numpy as np
import pytest

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.synthetic import look, make_room, random_pose, render, trajectory
from depth_estimation_ros.synthetic.scene import Box, Sphere
from depth_estimation_ros.synthetic.textures import checker, make_bank, sample

LENS = (-0.12, 0.03, 0.001, -0.0008, 0.0)
PLAIN = Camera.from_hfov(80, 60, 62.0)
DISTORTED = dataclasses.replace(PLAIN, distortion_model='plumb_bob', distortion=LENS)


def outside_box(box, points):
    """Signed distance to a box, negative inside; points [3, N] in the room frame."""
    cos, sin = np.cos(box.yaw), np.sin(box.yaw)
    local = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) @ (points - box.center[:, None])
    excess = np.abs(local) - box.half[:, None]
    return np.linalg.norm(np.maximum(excess, 0), axis=0) + np.minimum(excess.max(axis=0), 0)


def clearance(room, points):
    """Signed distance of points [3, N] to the nearest surface of the room, negative inside."""
    walls = np.minimum(points, room.size[:, None] - points).min(axis=0)
    boxes = [outside_box(box, points) for box in room.boxes]
    balls = [
        np.linalg.norm(points - ball.center[:, None], axis=0) - ball.radius
        for ball in room.spheres
    ]
    return np.min([walls, *boxes, *balls], axis=0)


def bare_room(**contents):
    empty = {'boxes': (), 'spheres': (), 'decals': ()}
    return dataclasses.replace(make_room(3), noise=0.0, **(empty | contents))


@pytest.mark.parametrize('camera', [PLAIN, DISTORTED], ids=['pinhole', 'distorted'])
@pytest.mark.parametrize('seed', range(4))
def test_every_point_lies_on_the_first_surface_along_its_ray(camera, seed):
    room = make_room(seed)
    pose = random_pose(room, np.random.default_rng(seed))
    _, depth = render(room, camera, pose)
    v, u = np.mgrid[:60, :80].reshape(2, -1)
    rays = np.column_stack([camera.unproject(u, v), np.ones(u.size)])
    points = (depth.reshape(-1, 1) * rays) @ pose.rotation.T + pose.position
    assert np.abs(clearance(room, points.T)).max() < 1e-4
    for part in np.linspace(0.02, 0.98, 40):
        between = pose.position + part * (points - pose.position)
        assert clearance(room, between.T).min() > -1e-4


def test_distortion_is_that_of_opencv():
    room = make_room(1)
    _, depth = render(room, DISTORTED, random_pose(room, np.random.default_rng(1)))
    rays = DISTORTED.rays()
    points = np.dstack([rays * depth[..., None], depth]).reshape(-1, 3).astype(np.float64)
    pixels, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), DISTORTED.matrix, np.array(LENS)
    )
    v, u = np.mgrid[:60, :80]
    assert np.abs(pixels.reshape(60, 80, 2) - np.dstack([u, v])).max() < 1e-2


def test_black_and_unknown_where_the_lens_has_no_inverse():
    camera = dataclasses.replace(PLAIN, distortion_model='plumb_bob', distortion=(-0.9, 0, 0, 0))
    blind = np.isnan(camera.rays()).any(axis=2)
    room = make_room(2)
    image, depth = render(room, camera, random_pose(room, np.random.default_rng(0)))
    assert 0 < blind.sum() < blind.size
    np.testing.assert_array_equal(np.isnan(depth), blind)
    assert not image[blind].any()


def test_depth_of_a_ball_and_of_the_wall_behind():
    x, y, _ = bare_room().size
    ball = Sphere(np.array([2.0, y / 2, 1.0], np.float32), 0.25, 0)
    camera = Camera(81, 61, 60.0, 60.0, 40.0, 30.0)
    _, depth = render(bare_room(spheres=(ball,)), camera, look([0.5, y / 2, 1.0], 0.0))
    assert depth[30, 40] == pytest.approx(1.25, abs=1e-4)
    assert depth[30, 60] == pytest.approx(x - 0.5, abs=1e-4)


def test_a_box_turned_by_a_right_angle_swaps_its_sides():
    y = float(bare_room().size[1])
    center, half = np.array([2.0, y / 2, 0.5], np.float32), np.array([0.3, 0.1, 0.5], np.float32)
    camera = Camera(81, 61, 60.0, 60.0, 40.0, 30.0)
    pose = look([0.5, y / 2, 0.5], 0.0)
    fronts = [
        render(bare_room(boxes=(Box(center, half, yaw, 0),)), camera, pose)[1][30, 40]
        for yaw in (0.0, np.pi / 2)
    ]
    assert fronts == pytest.approx([1.2, 1.4], abs=1e-4)


def test_the_same_seed_gives_the_same_bytes():
    def picture(seed):
        room = make_room(seed)
        image, depth = render(room, PLAIN, random_pose(room, np.random.default_rng(seed)))
        return image.tobytes() + depth.tobytes()

    assert picture(7) == picture(7)
    assert picture(7) != picture(8)


def test_pictures_are_exposed_and_textured():
    for seed in range(4):
        room = make_room(seed)
        image, depth = render(room, PLAIN, random_pose(room, np.random.default_rng(seed)))
        assert image.shape == (60, 80, 3)
        assert image.dtype == np.uint8
        assert depth.dtype == np.float32
        assert 60 < image.mean() < 200
        assert image.std() > 5


def test_look_follows_the_optical_frame():
    right, down, forward = look([1, 2, 3], 0.0, pitch=0.1).rotation.T
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-12)
    assert forward[0] > 0.9
    assert forward[2] > 0
    assert down[2] < -0.9
    rotation = look([0, 0, 0], 0.7, 0.2, 0.3).rotation
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_trajectory_is_smooth_and_free():
    room = make_room(11)
    poses = trajectory(room, 120, speed=0.03)
    positions = np.array([pose.position for pose in poses])
    assert np.linalg.norm(np.diff(positions, axis=0), axis=1).max() <= 0.0301
    assert np.ptp(positions, axis=0).max() > 0.3
    assert clearance(room, positions.T).min() > 0.3
    headings = np.array([pose.rotation[:, 2] for pose in poses])
    assert (headings[1:] * headings[:-1]).sum(axis=1).min() > np.cos(0.03)
    again = trajectory(room, 120, speed=0.03)
    assert all((a.rotation == b.rotation).all() for a, b in zip(poses, again, strict=True))


def test_random_poses_stand_free_and_see_something():
    for seed in range(10):
        room = make_room(seed)
        pose = random_pose(room, np.random.default_rng(seed))
        assert clearance(room, pose.position[:, None])[0] > 0.3
        _, depth = render(room, PLAIN, pose)
        assert np.median(depth) > 1.0


def test_distant_patterns_fade_instead_of_aliasing():
    bank = make_bank([checker(np.random.default_rng(0))])
    u = np.random.default_rng(1).random(500).astype(np.float32)
    first = np.zeros(500, np.intp)
    near = sample(bank, first, u, u * 0.7, np.full(500, 0.001, np.float32))
    far = sample(bank, first, u, u * 0.7, np.full(500, 0.9, np.float32))
    assert near.std() > 40
    assert far.std() < 10
    assert far.mean() == pytest.approx(near.mean(), abs=12)
