# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import math

import cv2
import numpy as np
import pytest

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.ground import GroundOptions, ground

CAMERA = Camera(320, 240, 260.0, 262.0, 161.0, 118.0, 'plumb_bob', (-0.1, 0.02, 0.0, 0.0, 0.0))
RAYS = np.concatenate([CAMERA.rays(), np.ones((240, 320, 1), np.float32)], axis=2).astype(float)
RELATIVE, METRIC = DepthKind.RELATIVE, DepthKind.METRIC


def gravity(pitch, roll=0.0):
    p, r = math.radians(pitch), math.radians(roll)
    return np.array([math.sin(r) * math.cos(p), math.cos(r) * math.cos(p), math.sin(p)])


def planes(pitch, roll=0.0, height=1.0, wall=6.0, table=None):
    """Exact depth of a floor that ends at a wall, [H, W] m; a table of a height hides it left."""
    down = gravity(pitch, roll)
    across = np.cross(down, [0.0, 0.0, 1.0])
    ahead = np.cross(across / np.linalg.norm(across), down)
    with np.errstate(divide='ignore'):
        depth = wall / np.maximum(RAYS @ ahead, 1e-6)
        for h, where in ((height, np.s_[:]), (height - (table or 0.0), np.s_[:, :170])):
            below = RAYS[where] @ down
            depth[where] = np.minimum(depth[where], np.where(below > 0, h / below, np.inf))
    return depth


def seen(depth, kind=RELATIVE, scale=3.0, shift=0.02, noise=0.02, seed=0):
    """What a network says of it: right up to scale and shift, and noise."""
    grain = np.random.default_rng(seed).standard_normal(depth.shape)
    grain = cv2.GaussianBlur(grain, (0, 0), 2.0)
    error = 1.0 + noise * grain / grain.std()
    said = (error / depth - shift) / scale if kind is RELATIVE else depth * error / scale
    frame = Frame(np.zeros((*depth.shape, 3), np.uint8), camera=CAMERA)
    return DepthMap(frame, Prediction(said.astype(np.float32), kind), None)


@pytest.mark.parametrize(
    ('kind', 'pitch', 'roll'), [(RELATIVE, 12, 0), (RELATIVE, -4, 5), (METRIC, 30, -3)]
)
def test_the_height_of_the_camera_gives_the_scale(kind, pitch, roll):
    depth = planes(pitch, roll)
    depth_map = seen(depth, kind)
    found = ground(depth_map, 1.0, GroundOptions(pitch=pitch, roll=roll))
    v, u = found.v.astype(int), found.u.astype(int)
    np.testing.assert_allclose(found.depth, depth[v, u], rtol=1e-5)  # floor, and nothing but it
    fit = fit_to(found, depth_map)
    assert fit.scale == pytest.approx(3.0, rel=0.02)
    assert found.source == 'ground'
    assert 20 < found.independent <= 108
    assert len(found.u) <= 2000


def test_an_error_of_the_height_is_one_of_the_scale_and_nothing_more():
    depth_map = seen(planes(10), METRIC, noise=0.0)
    exact, higher = (
        fit_to(ground(depth_map, height, GroundOptions(pitch=10)), depth_map).scale
        for height in (1.0, 1.01)
    )
    assert exact == pytest.approx(3.0, rel=1e-4)
    assert higher / exact == pytest.approx(1.01, rel=1e-6)


def test_gravity_comes_from_tf_too_and_a_given_pitch_counts_before_it():
    depth_map = seen(planes(15, 4))
    given = ground(depth_map, 1.0, GroundOptions(pitch=15, roll=4))
    told = ground(depth_map, 1.0, GroundOptions(), 9.81 * gravity(15, 4))
    np.testing.assert_allclose(told.depth, given.depth)
    both = ground(depth_map, 1.0, GroundOptions(pitch=15, roll=4), gravity(-20))
    np.testing.assert_allclose(both.depth, given.depth)


def test_a_metric_model_alone_is_told_how_far_a_camera_may_lean():
    with pytest.raises(ValueError, match=r'within 35 degrees of .* a level camera'):
        ground(seen(planes(60), METRIC), 1.0, GroundOptions())


@pytest.mark.parametrize('pitch', [75, 85, 88, 90])
def test_a_camera_may_look_straight_down(pitch):
    depth_map = seen(planes(pitch), METRIC)
    found = ground(depth_map, 1.0, GroundOptions(pitch=pitch))
    assert fit_to(found, depth_map).scale == pytest.approx(3.0, rel=0.02)


def test_a_roll_without_a_pitch_is_not_left_out_in_silence():
    with pytest.raises(ValueError, match='roll of 4 degrees needs the pitch'):
        GroundOptions(roll=4.0)


def test_a_metric_model_tells_gravity_itself():
    depth_map = seen(planes(18, 3), METRIC)
    found = ground(depth_map, 1.0, GroundOptions())
    assert fit_to(found, depth_map).scale == pytest.approx(3.0, rel=0.02)
    assert 'degrees, as the network has it: give the pitch if it is known' in found.remark
    pitch = float(found.remark.split(' by ')[1].split()[0])
    assert pitch == pytest.approx(18.0, abs=1.5)


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
def test_a_table_over_the_ground_is_not_the_ground(kind):
    depth = planes(20, table=0.6)
    depth_map = seen(depth, kind)
    found = ground(depth_map, 1.0, GroundOptions(pitch=20))
    v, u = found.v.astype(int), found.u.astype(int)
    np.testing.assert_allclose(found.depth, depth[v, u], rtol=1e-5)


@pytest.mark.parametrize('pitch', [-15, 0, 25])
@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
def test_a_wall_close_up_is_not_the_ground(kind, pitch):
    wall = planes(pitch, height=100.0, wall=0.5)
    with pytest.raises(ValueError, match='point the camera at more free ground'):
        ground(seen(wall, kind), 1.0, GroundOptions(pitch=pitch))


def test_a_wall_close_up_is_not_the_ground_for_a_model_that_tells_gravity():
    with pytest.raises(ValueError, match='point the camera at more free ground'):
        ground(seen(planes(0, height=100.0, wall=0.5), METRIC), 1.0, GroundOptions())


def test_nothing_that_is_flat_is_refused_with_its_share():
    clutter = np.random.default_rng(0).uniform(0.5, 4.0, (24, 32)).repeat(10, 0).repeat(10, 1)
    with pytest.raises(ValueError, match=r'only \d+% of the image .* min_share is 25%'):
        ground(seen(clutter), 1.0, GroundOptions(pitch=10))


def test_a_relative_model_needs_gravity():
    with pytest.raises(ValueError, match='give the pitch of the camera, or a TF'):
        ground(seen(planes(10)), 1.0, GroundOptions())


@pytest.mark.parametrize('height', [0.0, -1.0, math.nan, math.inf])
def test_a_height_that_is_none_is_refused(height):
    with pytest.raises(ValueError, match=f'{height:g} m above the ground'):
        ground(seen(planes(10)), height, GroundOptions(pitch=10))


def test_without_intrinsics_nothing_can_be_said():
    depth_map = seen(planes(10))
    bare = DepthMap(Frame(depth_map.frame.image), depth_map.prediction, None)
    with pytest.raises(ValueError, match=r'needs the intrinsics.*camera\.hfov'):
        ground(bare, 1.0, GroundOptions(pitch=10))


def test_a_horizon_below_the_image_is_refused():
    with pytest.raises(ValueError, match=r'horizon lies below the image.*positive when'):
        ground(seen(planes(10)), 1.0, GroundOptions(pitch=-60))


@pytest.mark.parametrize('down', [(0, 0, 0), (0, 1), (0, math.nan, 1)])
def test_gravity_without_a_direction_is_refused(down):
    with pytest.raises(ValueError, match='gravity is a vector'):
        ground(seen(planes(10)), 1.0, GroundOptions(), down)


def test_an_answer_that_knows_nothing_holds_no_ground():
    depth_map = seen(np.full((240, 320), np.nan))
    with pytest.raises(ValueError, match='knows nothing of this image'):
        ground(depth_map, 1.0, GroundOptions(pitch=10))
