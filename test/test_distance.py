# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.distance import Status, measure, predictions
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction

CAMERA = Camera(64, 48, 60.0, 62.0, 31.0, 24.5, 'plumb_bob', (-0.25, 0.08, 0.002, -0.001, 0.01))
INF, NAN = np.inf, np.nan


def depth_map(depth, camera=CAMERA, calibration=None):
    """A depth map of these metres, seen by a network that says 1/Z."""
    depth = np.asarray(depth, np.float32)
    frame = Frame(np.zeros((*depth.shape, 3), np.uint8), camera=camera)
    with np.errstate(divide='ignore'):
        prediction = Prediction(1.0 / depth, DepthKind.RELATIVE)
    return DepthMap(frame, prediction, depth, calibration)


def ramp():
    """Every pixel has its own depth."""
    return np.linspace(1.0, 4.0, 48 * 64, dtype=np.float32).reshape(48, 64)


def fitted(noise):
    z = np.linspace(0.5, 5.0, 20)
    noisy = z * (1 + noise * np.random.default_rng(0).standard_normal(20))
    return Calibration(fit(1.0 / z, noisy, DepthKind.RELATIVE), 'any', CAMERA, 0)


def calibration():
    """One that is certain, so that all standard deviation comes of the depth."""
    found = fitted(0.0)
    certain = dataclasses.replace(found.fit, covariance=(0.0, 0.0, 0.0), noise=0.0)
    return dataclasses.replace(found, fit=certain)


def test_depth_distance_and_point_are_those_of_the_ray():
    u, v = np.array([0.0, 31.0, 63.0, 12.0]), np.array([0.0, 24.0, 47.0, 40.0])
    depth = ramp()
    found = measure(depth_map(depth), u, v, window=1)
    coefficients = np.array(CAMERA.distortion)
    pixels = np.stack([u, v], axis=-1)[:, None]
    # Iterated to the end: OpenCV's default of five steps is coarser than what is tested here.
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    rays = cv2.undistortPoints(pixels, CAMERA.matrix, coefficients, criteria=criteria)[:, 0]
    z = depth[v.astype(int), u.astype(int)].astype(np.float64)
    points = np.column_stack([rays * z[:, None], z])
    np.testing.assert_array_equal(found.depth, z)
    np.testing.assert_allclose(found.points, points, rtol=1e-6)
    np.testing.assert_allclose(found.distance, np.linalg.norm(points, axis=1), rtol=1e-6)
    assert found.status.tolist() == [Status.OK] * 4
    assert found.status.dtype == np.uint8


@given(st.floats(-0.5, 63.49), st.floats(-0.5, 47.49))
def test_a_point_projects_onto_the_pixel_that_was_asked_for(u, v):
    found = measure(depth_map(ramp()), [u], [v])
    np.testing.assert_allclose(CAMERA.project(found.points), [[u, v]], atol=1e-4)


def test_between_centres_the_nearest_pixel_answers():
    found = measure(depth_map(ramp()), [9.51, 10.0, 10.49], [5.0, 4.51, 5.49], window=1)
    np.testing.assert_array_equal(found.depth, ramp()[5, 10])


@pytest.mark.parametrize(('window', 'half'), [(1, 0), (2, 1), (3, 1), (5, 2), (9, 4), (99, 49)])
@pytest.mark.parametrize('pixel', [(0, 0), (63, 0), (0, 47), (63, 47), (30, 20), (62, 1)])
def test_the_window_is_an_odd_square_clipped_at_borders(window, half, pixel):
    depth = np.random.default_rng(1).uniform(1.0, 2.0, (48, 64)).astype(np.float32)
    x, y = pixel
    square = depth[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
    found = measure(depth_map(depth), [x], [y], window)
    assert np.count_nonzero(square <= found.depth[0]) == square.size // 2 + 1  # the upper median


@pytest.mark.parametrize(
    ('u', 'v'), [(-0.51, 5), (63.5, 5), (5, -0.51), (5, 47.5), (NAN, 5), (5, INF), (-1e30, 5)]
)
def test_a_pixel_outside_the_image_has_no_distance(u, v):
    found = measure(depth_map(ramp(), calibration=calibration()), [u, 5.0], [v, 5.0])
    assert found.status.tolist() == [Status.OUTSIDE_IMAGE, Status.OK]
    for values in (found.depth, found.distance, found.std_dev, found.points[:, 2]):
        assert np.isnan(values).tolist() == [True, False]


@pytest.mark.parametrize(
    ('values', 'status', 'depth'),
    [
        ([2.0] * 9, Status.OK, 2.0),
        ([NAN] * 5 + [2.0] * 4, Status.INVALID, NAN),
        ([NAN] * 4 + [2.0] * 5, Status.OK, 2.0),
        ([INF] * 5 + [2.0] * 4, Status.TOO_FAR, NAN),
        ([INF] * 4 + [2.0] * 5, Status.OK, 2.0),
        ([-INF] * 5 + [2.0] * 4, Status.TOO_NEAR, NAN),
        ([-INF] * 4 + [2.0] * 5, Status.OK, 2.0),
        ([-INF] * 4 + [2.0] + [INF] * 4, Status.OK, 2.0),
        ([NAN] * 9, Status.INVALID, NAN),
        ([NAN] * 4 + [INF] * 4 + [2.0], Status.TOO_FAR, NAN),
    ],
)
def test_the_majority_of_the_window_decides(values, status, depth):
    image = np.full((48, 64), 9.0)
    image[10:13, 20:23] = np.random.default_rng(2).permutation(values).reshape(3, 3)
    found = measure(depth_map(image, calibration=calibration()), [21.0], [11.0], window=3)
    assert found.status[0] == status
    np.testing.assert_array_equal(found.depth, [depth])
    assert np.isfinite(found.distance[0]) == np.isfinite(found.std_dev[0]) == (status == Status.OK)
    assert not np.isinf(found.std_dev[0])


def test_without_intrinsics_depth_is_known_and_distance_is_not():
    found = measure(depth_map(ramp(), camera=None), [3.0], [4.0], window=1)
    assert found.status[0] == Status.OK
    assert found.depth[0] == ramp()[4, 3]
    assert np.isnan(found.distance).all()
    assert np.isnan(found.points).all()


def test_a_ray_that_the_lens_does_not_have_has_no_distance():
    strong = dataclasses.replace(CAMERA, distortion=(-1.5, 0.0, 0.0, 0.0))
    found = measure(depth_map(ramp(), camera=strong), [0.0, 31.0], [0.0, 24.0])
    assert np.isnan(found.distance).tolist() == [True, False]
    assert np.isfinite(found.depth).all()


def test_only_a_calibration_tells_the_standard_deviation():
    assert np.isnan(measure(depth_map(ramp()), [3.0], [4.0]).std_dev).all()


def test_where_there_is_no_depth_there_is_no_standard_deviation():
    beyond = np.full((48, 64), INF)  # 1/Z is -0.01 there under a shift of -0.01
    shifted = fitted(0.05)
    beside = dataclasses.replace(shifted.fit, shift=-0.01)
    shifted = dataclasses.replace(shifted, fit=beside)
    found = measure(depth_map(beyond, calibration=shifted), [3.0], [4.0])
    assert found.status[0] == Status.TOO_FAR
    assert np.isnan(found.std_dev[0])


def test_the_standard_deviation_grows_with_the_residual_of_the_fit():
    told = [
        measure(depth_map(ramp(), calibration=fitted(noise)), [3.0], [4.0], 1).std_dev[0]
        for noise in (0.0, 0.02, 0.05, 0.1)
    ]
    assert told == sorted(told)
    assert told[0] / ramp()[4, 3] < 0.02  # twenty references do not say that there is no noise
    assert told[2] / ramp()[4, 3] == pytest.approx(0.05, rel=0.5)


def test_the_standard_deviation_grows_with_the_spread_in_the_window():
    """Of a normally distributed window the spread is one sigma."""
    depth = np.random.default_rng(3).normal(3.0, 0.1, (48, 64))
    found = measure(depth_map(depth, calibration=calibration()), [31.0], [24.0], 47)
    assert found.std_dev[0] == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize('share', [0.3, 0.5, 0.7])
def test_a_window_with_two_surfaces_says_half_of_the_step(share):
    """At an edge the answer is a depth of one of them, and says that it may be the other's."""
    depth = np.full((48, 64), 2.0)
    depth[:, 31 : 31 + round(share * 10)] = 4.0
    found = measure(depth_map(depth, calibration=calibration()), [31.0], [24.0], 9)
    assert found.depth[0] in (2.0, 4.0)
    assert found.std_dev[0] == pytest.approx(1.0, rel=1e-6)


def test_one_stray_pixel_is_no_spread():
    depth = np.full((48, 64), 2.0)
    depth[24, 31] = 4.0
    found = measure(depth_map(depth, calibration=calibration()), [31.0], [24.0], 5)
    assert found.depth[0] == 2.0
    assert found.std_dev[0] == pytest.approx(0.0, abs=1e-6)


def later(first, milliseconds, depth):
    """The same camera and calibration after a while."""
    shown = depth_map(depth, calibration=first.calibration)
    frame = dataclasses.replace(shown.frame, stamp=milliseconds * 1_000_000)
    return dataclasses.replace(shown, frame=frame)


def test_the_standard_deviation_grows_with_what_wavers_over_time():
    rng = np.random.default_rng(4)
    now = depth_map(np.full((48, 64), 3.0), calibration=calibration())
    frames = [later(now, -20 * i, np.full((48, 64), rng.normal(3.0, 0.1))) for i in range(40)]
    assert measure(now, [31.0], [24.0]).std_dev[0] == pytest.approx(0.0, abs=1e-6)
    told = measure(now, [31.0], [24.0], history=[now, *frames])
    assert told.std_dev[0] == pytest.approx(0.1, rel=0.25)
    assert told.depth[0] == 3.0


def test_one_frame_that_went_wrong_is_no_wavering():
    now = depth_map(np.full((48, 64), 3.0), calibration=calibration())
    frames = [later(now, -10 * i, np.full((48, 64), 9.0 if i == 2 else 3.0)) for i in range(5)]
    assert measure(now, [31.0], [24.0], history=frames).std_dev[0] == pytest.approx(0.0, abs=1e-6)


def test_what_moves_makes_the_standard_deviation_larger_and_nothing_makes_it_smaller():
    now = depth_map(ramp(), calibration=fitted(0.05))
    u, v = np.meshgrid(np.arange(0.0, 64.0, 7.0), np.arange(0.0, 48.0, 7.0))
    alone = measure(now, u.ravel(), v.ravel()).std_dev
    moved = [later(now, -100 * i, ramp() + 0.1 * i) for i in range(1, 6)]
    assert (measure(now, u.ravel(), v.ravel(), history=moved).std_dev > alone).all()
    still = [later(now, -100 * i, ramp()) for i in range(1, 6)]
    np.testing.assert_array_equal(measure(now, u.ravel(), v.ravel(), history=still).std_dev, alone)


def test_frames_of_long_ago_and_of_another_calibration_do_not_count():
    now = depth_map(np.full((48, 64), 3.0), calibration=calibration())
    other = depth_map(np.full((48, 64), 9.0), calibration=calibration())
    relative = dataclasses.replace(other, depth=None, calibration=None)
    old = later(now, -1001, np.full((48, 64), 9.0))
    unknown = later(now, -5, np.full((48, 64), NAN))
    told = measure(now, [31.0], [24.0], history=[other, relative, old, unknown])
    assert told.std_dev[0] == pytest.approx(0.0, abs=1e-6)
    counted = measure(now, [31.0], [24.0], history=[later(now, -999, np.full((48, 64), 9.0))])
    assert counted.std_dev[0] > 1.0


@pytest.mark.alone
def test_a_thousand_pixels_are_answered_at_once():
    depth = np.random.default_rng(5).uniform(1.0, 5.0, (480, 640))
    now = depth_map(depth, CAMERA.scaled(640, 480), calibration())
    u, v = np.random.default_rng(6).uniform(0.0, (639.0, 479.0), (1000, 2)).T
    took = []
    for _ in range(5):
        start = time.process_time()
        found = measure(now, u, v)
        took.append(time.process_time() - start)
    assert min(took) < 0.010
    chosen = [measure(now, [u[i]], [v[i]]) for i in range(0, 1000, 100)]
    np.testing.assert_array_equal(found.depth[::100], [one.depth[0] for one in chosen])
    np.testing.assert_array_equal(found.std_dev[::100], [one.std_dev[0] for one in chosen])


def test_windows_too_many_to_gather_at_once_are_answered_all_the_same():
    depth = np.random.default_rng(7).uniform(1.0, 5.0, (120, 160)).astype(np.float32)
    u, v = np.random.default_rng(8).uniform(50.0, 69.0, (120, 2)).T  # 2**20 / 99**2 is 107
    found = measure(depth_map(depth, camera=None), u, v, 99)
    x, y = np.floor(u + 0.5).astype(int), np.floor(v + 0.5).astype(int)
    wanted = [
        np.median(depth[b - 49 : b + 50, a - 49 : a + 50]) for a, b in zip(x, y, strict=True)
    ]
    np.testing.assert_array_equal(found.depth, wanted)


def test_predictions_are_medians_of_what_the_network_says():
    values = 1.0 / ramp()
    found = predictions(depth_map(ramp()), [10.0, 99.0], [20.0, 5.0], window=3)
    assert found[0] == np.median(values[19:22, 9:12])
    assert np.isnan(found[1])


def test_relative_depth_is_refused():
    relative = dataclasses.replace(depth_map(ramp()), depth=None)
    with pytest.raises(ValueError, match='without a calibration'):
        measure(relative, [1.0], [1.0])


def test_pixels_must_pair_up():
    with pytest.raises(ValueError, match='2 and 1 given'):
        measure(depth_map(ramp()), [1.0, 2.0], [1.0])


def test_a_scale_that_drifts_makes_it_less_sure():
    kept = depth_map(np.full((48, 64), 2.0), calibration=fitted(0.02))
    drifted = dataclasses.replace(kept, drift=0.1)
    before, after = (measure(one, [30], [20]).std_dev for one in (kept, drifted))
    np.testing.assert_allclose(after, np.sqrt(before**2 + 0.2**2))
