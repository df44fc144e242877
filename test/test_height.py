# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An upright object of known height, as references."""

import dataclasses

import numpy as np
import pytest

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.height import ObjectOptions, object_of_height

CAMERA = Camera(640, 480, 420.0, 425.0, 322.4, 236.8, 'plumb_bob', (-0.28, 0.09, 0.0, 0.0, 0.0))


def seen(height, pitch, foot, camera=CAMERA):
    """A post under its foot point (optical frame), its box, and the depth of each of its rows."""
    angle = np.radians(pitch)
    down = np.array([0.0, np.cos(angle), np.sin(angle)])
    places = np.array(foot) - np.linspace(height, 0.0, 20001)[:, None] * down
    u, v = camera.project(places).T
    depth = np.full((camera.height, camera.width), 6.0, np.float32)
    rows = np.arange(int(np.ceil(v[0])), int(v[-1]) + 1)
    depth[rows, int(u.min()) - 40 : int(u.max()) + 40] = np.interp(rows, v, places[:, 2])[:, None]
    middle = float(np.interp((v[0] + v[-1]) / 2, v, u))
    return depth, (middle - 25.0, float(v[0]), middle + 25.0, float(v[-1]))


def depth_map(depth, kind=DepthKind.METRIC, camera=CAMERA):
    frame = Frame(np.zeros((*depth.shape, 3), np.uint8), camera=camera)
    values = depth if kind is DepthKind.METRIC else np.asarray(0.3 / depth, np.float32)
    return DepthMap(frame, Prediction(values, kind), None)


@pytest.mark.parametrize('pitch', [0.0, 25.0, -15.0])
@pytest.mark.parametrize('foot', [(0.0, 0.6, 3.0), (-0.5, 0.5, 2.5), (0.7, 0.9, 4.0)])
def test_the_depth_is_that_of_the_object(pitch, foot):
    depth, box = seen(1.2, pitch, foot)
    found = object_of_height(depth_map(depth), 1.2, ObjectOptions(box, pitch))
    # The box is upright in the image, and a post beside the middle leans there: 2 %.
    true = depth[found.v.astype(int), found.u.astype(int)]
    np.testing.assert_allclose(found.depth, true, rtol=2e-3 if foot[0] == 0.0 else 2e-2)
    left, top, right, low = box
    assert (left + 16 <= found.u).all()
    assert (found.u <= right - 16).all()
    assert (found.v > (2 * top + low) / 3 - 1).all()
    assert (found.v < (top + 2 * low) / 3 + 1).all()


def test_one_object_gives_a_relative_model_a_scale_alone_and_says_so():
    depth, box = seen(1.2, 10.0, (0.0, 0.6, 3.0))
    map_ = depth_map(depth, DepthKind.RELATIVE)
    found = object_of_height(map_, 1.2, ObjectOptions(box, 10.0))
    fitted = fit_to(found, map_)
    assert fitted.scale == pytest.approx(1 / 0.3, rel=5e-3)
    assert fitted.shift == 0.0
    assert 'scale alone' in fitted.remark
    assert found.remark.startswith('object of 1.2 m at a depth of 2.')


def test_without_a_pitch_a_camera_that_looks_down_is_wrong():
    depth, box = seen(1.2, 25.0, (0.0, 0.6, 3.0))
    level = object_of_height(depth_map(depth), 1.2, ObjectOptions(box))
    true = depth[level.v.astype(int), level.u.astype(int)]
    assert abs(np.median(level.depth / true) - 1.0) > 0.03


@pytest.mark.parametrize(
    ('box', 'said'),
    [
        ((), 'must be four pixels, u0, v0, u1 and v1'),
        ((100.0, 100.0, 200.0), 'must be four pixels'),
        ((100.0, 100.0, 'x', 300.0), 'must be four pixels'),
        ((100.0, 100.0, 200.0, 10**400), 'must be four pixels'),
        ((100.0, 300.0, 200.0, 100.0), 'empty or upside down'),
        ((200.0, 100.0, 100.0, 300.0), 'empty or upside down'),
        ((100.0, 100.0, 200.0, np.nan), 'empty or upside down'),
        (
            (600.0, 100.0, 700.0, 300.0),
            r'\[600.0, 100.0, 700.0, 300.0\] leaves the image of ',
        ),
        ((100.0, 100.0, 200.0, 500.0), 'reaches the border'),
        ((100.0, 0.0, 200.0, 300.0), 'top and foot of the object must be seen'),
        ((100.0, 200.0, 200.0, 215.0), 'is 15 pixels high, and 20 are needed'),
    ],
)
def test_boxes_that_tell_no_depth_are_refused(box, said):
    with pytest.raises(ValueError, match=said):
        object_of_height(depth_map(np.ones((480, 640), np.float32)), 1.0, ObjectOptions(box))


@pytest.mark.parametrize('height', [0.0, -1.7, np.nan, np.inf])
def test_a_height_that_is_none_is_refused(height):
    box = ObjectOptions((100.0, 100.0, 200.0, 300.0))
    with pytest.raises(ValueError, match=f'must be positive metres, not {height:g}'):
        object_of_height(depth_map(np.ones((480, 640), np.float32)), height, box)


def test_no_intrinsics_no_rays_and_a_pitch_that_cannot_be_are_refused():
    flat = depth_map(np.ones((480, 640), np.float32))
    box = ObjectOptions((10.0, 10.0, 110.0, 200.0))
    blind = dataclasses.replace(flat, frame=dataclasses.replace(flat.frame, camera=None))
    with pytest.raises(ValueError, match='needs the intrinsics'):
        object_of_height(blind, 1.0, box)
    strong = dataclasses.replace(CAMERA, distortion=(-1.5, 0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match='the distortion has no inverse there'):
        object_of_height(depth_map(np.ones((480, 640), np.float32), camera=strong), 1.0, box)
    with pytest.raises(ValueError, match=r'a pitch of 80 degrees .* along an upright object'):
        object_of_height(flat, 1.0, ObjectOptions((300.0, 200.0, 340.0, 470.0), 80.0))
