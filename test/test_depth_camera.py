# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.depth_camera import DepthCameraOptions, depth_camera

OPTIONS = DepthCameraOptions()
HEIGHT, WIDTH = 240, 320


def scene(height=HEIGHT, width=WIDTH):
    """A slope, with a box before it on the right: [H, W] float32 m."""
    v, u = np.mgrid[:height, :width]
    depth = 1.0 + 2.0 * (v + 0.5) / height
    return np.where(u < width / 2, depth, 0.8).astype(np.float32)


def seen(depth, kind=DepthKind.METRIC, scale=3.0):
    said = (depth / scale).astype(np.float32)
    return DepthMap(Frame(np.zeros((*depth.shape, 3), np.uint8)), Prediction(said, kind), None)


@pytest.mark.parametrize('size', [(240, 320), (480, 640), (120, 160), (90, 120)])
def test_a_registered_image_of_any_size_gives_the_scale(size):
    found = depth_camera(seen(scene()), scene(*size), OPTIONS)
    at = scene()[np.rint(found.v).astype(int), np.rint(found.u).astype(int)]
    np.testing.assert_allclose(found.depth, at, atol=2.0 / 240)  # a row of the slope
    fit = fit_to(found, seen(scene()))
    assert fit.scale == pytest.approx(3.0, rel=2e-3)  # half a pixel of the slope
    assert fit.inliers == fit.references
    assert 500 < len(found.u) <= 2000
    assert found.independent == 108


def test_what_is_near_edges_borders_and_unknown_depth_is_left_out():
    depth = scene()
    depth[100:110, 40:60] = 0.0
    depth[20:30, 40:60] = np.nan
    depth[60:70, 40:60] = np.inf
    found = depth_camera(seen(scene()), depth, OPTIONS)
    assert (np.abs(found.u - 159.5) > 1.0).all()
    assert found.u.min() >= 1
    assert found.v.min() >= 1
    assert found.u.max() <= WIDTH - 2
    assert found.v.max() <= HEIGHT - 2
    inside = (found.u > 38) & (found.u < 61)
    for top in (20, 60, 100):
        assert not (inside & (found.v > top - 2) & (found.v < top + 11)).any()
    assert inside.sum() > 10


def test_only_the_trusted_range_counts():
    found = depth_camera(seen(scene()), scene(), DepthCameraOptions(nearest=1.5, farthest=2.0))
    assert found.depth.min() >= 1.5
    assert found.depth.max() <= 2.0


def test_what_is_infinitely_far_is_no_depth_however_far_is_trusted():
    depth = scene()
    depth[60:120] = np.inf
    found = depth_camera(seen(scene()), depth, DepthCameraOptions(farthest=np.inf))
    assert np.isfinite(found.depth).all()


def test_noise_of_the_sensor_averages_out():
    random = np.random.default_rng(0)
    noisy = (scene() * (1 + 0.01 * random.standard_normal(scene().shape))).astype(np.float32)
    fit = fit_to(depth_camera(seen(scene()), noisy, OPTIONS), seen(scene()))
    assert fit.scale == pytest.approx(3.0, rel=0.002)


@pytest.mark.parametrize(
    ('depth', 'said'),
    [
        (scene(240, 240), 'depth image of 240x240 has not the aspect of the image of 320x240'),
        (np.zeros((0, 0), np.float32), r'not float32 \(0, 0\)'),
        (np.full((240, 320), 1500, np.uint16), r'floating-point metres, not uint16'),
        (np.zeros((240, 320), np.float32), '0% are known and 0% lie'),
        (np.full((240, 320), np.nan, np.float32), '0% are known and 0% lie'),
        (np.full((240, 320), 1500.0, np.float32), '100% are known and 0% lie 0.2 to 10 m.*metres'),
    ],
)
def test_an_image_that_tells_nothing_is_refused(depth, said):
    with pytest.raises(ValueError, match=said):
        depth_camera(seen(scene()), depth, OPTIONS)


def test_where_the_network_knows_nothing_there_are_no_references():
    with pytest.raises(ValueError, match='the network knows nothing there'):
        depth_camera(seen(np.full((HEIGHT, WIDTH), np.nan)), scene(), OPTIONS)
