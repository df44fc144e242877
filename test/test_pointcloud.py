# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.pointcloud import cloud

CAMERA = Camera(64, 48, 60.0, 61.0, 30.5, 25.0, 'plumb_bob', (-0.2, 0.05, 0.001, -0.002, 0.0))


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.2, 30.0, (48, 64)).astype(np.float32)
    depth[0, :3] = np.nan, np.inf, -np.inf
    return depth, CAMERA.rays(), rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)


def reference(depth, rays, image):
    """The definition, plainly: x = Z * X/Z, y = Z * Y/Z, colour 0x00RRGGBB."""
    finite = np.isfinite(depth) & np.isfinite(rays).all(axis=2)
    z = np.where(finite, depth, np.nan)
    points = np.stack([rays[..., 0] * z, rays[..., 1] * z, z], axis=-1).astype(np.float32)
    r, g, b = np.moveaxis(image.astype(np.uint32), -1, 0)
    return points, r << 16 | g << 8 | b


def test_points_and_colours_are_the_definition(scene):
    points, colours = reference(*scene)
    result = cloud(*scene)
    np.testing.assert_allclose(result[..., :3], points, rtol=1e-6)
    np.testing.assert_array_equal(result[..., 3].view(np.uint32), colours)


def test_a_point_projects_onto_its_pixel(scene):
    depth, rays, image = scene
    v, u = np.nonzero(np.isfinite(depth))
    pixels = CAMERA.project(cloud(depth, rays, image)[v, u, :3])
    np.testing.assert_allclose(pixels, np.stack([u, v], axis=-1), atol=1e-3)


def test_colour_is_no_nan(scene):
    depth, rays, _ = scene
    white = np.full((48, 64, 3), 255, np.uint8)
    assert np.isfinite(cloud(depth, rays, white)[..., 3]).all()


def test_what_is_not_finite_has_no_point(scene):
    depth, rays, image = scene
    rays = rays.copy()
    rays[1, 0] = np.nan
    xyz = cloud(depth, rays, image)[..., :3]
    assert np.isnan(xyz[0, :3]).all()
    assert np.isnan(xyz[1, 0]).all()
    assert np.isfinite(xyz[1:, 1:]).all()


def test_writes_into_the_given_buffer(scene):
    data = bytearray(48 * 64 * 16)
    out = np.frombuffer(data, np.float32).reshape(48, 64, 4)
    assert cloud(*scene, out=out) is out
    np.testing.assert_array_equal(out, cloud(*scene))


def test_sizes_must_agree(scene):
    depth, rays, image = scene
    with pytest.raises(ValueError, match=r'\(24, 64\).*differ in size'):
        cloud(depth[::2], rays, image)
    with pytest.raises(ValueError, match=r'\(24, 64, 3\) differ in size'):
        cloud(depth, rays, image[::2])
