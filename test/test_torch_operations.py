# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is made on the device is what is made in main memory, and crosses once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depth_estimation_ros import distance
from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.colorize import SettlingRange
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.operations import HOST
from depth_estimation_ros.runtimes.device_array import DeviceArray, Uploads
from depth_estimation_ros.runtimes.torch_operations import TorchOperations

DEVICE = torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')
FISHEYE = Camera(64, 48, 30.0, 31.0, 31.0, 24.0, 'equidistant', (0.1, 0.0, 0.0, 0.0))
PINHOLE = Camera(64, 48, 60.0, 61.0, 31.0, 24.0, 'plumb_bob', (-0.1, 0.02, 0.0, 0.0, 0.0))
NAN, INF = np.nan, np.inf


@pytest.fixture
def operations():
    return TorchOperations(Uploads(DEVICE))


@pytest.fixture
def values():
    """Numbers of all kinds that a network may answer."""
    values = np.random.default_rng(0).normal(2.0, 1.5, (48, 64)).astype(np.float32)
    values[:2, :4] = [[NAN, INF, -INF, 0.0], [-0.0, 1e-38, 1e30, -1e30]]
    return values


@pytest.fixture
def depth(values):
    return np.where(values > 0, values, NAN).astype(np.float32)


def on_device(array) -> DeviceArray:
    return DeviceArray(torch.from_numpy(array.copy()).to(DEVICE))


def fit_of(kind, scale=0.42, shift=-0.17) -> Fit:
    return Fit(kind, scale, shift, (0.0, 0.0, 0.0), 0.0, 0.0, 3, 3, 0.0)


@pytest.mark.parametrize(
    'fit', [None, fit_of(DepthKind.RELATIVE), fit_of(DepthKind.METRIC, 1.1, 0.3)]
)
def test_metres_are_the_same_to_the_last_bits(operations, values, fit):
    expected = np.asarray(HOST.metres(values, fit, 0.3, 4.0))
    given = on_device(values)
    metres = operations.metres(given, fit, 0.3, 4.0)
    np.testing.assert_allclose(np.asarray(metres), expected, rtol=3e-7)
    for special in (np.isnan, np.isposinf, np.isneginf):
        np.testing.assert_array_equal(special(metres), special(expected))
        assert special(expected).any()
    np.testing.assert_array_equal(given, values)


def test_scaling_and_sampling_are_the_same_and_only_the_samples_come_down(operations, values):
    given = on_device(values)
    scaled = operations.affine(given, 1.3, -0.2)
    assert isinstance(scaled, DeviceArray)
    with np.errstate(over='ignore'):
        expected = HOST.affine(values, 1.3, -0.2)
    np.testing.assert_allclose(np.asarray(scaled), expected, rtol=3e-7, atol=1e-7)
    u, v = np.array([0, 63, 7]), np.array([0, 47, 1])
    down = operations.sample(given, u, v)
    assert down.dtype == np.float32
    np.testing.assert_array_equal(down, HOST.sample(values, u, v))
    assert given._host is None
    np.testing.assert_array_equal(given, values)


def test_the_mean_with_what_was_is_the_same(operations, values):
    random = np.random.default_rng(1)
    before = values * random.uniform(0.8, 1.2, values.shape).astype(np.float32)
    same = random.random(values.shape) < 0.7
    with np.errstate(invalid='ignore', over='ignore'):
        expected = HOST.mean(values, before, same, 0.75, 0.1)
    found = operations.mean(on_device(values), on_device(before), same, 0.75, 0.1)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6, atol=1e-7)
    assert 0.2 < (expected != values).mean() < 0.8


@pytest.mark.parametrize('colormap', ['turbo', 'inferno', 'gray'])
def test_colours_are_the_same_but_for_neighbours_in_the_table(operations, depth, colormap):
    depth[5, :3] = [INF, -INF, NAN]
    ours, expected = np.zeros((2, 48, 64, 3), np.uint8)
    for paint, plain in (
        (operations.colorize, HOST.colorize),
        (operations.colorize_inverse, HOST.colorize_inverse),
    ):
        paint(on_device(depth), 0.3, 4.0, colormap, ours)
        plain(depth, 0.3, 4.0, colormap, expected)
        np.testing.assert_array_equal(ours[np.isnan(depth)], 0)
        assert (ours == expected).mean() > 0.999
        np.testing.assert_allclose(ours.astype(int), expected, atol=8)


@pytest.mark.parametrize('camera', [PINHOLE, FISHEYE])
@pytest.mark.parametrize('edges', [0.0, 0.05])
def test_the_cloud_is_the_same_bit_by_bit(operations, depth, camera, edges):
    depth[5, :3] = [INF, -INF, NAN]
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    image.flags.writeable = False
    ours, expected = np.zeros((2, 48, 64, 4), np.float32)
    operations.cloud(on_device(depth), camera.rays(), image, edges, ours)
    HOST.cloud(depth, camera.rays(), image, edges, expected)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(ours.view(np.uint32)[known], expected.view(np.uint32)[known])


@pytest.mark.parametrize('width', [640, 962])
def test_what_flies_in_a_large_image_is_the_same_but_where_a_last_digit_decides(operations, width):
    depth = np.random.default_rng(0).uniform(2.0, 3.0, (480, width)).astype(np.float32)
    depth[40:60, 40:60], depth[80:100, 40:60] = NAN, INF
    rays, image = np.zeros((480, width, 2), np.float32), np.zeros((480, width, 3), np.uint8)
    ours, expected = np.zeros((2, 480, width, 4), np.float32)
    operations.cloud(on_device(depth), rays, image, 0.05, ours)
    HOST.cloud(depth, rays, image, 0.05, expected)
    gone = np.isnan(expected[..., 2])
    assert 0.05 < gone.mean() < 0.9
    assert (np.isnan(ours[..., 2]) == gone).mean() > 0.9999


def test_what_is_refused_in_main_memory_is_refused_here(operations, depth):
    picture, points = np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64, 4), np.float32)
    with pytest.raises(ValueError, match=r'near=4 must be below far=0\.3'):
        operations.colorize(on_device(depth), 4.0, 0.3, 'turbo', picture)
    with pytest.raises(ValueError, match='low=2 must be below high=2'):
        operations.colorize_inverse(on_device(depth), 2.0, 2.0, 'turbo', picture)
    with pytest.raises(ValueError, match='unknown colormap'):
        operations.colorize(on_device(depth), 0.3, 4.0, 'jet', picture)
    with pytest.raises(ValueError, match='differ in size'):
        operations.cloud(on_device(depth), PINHOLE.rays(), picture[1:], 0.0, points)


def test_rays_and_tables_go_up_once(operations, depth):
    image, points = np.zeros((48, 64, 3), np.uint8), np.zeros((48, 64, 4), np.float32)
    uploads, device_depth = operations._uploads, on_device(depth)
    operations.cloud(device_depth, PINHOLE.rays(), image, 0.0, points)
    rays = uploads.of(PINHOLE.rays())
    operations.cloud(device_depth, PINHOLE.rays(), image, 0.0, points)
    assert uploads.of(PINHOLE.rays()) is rays
    uploads.clear()
    assert uploads.of(PINHOLE.rays()) is not rays


def test_a_copy_lives_as_long_as_its_array():
    uploads = Uploads(DEVICE)
    arrays = [np.full(3, i) for i in range(5)]
    assert [uploads.of(array).tolist() for array in arrays] == [[i] * 3 for i in range(5)]
    del arrays[1:4]
    assert len(uploads._copies) == 2
    arrays += [np.full(3, 10 + i) for i in range(5)]  # where the others lay, as like as not
    assert uploads.of(arrays[-1]).tolist() == [14] * 3
    assert uploads.of(arrays[0]).tolist() == [0] * 3


def test_a_device_array_is_an_array_to_numpy_and_crosses_once(depth):
    array = on_device(depth)
    assert (array.shape, array.dtype) == ((48, 64), np.float32)
    first = np.asarray(array)
    array.tensor.zero_()
    np.testing.assert_array_equal(first, depth)
    assert np.asarray(array) is first
    assert np.nanmax(array) == np.nanmax(depth)
    with pytest.raises(ValueError, match='read-only'):
        first[0] = 1.0
    own = np.array(array)
    own[:] = 0.0
    np.testing.assert_array_equal(array, depth)
    assert np.asarray(array, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match='Unable to avoid copy'):
        np.asarray(array, np.float64, copy=False)


def test_distances_and_colour_ranges_take_it(operations, depth):
    frame = Frame(np.zeros((48, 64, 3), np.uint8), camera=PINHOLE)
    answers = [
        distance.measure(DepthMap(frame, Prediction(one, DepthKind.METRIC), one), [30], [20])
        for one in (depth, on_device(depth))
    ]
    assert np.isfinite(answers[0].points).all()
    np.testing.assert_array_equal(answers[1].points, answers[0].points)
    assert SettlingRange().update(on_device(depth)) == SettlingRange().update(depth)


def test_an_answer_in_main_memory_will_do(operations, values):
    fit = fit_of(DepthKind.METRIC)
    metres = operations.metres(values, fit, 0.3, 4.0)
    np.testing.assert_allclose(metres, HOST.metres(values, fit, 0.3, 4.0), rtol=3e-7)
