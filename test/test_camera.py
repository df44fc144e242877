# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depth_estimation_ros.camera import Camera

PINHOLE = Camera(64, 48, 55.0, 57.0, 30.2, 25.1)
PLUMB_BOB = (-0.28, 0.07, 0.0012, -0.0018, 0.002)
RATIONAL = (0.4, 0.1, 0.001, -0.002, 0.01, 0.6, 0.2, 0.03)
PRISM = (*RATIONAL, 0.001, -0.0005, 0.0008, 0.0003)
TILTED = (*PRISM, 0.02, -0.01)
EQUIDISTANT = (0.05, -0.01, 0.003, -0.0005)


def number(low, high):
    return st.floats(low, high, allow_subnormal=False)


# The distortion of real lenses, over the field of view where OpenCV's iteration converges too.
plumb_bob = st.tuples(
    number(-0.3, 0.3), number(-0.05, 0.05), number(-0.005, 0.005), number(-0.005, 0.005),
    number(-0.01, 0.01),
).map(lambda d: ('plumb_bob', d))  # fmt: skip
rational = st.tuples(
    number(-0.2, 0.2), number(-0.05, 0.05), number(-0.005, 0.005), number(-0.005, 0.005),
    number(-0.01, 0.01), number(-0.1, 0.1), number(-0.05, 0.05), number(-0.01, 0.01),
).map(lambda d: ('rational_polynomial', d))  # fmt: skip
equidistant = st.tuples(*[number(-0.03, 0.03)] * 4).map(lambda d: ('equidistant', d))
lenses = st.one_of(plumb_bob, rational, equidistant, st.just(('', ())))


@st.composite
def cameras(draw):
    width, height = draw(st.integers(2, 2000)), draw(st.integers(2, 2000))
    model, distortion = draw(lenses)
    fx, fy = draw(number(0.5, 2.0)) * width, draw(number(0.5, 2.0)) * width
    cx, cy = draw(number(0.3, 0.7)) * width, draw(number(0.3, 0.7)) * height
    return Camera(width, height, fx, fy, cx, cy, model, distortion)


IDEAL = np.stack(np.meshgrid(np.linspace(-0.55, 0.55, 9), np.linspace(-0.4, 0.4, 7)), -1)
IDEAL = IDEAL.reshape(-1, 2)
POINTS = np.column_stack([IDEAL, np.ones(len(IDEAL))])
POINTS *= np.linspace(0.3, 20.0, len(IDEAL))[:, None]


def opencv_undistorted(camera, pixels):
    """X/Z and Y/Z as OpenCV finds them, iterated until it stands still."""
    if camera.distortion_model == 'equidistant':
        k = np.array(camera.distortion)
        return cv2.fisheye.undistortPoints(pixels[:, None], camera.matrix, k)[:, 0]
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-12)
    d = np.array(camera.distortion or (0.0,) * 5)
    if hasattr(cv2, 'undistortPointsIter'):  # OpenCV 4
        arguments = (pixels[:, None], camera.matrix, d, None, None, criteria)
        return cv2.undistortPointsIter(*arguments)[:, 0]
    return cv2.undistortPoints(pixels[:, None], camera.matrix, d, criteria=criteria)[:, 0]


@settings(max_examples=100)
@given(cameras())
def test_unproject_undoes_project_and_agrees_with_opencv(camera):
    pixels = camera.project(POINTS)
    np.testing.assert_allclose(camera.unproject(*pixels.T), IDEAL, atol=1e-7)
    np.testing.assert_allclose(opencv_undistorted(camera, pixels), IDEAL, atol=1e-5)


@pytest.mark.parametrize(
    ('model', 'distortion'),
    [
        ('plumb_bob', PLUMB_BOB),
        ('plumb_bob', PLUMB_BOB[:4]),
        ('rational_polynomial', RATIONAL),
        ('rational_polynomial', PRISM),
        ('rational_polynomial', TILTED),
        ('equidistant', EQUIDISTANT),
    ],
)
def test_every_pixel_agrees_with_opencv(model, distortion):
    camera = Camera(64, 48, 50.0, 51.0, 31.0, 24.5, model, distortion)
    v, u = np.mgrid[:48, :64]
    pixels = np.stack([u.ravel(), v.ravel()], axis=-1).astype(float)
    rays = camera.rays().reshape(-1, 2)
    np.testing.assert_allclose(rays, opencv_undistorted(camera, pixels), atol=1e-5)


@pytest.mark.parametrize(('model', 'distortion'), [('plumb_bob', PLUMB_BOB), ('', ())])
def test_projection_agrees_with_opencv(model, distortion):
    camera = Camera(64, 48, 50.0, 51.0, 31.0, 24.5, model, distortion)
    d = np.array(distortion or [0.0])
    d = d if len(d) > 1 else None
    expected, _ = cv2.projectPoints(POINTS, np.zeros(3), np.zeros(3), camera.matrix, d)
    np.testing.assert_allclose(camera.project(POINTS), expected[:, 0], atol=1e-9)


def test_no_ray_where_the_distortion_has_no_inverse():
    camera = Camera(201, 151, 100.0, 100.0, 100.0, 75.0, 'plumb_bob', (-0.3, 0.0, 0.0, 0.0))
    rays = camera.rays()
    v, u = np.mgrid[:151, :201]
    # r - 0.3 r^3 grows up to r = 1 / sqrt(0.9), where it is 0.7027: no light reaches beyond.
    radius = np.hypot(u - 100.0, v - 75.0) / 100.0
    np.testing.assert_array_equal(np.isnan(rays).any(axis=2), radius > 0.70272837)
    seen = np.isfinite(rays).all(axis=2)
    points = np.column_stack([rays[seen], np.ones(seen.sum())])
    expected = np.stack([u[seen], v[seen]], axis=-1)
    np.testing.assert_allclose(camera.project(points), expected, atol=1e-3)


def test_no_ray_of_a_branch_behind_the_first():
    """Where the radial term turns back and rises again, the outer root shows nothing."""
    camera = Camera(64, 48, 26.0, 26.0, 31.5, 23.5, 'plumb_bob', (-0.351, -0.413, 0, 0, 0.156))
    rays = camera.rays()
    r = np.linspace(0.0, 2.0, 200001)
    bent = r * (1 - 0.351 * r**2 - 0.413 * r**4 + 0.156 * r**6)
    end = np.flatnonzero(np.diff(bent) <= 0)[0]
    v, u = np.mgrid[:48, :64]
    beyond = np.hypot(u - 31.5, v - 23.5) / 26.0 > bent[end]
    np.testing.assert_array_equal(np.isnan(rays).any(axis=2), beyond)
    assert np.nanmax(np.hypot(*np.moveaxis(rays, -1, 0))) < r[end]


def test_every_ray_of_the_first_branch_is_found():
    radii = np.linspace(0.0, 2.55, 50)
    points = np.column_stack([radii, np.zeros(50), np.ones(50)])
    strong = (0.123, 0.449, 0.0, 0.0, -0.048)
    camera = Camera(64, 48, 26.0, 26.0, 31.5, 23.5, 'plumb_bob', strong)
    found = camera.unproject(*camera.project(points).T)
    np.testing.assert_allclose(found[:, 0], radii, atol=1e-6)


def test_equidistant_without_coefficients_is_still_a_fisheye():
    camera = Camera(64, 48, 30.0, 30.0, 31.5, 23.5, 'equidistant', (0.0,) * 4)
    v, u = np.mgrid[:48, :64]
    pixels = np.stack([u.ravel(), v.ravel()], axis=-1).astype(float)
    rays = camera.unproject(*pixels.T)
    np.testing.assert_allclose(rays, opencv_undistorted(camera, pixels), atol=1e-5)
    np.testing.assert_allclose(
        camera.project(np.column_stack([rays, np.ones(len(rays))])), pixels, atol=1e-6
    )


def test_fisheye_has_no_rays_from_the_side():
    camera = Camera(401, 11, 100.0, 100.0, 200.0, 5.0, 'equidistant', (0.0, 0.0, 0.0, 1e-9))
    across = camera.rays()[5, :, 0]
    angle = (np.arange(401) - 200.0) / 100.0
    np.testing.assert_array_equal(np.isnan(across), np.abs(angle) >= math.pi / 2)
    seen = np.isfinite(across)
    np.testing.assert_allclose(across[seen], np.tan(angle[seen]), rtol=1e-3)


@settings(max_examples=50)
@given(cameras(), st.integers(1, 3000), st.integers(1, 3000))
def test_scaling_keeps_pixel_centres(camera, width, height):
    scaled = camera.scaled(width, height)
    factors = np.array([width / camera.width, height / camera.height])
    expected = (camera.project(POINTS) + 0.5) * factors - 0.5
    np.testing.assert_allclose(scaled.project(POINTS), expected, atol=1e-6)


@settings(max_examples=50)
@given(cameras(), st.data())
def test_cropping_moves_the_origin(camera, data):
    x = data.draw(st.integers(0, camera.width - 1))
    y = data.draw(st.integers(0, camera.height - 1))
    part = camera.cropped(x, y, camera.width - x, camera.height - y)
    np.testing.assert_allclose(part.project(POINTS), camera.project(POINTS) - (x, y), atol=1e-6)


def test_a_binned_pixel_looks_between_those_it_joins():
    between = PINHOLE.rays().reshape(24, 2, 16, 4, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(PINHOLE.binned(4, 2).rays(), between, atol=1e-6)
    assert PINHOLE.binned(0, 0) == PINHOLE
    leftover = Camera(7, 5, 5.0, 5.0, 3.0, 2.0)
    assert leftover.binned(2, 2) == leftover.cropped(0, 0, 6, 4).scaled(3, 2)


def test_field_of_view_reaches_the_outer_edges():
    camera = Camera.from_hfov(640, 480, 70.0)
    left, right = camera.unproject([-0.5, 639.5], [239.5, 239.5])
    np.testing.assert_allclose(right, [math.tan(math.radians(35.0)), 0.0], atol=1e-12)
    np.testing.assert_allclose(left, -right, atol=1e-12)
    assert camera.approximate
    assert camera.fx == camera.fy


def test_rays_are_computed_once_and_read_only():
    rays = PINHOLE.rays()
    assert rays is Camera(64, 48, 55.0, 57.0, 30.2, 25.1).rays()
    assert (rays.shape, rays.dtype) == ((48, 64, 2), np.float32)
    with pytest.raises(ValueError, match='read-only'):
        rays[0, 0] = 0.0


def test_what_is_behind_the_camera_has_no_pixel():
    pixels = PINHOLE.project([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.1, 0.1, 0.0]])
    np.testing.assert_allclose(pixels[0], [30.2, 25.1])
    assert np.isnan(pixels[1:]).all()


@pytest.mark.parametrize(
    ('model', 'distortion'),
    [('plumb_bob', (-0.35, 0.05, 0.0, 0.0, 0.0)), ('equidistant', (-0.2, 0.0, 0.0, 0.0))],
)
def test_what_lies_outside_the_field_of_view_is_not_folded_into_the_image(model, distortion):
    """As the formula alone would do: 80 degrees off the axis lands in the middle."""
    camera = Camera(640, 480, 300.0, 300.0, 319.5, 239.5, model, distortion)
    x = np.tan(np.radians(np.arange(1.0, 90.0)))
    u, v = camera.project(np.column_stack([x, np.zeros_like(x), np.ones_like(x)])).T
    known = np.isfinite(u)
    assert known[:40].all()
    assert not known[80:].any()
    assert (np.diff(u[known]) > 0.0).all()
    np.testing.assert_allclose(camera.unproject(u[known], v[known])[:, 0], x[known], rtol=1e-3)


NAN = math.nan


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ((0, 48, 5.0, 5.0, 1.0, 1.0), '0x48 is empty'),
        ((64, 48, 0.0, 5.0, 1.0, 1.0), r'fx=0.0.*calibrate the camera, or set camera.fx'),
        ((64, 48, NAN, 5.0, 1.0, 1.0), 'fx=nan'),
        ((64, 48, 5.0, math.inf, 1.0, 1.0), 'fy=inf'),
        ((64, 48, 5.0, 5.0, NAN, 1.0), 'cx=nan'),
        ((64, 48, 5.0, 5.0, 1.0, 1.0, 'plumb_bob', (NAN,) * 5), 'finite'),
        ((64, 48, 5.0, 5.0, 1.0, 1.0, 'plumb_bob', (0.1,)), 'takes .0, 4, 5. coefficients, not 1'),
        ((64, 48, 5.0, 5.0, 1.0, 1.0, '', (0.1,)), 'no distortion takes'),
        ((64, 48, 5.0, 5.0, 1.0, 1.0, 'equidistant', ()), 'equidistant distortion takes .4,.'),
        ((64, 48, 5.0, 5.0, 1.0, 1.0, 'fov', ()), "'fov': known are plumb_bob, rational"),
    ],
)
def test_refuses_what_is_no_camera(arguments, words):
    with pytest.raises(ValueError, match=words):
        Camera(*arguments)


@pytest.mark.parametrize('degrees', [0.0, 180.0, -3.0, NAN])
def test_refuses_a_field_of_view_that_is_none(degrees):
    with pytest.raises(ValueError, match=f'field of view of {degrees}'):
        Camera.from_hfov(640, 480, degrees)


@pytest.mark.parametrize('region', [(-1, 0, 5, 5), (0, 0, 65, 48), (60, 40, 5, 5), (0, 44, 5, 5)])
def test_refuses_a_region_outside(region):
    with pytest.raises(ValueError, match='leaves the image 64x48'):
        PINHOLE.cropped(*region)
