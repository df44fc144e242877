# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Error measures against numbers worked out by hand."""

import dataclasses
import math

import numpy as np
import pytest

from depth_estimation_ros.metrics import depth_errors, flicker


def test_hand_worked_example():
    errors = depth_errors([[1.0, 2.0], [3.0, 8.0]], [[1.0, 1.0], [4.0, 4.0]])
    assert errors.abs_rel == pytest.approx((0 + 1 + 0.25 + 1) / 4)
    assert errors.sq_rel == pytest.approx((0 + 1 + 0.25 + 4) / 4)
    assert errors.rmse == pytest.approx(math.sqrt((0 + 1 + 1 + 16) / 4))
    logs = [0.0, math.log(2), math.log(0.75), math.log(2)]
    assert errors.rmse_log == pytest.approx(math.sqrt(sum(x * x for x in logs) / 4))
    assert errors.log10 == pytest.approx(sum(abs(x) for x in logs) / 4 / math.log(10))
    mean = sum(logs) / 4
    variance = sum(x * x for x in logs) / 4 - mean * mean
    assert errors.silog == pytest.approx(100 * math.sqrt(variance))
    assert (errors.delta1, errors.delta2, errors.delta3) == (0.25, 0.5, 0.5)
    assert errors.pixels == 4


def test_a_perfect_map_has_no_error():
    truth = np.random.default_rng(0).uniform(0.5, 9, (6, 8)).astype(np.float32)
    errors = dataclasses.asdict(depth_errors(truth, truth))
    assert [errors.pop(f'delta{n}') for n in (1, 2, 3)] == [1, 1, 1]
    assert errors.pop('pixels') == 48
    assert set(errors.values()) == {0.0}


def test_scaled_maps_differ_in_scale_alone():
    truth = np.random.default_rng(0).uniform(0.5, 9, (6, 8))
    errors = depth_errors(1.3 * truth, truth)
    assert errors.abs_rel == pytest.approx(0.3)
    assert errors.rmse_log == pytest.approx(math.log(1.3))
    assert errors.silog == pytest.approx(0, abs=1e-6)
    assert (errors.delta1, errors.delta2) == (0, 1)


def test_thresholds_do_not_depend_on_the_direction():
    truth = np.full((4, 4), 2.0)
    assert (
        depth_errors(truth * 1.24, truth).delta1 == depth_errors(truth / 1.24, truth).delta1 == 1
    )
    assert (
        depth_errors(truth * 1.26, truth).delta1 == depth_errors(truth / 1.26, truth).delta1 == 0
    )


def test_unknown_pixels_do_not_count():
    depth = np.array([np.nan, np.inf, 0.0, -1.0, 2.0, 2.0, 2.0, 5.0])
    truth = np.array([1.0, 1.0, 1.0, 1.0, np.nan, 0.0, 2.0, 2.0])
    valid = np.arange(8) < 7
    errors = depth_errors(depth, truth, valid)
    assert errors.pixels == 1
    assert errors.abs_rel == 0


def test_nothing_to_compare_is_nan():
    errors = dataclasses.asdict(depth_errors([np.nan], [1.0]))
    assert errors.pop('pixels') == 0
    assert all(math.isnan(value) for value in errors.values())


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'\(2,\).*\(3,\)'):
        depth_errors([1.0, 2.0], [1.0, 2.0, 3.0])


def test_flicker_of_a_standing_camera_worked_by_hand():
    depths = [[[1.0, 2.0]], [[1.1, 2.0]], [[1.1, 1.0]]]
    first, second = math.log(1.1) / 2, math.log(2) / 2
    assert flicker(depths) == pytest.approx((first + second) / 2)
    assert flicker(iter(depths)) == flicker(depths)


def test_flicker_is_not_what_really_moved():
    truths = [np.full((3, 4), metres) for metres in (4.0, 3.0, 2.0)]
    assert flicker([1.5 * truth for truth in truths], truths) == pytest.approx(0, abs=1e-12)
    wrong = [factor * truth for factor, truth in zip((1.0, 1.2, 1.0), truths, strict=True)]
    assert flicker(wrong, truths) == pytest.approx(math.log(1.2))


def test_flicker_counts_pixels_known_four_times():
    depths = [np.array([2.0, np.nan, np.inf, 0.0, 2.0]), np.full(5, 3.0)]
    truths = [np.ones(5), np.array([1.0, 1.0, 1.0, 1.0, np.nan])]
    assert flicker(depths, truths) == pytest.approx(math.log(1.5))
    assert flicker([*depths, np.full(5, np.nan)]) == pytest.approx(math.log(1.5))


def test_flicker_needs_two_frames():
    assert math.isnan(flicker([]))
    assert math.isnan(flicker([np.ones((2, 2))]))
    assert math.isnan(flicker([np.ones(2), np.full(2, np.nan)]))


def test_flicker_refuses_what_does_not_belong_together():
    with pytest.raises(ValueError, match=r'\(2,\).*\(3,\)'):
        flicker([np.ones(2), np.ones(3)])
    with pytest.raises(ValueError, match='shape'):
        flicker([np.ones(2)] * 2, [np.ones(3)] * 2)
    with pytest.raises(ValueError, match='shorter'):
        flicker([np.ones(2)] * 2, [np.ones(2)])
