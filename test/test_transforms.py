# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Transforms between frames, against OpenCV's rotations; refusals name frames and ages."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth_estimation_ros.transforms import Transform, Transforms

SECOND = 10**9


def turned(axis, angle, translation=(0.0, 0.0, 0.0)) -> Transform:
    axis = np.array(axis, float) / np.linalg.norm(axis)
    quaternion = [*(np.sin(angle / 2) * axis), np.cos(angle / 2)]
    return Transform.of(translation, quaternion)


def rodrigues(axis, angle) -> np.ndarray:
    axis = np.array(axis, float) / np.linalg.norm(axis)
    return cv2.Rodrigues(angle * axis)[0]


def test_rotation_inverse_and_composition_agree_with_matrices():
    points = np.random.default_rng(0).normal(size=(50, 3))
    a, b = turned((1, 2, -1), 0.7, (1, 2, 3)), turned((0, -1, 3), 2.9, (-2, 0, 1))
    np.testing.assert_allclose(a.matrix(), rodrigues((1, 2, -1), 0.7), atol=1e-12)
    np.testing.assert_allclose(a.after(b).apply(points), a.apply(b.apply(points)), atol=1e-12)
    np.testing.assert_allclose(a.inverse().apply(a.apply(points)), points, atol=1e-12)


def test_between_two_transforms_the_turn_is_even_and_takes_the_shorter_way():
    start, end = turned((0, 0, 1), 0.2), turned((0, 0, 1), 1.4, (4, 0, 0))
    far = Transform(end.translation, -end.rotation)  # the same rotation
    for other in (end, far):
        between = start.towards(other, 0.25)
        np.testing.assert_allclose(between.matrix(), rodrigues((0, 0, 1), 0.5), atol=1e-12)
        np.testing.assert_allclose(between.translation, (1, 0, 0))
    np.testing.assert_allclose(start.towards(start, 0.5).rotation, start.rotation, atol=1e-12)


@pytest.mark.parametrize(
    ('translation', 'rotation'),
    [((0, 0, 0), (0, 0, 0, 0)), ((0, 0, 0), (0, 0, 0, 2)), ((np.nan, 0, 0), (0, 0, 0, 1))],
)
def test_numbers_that_are_no_transform_are_refused(translation, rotation):
    with pytest.raises(ValueError, match='is no transform'):
        Transform.of(translation, rotation)


@pytest.fixture
def tree() -> Transforms:
    """base carries a camera, rigidly, and a lidar that turns at 1 rad/s."""
    tree = Transforms()
    tree.add('base', 'camera', 0, turned((1, 0, 0), -1.2, (0.1, 0, 0.3)), static=True)
    for tenths in range(11):
        stamp = 5 * SECOND + tenths * SECOND // 10
        tree.add('base', '/lidar', stamp, turned((0, 0, 1), tenths / 10, (0, 0, 1)))
    return tree


def test_a_chain_over_the_common_ancestor_is_interpolated(tree):
    points = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]])
    found = tree.lookup('camera', 'lidar', 5 * SECOND + 650_000_000).apply(points)
    in_base = points @ rodrigues((0, 0, 1), 0.65).T + (0, 0, 1)
    expected = (in_base - (0.1, 0, 0.3)) @ rodrigues((1, 0, 0), -1.2)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    exact = tree.lookup('base', 'lidar', 6 * SECOND)
    np.testing.assert_allclose(exact.matrix(), rodrigues((0, 0, 1), 1.0), atol=1e-12)
    np.testing.assert_allclose(tree.lookup('camera', 'camera', 0).apply(points), points)


def test_what_is_not_known_is_refused_with_frames_and_ages(tree):
    tree.add('map', 'tag', 0, turned((1, 0, 0), 0.0), static=True)
    for target, source, stamp, words in (
        ('nowhere', 'lidar', 5, ("'nowhere'", 'base, camera, lidar, map, tag')),
        ('camera', 'tag', 5, ('not connected', 'base', 'map', 'static_transform_publisher')),
        ('camera', 'lidar', 8, ('2.000 s newer than the newest', 'lidar in base')),
        ('camera', 'lidar', 1, ('4.000 s older than the oldest',)),
    ):
        with pytest.raises(ValueError, match=r'frame|transform') as refused:
            tree.lookup(target, source, stamp * SECOND)
        assert all(word in str(refused.value) for word in words), str(refused.value)
    with pytest.raises(ValueError, match='nothing arrives on /tf'):
        Transforms().lookup('a', 'b', 0)
    tree.add('lidar', 'base', 0, turned((1, 0, 0), 0.0))
    with pytest.raises(ValueError, match='ring'):
        tree.lookup('camera', 'lidar', 5 * SECOND)


def test_old_transforms_are_forgotten_and_a_clock_that_jumps_back_begins_anew(tree):
    still = turned((0, 0, 1), 0.0)
    tree.add('base', 'lidar', 14 * SECOND, still)
    tree.lookup('base', 'lidar', 10 * SECOND)
    tree.add('base', 'lidar', 17 * SECOND, still)
    with pytest.raises(ValueError, match='older than the oldest'):
        tree.lookup('base', 'lidar', 6 * SECOND)
    tree.add('base', 'lidar', 1 * SECOND, still)
    tree.lookup('base', 'lidar', 1 * SECOND)


def test_a_short_recording_that_begins_again_is_not_joined_with_its_end(tree):
    for x in (0.0, 5.0):
        for stamp in (20, 21, 23):
            tree.add('base', 'arm', stamp * SECOND, turned((0, 0, 1), 0.0, (x, 0.0, 0.0)))
    assert tree.lookup('base', 'arm', 22 * SECOND).translation[0] == 5.0
    tree.add('base', 'arm', 20 * SECOND, turned((0, 0, 1), 0.0, (9.0, 0.0, 0.0)))
    with pytest.raises(ValueError, match='newer than the newest'):
        tree.lookup('base', 'arm', 21 * SECOND)
    tree.add('base', 'arm', 20 * SECOND - SECOND // 2, turned((0, 0, 1), 0.0))  # merely late
    tree.lookup('base', 'arm', 20 * SECOND)


def test_the_optical_frame_of_a_camera_that_looks_ahead_down_or_left():
    ahead = Transform.optical([0.1, 0.0, 0.3, 0.0, 0.0, 0.0])
    point = [[0.2, 0.3, 2.0]]  # to the right, below, in front
    np.testing.assert_allclose(ahead.apply(point), [[2.1, -0.2, 0.0]], atol=1e-12)
    down = Transform.optical([0.0, 0.0, 0.0, 0.0, np.pi / 2, 0.0])
    np.testing.assert_allclose(down.apply([[0.0, 0.0, 1.0]]), [[0.0, 0.0, -1.0]], atol=1e-12)
    left = Transform.optical([0.0, 0.0, 0.0, 0.0, np.pi / 2, np.pi / 2])  # about y, then z
    np.testing.assert_allclose(left.apply([[0.0, -1.0, 0.0]]), [[0.0, 1.0, 0.0]], atol=1e-12)
    rolled = Transform.optical([0.0, 0.0, 0.0, np.pi / 2, 0.0, 0.0])
    np.testing.assert_allclose(rolled.apply([[1.0, 0.0, 0.0]]), [[0.0, 0.0, -1.0]], atol=1e-12)
    with pytest.raises(ValueError, match='x y z roll pitch yaw, not 2 numbers'):
        Transform.optical([1.0, 2.0])
