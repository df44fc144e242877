# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from depth_estimation_ros import sections
from depth_estimation_ros.colorize import (
    SettlingRange,
    colorize,
    colorize_inverse,
    legend,
    table,
)
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.painter import Painter

COLORMAPS = ['turbo', 'inferno', 'gray']


def image(*values):
    return np.array([values], np.float32)


def nearest_index(colours, colormap):
    """Which entry of the table each colour is."""
    distance = np.abs(colours[:, None].astype(int) - table(colormap)[None, :, 0]).sum(axis=2)
    assert (distance.min(axis=1) == 0).all()
    return distance.argmin(axis=1)


@pytest.mark.parametrize('colormap', COLORMAPS)
def test_near_is_warm_far_is_cold_and_unknown_is_black(colormap):
    values = image(0.5, 8.0, 0.1, 20.0, -np.inf, np.inf, np.nan)
    near, far, nearer, farther, minus, plus, unknown = colorize(values, 0.5, 8.0, colormap)[0]
    warmest, coldest = table(colormap)[255, 0], table(colormap)[1, 0]
    for colour in (near, nearer, minus):
        np.testing.assert_array_equal(colour, warmest)
    for colour in (far, farther, plus):
        np.testing.assert_array_equal(colour, coldest)
    assert not unknown.any()
    assert coldest.any()


def test_warm_is_red_and_cold_is_blue():
    near, far = colorize(image(1.5, 7.0), 0.5, 8.0)[0].astype(int)
    assert near[0] > near[2]
    assert far[2] > far[0]


def test_linear_in_depth():
    depth = np.linspace(1.0, 5.0, 400, dtype=np.float32)
    indices = nearest_index(colorize(depth[None], 1.0, 5.0, 'turbo')[0], 'turbo')
    np.testing.assert_allclose(indices, 255 - (depth - 1.0) / 4.0 * 254, atol=0.51)


def test_inverse_depth_is_warm_where_it_is_large():
    values = image(2.0, 10.0, 6.0, np.nan)
    low, high, middle, unknown = colorize_inverse(values, 2.0, 10.0)[0]
    np.testing.assert_array_equal(low, table('turbo')[1, 0])
    np.testing.assert_array_equal(high, table('turbo')[255, 0])
    np.testing.assert_array_equal(middle, table('turbo')[128, 0])
    assert not unknown.any()


def test_range_is_fixed_and_input_untouched():
    depth = image(2.0, np.nan, 3.0)
    kept = depth.copy()
    alone = colorize(depth, 0.5, 8.0)
    beside = colorize(image(2.0, 100.0, 0.01), 0.5, 8.0)
    np.testing.assert_array_equal(alone[0, 0], beside[0, 0])
    np.testing.assert_array_equal(depth, kept)


def test_writes_into_the_given_buffer():
    depth = np.full((6, 4), 2.0, np.float32)
    out = np.zeros((6, 4, 3), np.uint8)
    colorize(depth, 0.5, 8.0, 'turbo', out)
    np.testing.assert_array_equal(out, colorize(depth, 0.5, 8.0))
    assert out.any()


def test_refuses_what_has_no_meaning():
    with pytest.raises(ValueError, match='near=8 must be below far=8'):
        colorize(image(1.0), 8.0, 8.0)
    with pytest.raises(ValueError, match='low=2 must be below high=1'):
        colorize_inverse(image(1.0), 2.0, 1.0)
    with pytest.raises(ValueError, match=r"'jet'.*turbo, inferno, gray"):
        colorize(image(1.0), 0.5, 8.0, 'jet')


def test_legend_runs_from_far_at_the_top_to_near_at_the_bottom():
    strip = legend(240, 0.3, 8.0)
    assert strip.shape[0] == 240
    column = nearest_index(strip[10:-10, 15], 'turbo')
    assert (column[0], column[-1]) == (1, 255)
    assert (np.diff(column) >= 0).all()
    assert strip[:, 40:].max() > 200  # the text


def test_settling_range_settles_and_then_stands_still():
    rng = np.random.default_rng(0)
    frames = [rng.uniform(k, 10.0 + k, (240, 320)).astype(np.float32) for k in range(40)]
    settling = SettlingRange()
    ranges = [settling.update(frame) for frame in frames]
    expected = np.mean([(k + 0.2, k + 9.8) for k in range(30)], axis=0)
    np.testing.assert_allclose(ranges[29], expected, atol=0.1)
    assert set(ranges[29:]) == {ranges[29]}
    assert ranges[0] != ranges[1]


def test_settling_range_is_never_empty():
    settling = SettlingRange()
    low, high = settling.update(np.full((16, 16), np.nan, np.float32))
    assert low < high
    low, high = settling.update(np.full((16, 16), 3.0, np.float32))
    assert low == 3.0 < high


def test_a_painter_keeps_the_range_of_metres_and_lets_that_of_relative_depth_settle():
    depth = np.linspace(0.3, 8.0, 64 * 48, dtype=np.float32).reshape(48, 64)
    frame = Frame(np.zeros((48, 64, 3), np.uint8))
    painter = Painter(sections.Colorize())
    metric = DepthMap(frame, Prediction(depth, DepthKind.METRIC), depth)
    np.testing.assert_array_equal(painter.paint(metric), colorize(depth, 0.3, 8.0))
    np.testing.assert_array_equal(painter.legend(metric), legend(48, 0.3, 8.0))
    said = np.linspace(1.0, 9.0, 64 * 48, dtype=np.float32).reshape(48, 64)
    relative = DepthMap(frame, Prediction(said, DepthKind.RELATIVE), None)
    low, high = SettlingRange().update(said)
    out = np.empty((48, 64, 3), np.uint8)
    assert painter.paint(relative, out) is out
    np.testing.assert_array_equal(out, colorize_inverse(said, low, high))
    np.testing.assert_array_equal(painter.legend(relative), legend(48, high, low, ''))
