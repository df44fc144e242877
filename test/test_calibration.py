# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros.calibration import ASSUMED_RELATIVE_ERROR, Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.fitting import factor, fit
from depth_estimation_ros.frames import DepthKind

RELATIVE, METRIC = DepthKind.RELATIVE, DepthKind.METRIC
CAMERA = Camera(640, 480, 500.0, 505.0, 321.0, 238.0, 'plumb_bob', (-0.2, 0.05, 0.0, 0.0, 0.0))

depths = st.lists(st.floats(0.3, 30.0), min_size=2, max_size=40).filter(
    lambda z: max(z) > 1.2 * min(z)
)


def said(z, scale, shift, kind):
    """What a network says that is exactly right up to scale and shift."""
    z = np.asarray(z)
    return ((1.0 / z if kind is RELATIVE else z) - shift) / scale


@given(depths, st.floats(1e-3, 1e3), st.floats(-2.0, 2.0))
def test_relative_data_give_back_scale_and_shift(z, scale, shift):
    found = fit(said(z, scale, shift, RELATIVE), z, RELATIVE, spread=1e-9)
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert found.shift == pytest.approx(shift, abs=1e-6)
    assert found.inliers == found.references == len(z)
    np.testing.assert_allclose(found.depth(said(z, scale, shift, RELATIVE)), z, rtol=1e-3)


@given(st.lists(st.floats(0.3, 30.0), min_size=1, max_size=40), st.floats(1e-3, 1e3))
def test_metric_data_give_back_the_scale(z, scale):
    found = fit(said(z, scale, 0.0, METRIC), z, METRIC)
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert found.shift == 0.0
    assert found.rms_relative_error < 1e-9


@given(depths, st.floats(0.1, 10.0), st.floats(-0.2, 0.2))
def test_metric_data_give_back_a_shift_that_was_asked_for(z, scale, shift):
    found = fit(said(z, scale, shift, METRIC), z, METRIC, shift=True)
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert found.shift == pytest.approx(shift, abs=1e-6)


def test_a_relative_fit_is_affine_in_inverse_depth_and_not_in_depth():
    z = np.linspace(0.5, 8.0, 30)
    inverse, straight = said(z, 2.0, -0.1, RELATIVE), said(z, 2.0, -0.1, METRIC)
    assert fit(inverse, z, RELATIVE).rms_relative_error < 1e-9
    assert fit(straight, z, METRIC, shift=True).rms_relative_error < 1e-9
    with pytest.raises(ValueError, match=r'agree|positive'):
        fit(straight, z, RELATIVE)
    with pytest.raises(ValueError, match=r'agree|positive'):
        fit(inverse, z, METRIC, shift=True)


def test_the_error_that_is_minimised_is_relative_in_depth():
    """Noise of one percent at every depth: far references must not drown the near ones."""
    random = np.random.default_rng(0)
    z = np.geomspace(0.5, 50.0, 400)
    noisy = z * (1.0 + 0.01 * random.standard_normal(400))
    for kind, shift in ((RELATIVE, -0.005), (METRIC, 0.0)):
        found = fit(said(z, 3.0, shift, kind), noisy, kind)
        assert found.scale == pytest.approx(3.0, rel=0.005)
        assert found.rms_relative_error == pytest.approx(0.01, rel=0.15)
        error = found.depth(said(z, 3.0, shift, kind)) / z - 1
        assert np.abs(error).max() < 0.01


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
@pytest.mark.parametrize('count', [10, 40])
def test_thirty_percent_of_gross_errors_change_nothing(kind, count):
    random = np.random.default_rng(count)
    z = random.uniform(0.5, 10.0, count)
    shift = 0.05 if kind is RELATIVE else 0.0
    p = said(z, 0.4, shift, kind)
    wrong = random.permutation(count)[: count * 3 // 10]
    given_z = z.copy()
    given_z[wrong] *= random.choice([0.2, 0.4, 2.5, 6.0], len(wrong))
    found = fit(p, given_z, kind)
    assert found.scale == pytest.approx(0.4, rel=1e-6)
    assert found.shift == pytest.approx(shift, abs=1e-6)
    assert (found.inliers, found.references) == (count - len(wrong), count)


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
def test_of_thousands_of_references_a_third_may_be_wrong(kind):
    random = np.random.default_rng(5)
    z = random.uniform(0.5, 8.0, 2000)
    shift = 0.05 if kind is RELATIVE else 0.0
    p = said(z * (1 + 0.02 * random.standard_normal(2000)), 0.4, shift, kind)
    z[:600] *= random.choice([0.3, 3.0], 600)
    found = fit(p, z, kind)
    assert found.scale == pytest.approx(0.4, rel=0.01)
    assert found.noise == pytest.approx(0.02, rel=0.15)
    assert 1390 <= found.inliers <= 1410
    assert found == fit(p, z, kind)  # what is drawn is always the same


def test_a_network_that_errs_much_is_calibrated_and_says_so():
    z = np.linspace(1.0, 6.0, 9)
    p = z / 1.5 * (1 + 0.22 * np.resize([1, -1, -1, 1, 0.2], 9))
    found = fit(p, z, METRIC)
    assert found.inliers == 9
    assert found.scale == pytest.approx(1.5, rel=0.08)
    assert 0.15 < found.noise < 0.35
    with pytest.raises(ValueError, match='only 4 of 9 references agree within 30%'):
        fit(z * [1, 1, 1, 1, 2, 4, 8, 16, 32], z, METRIC)


@pytest.mark.parametrize(
    ('p', 'z', 'kind', 'shift', 'reason'),
    [
        ([], [], RELATIVE, False, 'no reference'),
        ([1.0, 2.0], [1.0], RELATIVE, False, 'one for each pixel'),
        ([1.0], [2.0], METRIC, True, 'one reference cannot fix scale and shift'),
        ([1.0], [2.0], RELATIVE, True, 'one reference cannot fix scale and shift'),
        ([1.0, 1.001], [1.0, 2.0], RELATIVE, False, 'nearly equal'),
        ([5.0, 5.0, 5.0, 5.0], [1.0, 1.0, 1.0, 1.0], RELATIVE, False, 'nearly equal'),
        ([5.0, 5.01], [5.0, 5.0], METRIC, True, 'nearly equal'),
        ([1.0, 2.0], [1.0, 2.0], RELATIVE, False, 'not positive'),
        ([-2.0], [2.0], METRIC, False, 'not positive'),
        ([1.0, 2.0, 4.0, 5.0, 7.0], [1.0, 2.0, 4.0, 5.0, 7.0], RELATIVE, False, 'agree|positive'),
        ([math.nan, math.nan], [1.0, 2.0], RELATIVE, False, 'knows nothing'),
        ([math.nan, 2.0], [1.0, 2.0], RELATIVE, False, 'one reference cannot fix'),
        ([1.0, 2.0], [1.0, 0.0], RELATIVE, False, 'positive and finite'),
        ([1.0, 2.0], [1.0, -3.0], METRIC, False, 'positive and finite'),
        ([1.0, 2.0], [1.0, math.nan], METRIC, False, 'positive and finite'),
        ([1.0, 2.0], [math.inf, 1.0], METRIC, False, 'positive and finite'),
        ([2.0, 2.0], [1.0, 5.0], METRIC, False, 'agree'),
        ([1.0, 2.0, 3.0], [1.0, 1.0, 0.1], RELATIVE, False, 'agree'),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 4.0, 8.0], METRIC, False, 'only 1 of 4'),
        ([9.0, 1.0, 8.0, 2.0, 7.0, 3.0], [8.0, 1.0, 0.1, 2.0, 9.0, 0.2], RELATIVE, False, 'agree'),
    ],
)
def test_what_does_not_determine_the_fit_is_refused(p, z, kind, shift, reason):
    with pytest.raises(ValueError, match=reason):
        fit(p, z, kind, shift)


def test_references_that_agree_at_one_depth_do_not_determine_a_shift():
    p, z = np.full(2000, 5.0), np.ones(2000)
    p[3], z[3] = 1.0, 5.0  # too rare to be drawn
    with pytest.raises(ValueError, match='nearly equal'):
        fit(p, z, RELATIVE)


@pytest.mark.parametrize('wrong', [4, 5])
def test_a_wrong_reference_that_turns_near_and_far_round_is_left_out(wrong):
    z = [1.0, 1.0, 1.0, 1.0, 3.0, 3.0]
    z[wrong] = 0.3
    found = fit([5.0, 5.0, 5.0, 5.0, 1.0, 1.0], z, RELATIVE)
    assert (found.scale, found.inliers) == (pytest.approx(1 / 6), 5)


@pytest.mark.parametrize(
    'change', [{'inliers': 1}, {'inliers': 9}, {'kind': DepthKind.CALIBRATED}]
)
def test_a_fit_of_too_few_is_none(change):
    found = fit([1.0, 2.0, 3.0], [1.0, 1 / 2, 1 / 3], RELATIVE)
    found = dataclasses.replace(found, covariance=(1e-4, 0.0, 1e-4))
    with pytest.raises(ValueError, match='no fit'):
        dataclasses.replace(found, **change)


def test_the_spread_of_the_whole_prediction_tells_references_that_are_too_alike():
    z = np.array([1.0, 1.02])
    p = said(z, 1.0, 0.0, RELATIVE)
    assert fit(p, z, RELATIVE, spread=0.1).references == 2
    with pytest.raises(ValueError, match='nearly equal'):
        fit(p, z, RELATIVE, spread=2.0)


@pytest.mark.parametrize(('kind', 'shift'), [(RELATIVE, True), (METRIC, False), (METRIC, True)])
def test_the_covariance_is_the_spread_of_repeated_fits(kind, shift):
    random = np.random.default_rng(1)
    z = np.linspace(1.0, 6.0, 100)
    p = said(z, 0.7, 0.1 if shift else 0.0, kind)
    fits = [fit(p, z * (1 + 0.05 * random.standard_normal(100)), kind, shift) for _ in range(400)]
    spread = np.cov([one.scale for one in fits], [one.shift for one in fits])
    told = np.mean([one.covariance for one in fits], axis=0)
    found = spread[0, 0], spread[0, 1], spread[1, 1]
    np.testing.assert_allclose(told, found, rtol=0.25, atol=1e-12)


@pytest.mark.parametrize(('kind', 'shift'), [(RELATIVE, True), (METRIC, False), (METRIC, True)])
def test_the_standard_deviation_covers_the_error_of_new_measurements(kind, shift):
    """Two thirds of new references, as noisy as those of the fit, lie within one sigma."""
    random = np.random.default_rng(2)
    z = np.linspace(1.0, 6.0, 12)
    p = said(z, 0.7, 0.1 if shift else 0.0, kind)
    within = []
    for _ in range(200):
        noisy, new = z * (1 + 0.04 * random.standard_normal((2, 12)))
        found = fit(p, noisy, kind, shift)
        within.append(np.abs(found.depth(p) - new) < found.std_dev(p))
    assert np.mean(within) == pytest.approx(0.68, abs=0.06)


def test_without_redundancy_an_error_is_assumed():
    exact = fit([0.5, 2.0], [2.0, 0.5], RELATIVE)
    assert math.isnan(exact.leave_one_out)
    assert exact.rms_relative_error < 1e-9
    sigma = exact.std_dev([0.5, 2.0]) / [2.0, 0.5]
    # As much for the reference that the fit goes through as for what is measured now.
    np.testing.assert_allclose(sigma, math.sqrt(2) * exact.noise, rtol=1e-4)
    assert 2 * ASSUMED_RELATIVE_ERROR < exact.noise < 0.12  # a guess is no measurement


def test_leave_one_out_is_the_brute_force_computation():
    """Residuals of one size keep Huber's weights at one, so plain least squares is the truth."""
    z = np.linspace(1.0, 8.0, 14)
    p = said(z, 0.5, 0.02, RELATIVE)
    noisy = z * (1 + 0.04 * np.resize([1, -1, -1, 1], 14))
    found = fit(p, noisy, RELATIVE)
    errors = []
    for left_out in range(14):
        rest = np.arange(14) != left_out
        rows = np.column_stack([p, np.ones(14)]) * noisy[:, None]
        x = np.linalg.lstsq(rows[rest], np.ones(13), rcond=None)[0]
        errors.append(rows[left_out] @ x - 1)
    assert found.leave_one_out == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-9)
    assert found.leave_one_out > found.rms_relative_error


def test_depth_is_float32_of_the_same_shape_and_unknown_stays_unknown():
    found = fit([1.0, 2.5], [2.0, 0.5], RELATIVE)  # 1/Z = d - 0.5
    depth = found.depth(np.array([[1.5, np.nan, 0.4], [-3.0, 4.5, np.inf]], np.float32))
    assert depth.dtype == np.float32
    expected = [[1.0, np.nan, np.inf], [np.inf, 0.25, 0.0]]
    np.testing.assert_allclose(depth, expected, rtol=1e-5)


def calibration(**changes):
    fitted = fit([0.5, 2.0], [2.0, 0.5], RELATIVE)
    return dataclasses.replace(Calibration(fitted, 'bundled-relative', CAMERA, 5), **changes)


def test_a_calibration_belongs_to_its_model():
    with pytest.raises(ValueError, match='for model bundled-relative, not midas'):
        calibration().check('midas', CAMERA)


@pytest.mark.parametrize(
    'change',
    [
        {'fx': 520.0},
        {'cy': 230.0},
        {'distortion': (-0.3, 0.05, 0.0, 0.0, 0.0)},
        {'distortion_model': '', 'distortion': ()},
    ],
)
def test_a_calibration_belongs_to_its_camera(change):
    with pytest.raises(ValueError, match='another camera'):
        calibration().check('bundled-relative', dataclasses.replace(CAMERA, **change))


def test_the_same_camera_may_be_resized_and_intrinsics_may_be_unknown():
    for camera in (CAMERA, CAMERA.scaled(320, 240), None):
        calibration().check('bundled-relative', camera)
    calibration(camera=None).check('bundled-relative', CAMERA)


def test_a_plain_factor_makes_metres_of_unknown_uncertainty():
    """Z = value·Ẑ, or Z = value/d."""
    metric, relative = factor(METRIC, 1.5), factor(RELATIVE, 1.5)
    assert metric.depth(2.0) == pytest.approx(3.0)
    assert relative.depth(2.0) == pytest.approx(0.75)
    for found in (metric, relative):
        assert np.isnan(found.std_dev([0.5, 2.0])).all()
        assert (found.inliers, found.references) == (0, 0)
        assert 'plain factor' in found.remark
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match='positive and finite'):
            factor(METRIC, wrong)


def test_a_single_value_is_measured_too():
    found = fit([1.0, 2.5], [2.0, 0.5], RELATIVE)
    assert found.depth(1.5) == pytest.approx(1.0)
    assert found.depth(0.4) == np.inf
    assert found.depth(1.5).shape == found.std_dev(1.5).shape == ()


@pytest.mark.parametrize('p', [[1.0, 1.001, 1.002], [1.0, 1.05, 0.9]])
def test_references_of_one_thing_give_a_scale_alone_and_it_is_said(p):
    """Where depths are nearly equal, a shift would be made of how the network errs in them."""
    z = [2.0, 2.0, 2.01]
    found = fit(p, z, RELATIVE, spread=1.0, independent=1)
    assert found.scale == pytest.approx(0.5, rel=0.05)
    assert (found.shift, found.covariance[2]) == (0.0, 0.0)
    assert 'scale alone' in found.remark
    assert 'scale alone' in fit([1.0], [2.0], RELATIVE).remark


def test_where_a_shift_is_asked_for_none_is_left_out_silently():
    for kind in (RELATIVE, METRIC):
        with pytest.raises(ValueError, match='nearly equal'):
            fit([1.0, 1.001, 1.002], [2.0, 2.0, 2.01], kind, shift=True, independent=1)


def test_references_that_err_together_tell_less():
    z = np.linspace(1.0, 6.0, 400)
    noisy = z * (1 + 0.03 * np.random.default_rng(3).standard_normal(400))
    p = said(z, 0.7, 0.1, RELATIVE)
    apart, together = fit(p, noisy, RELATIVE), fit(p, noisy, RELATIVE, independent=25)
    np.testing.assert_allclose(together.covariance, 16 * np.array(apart.covariance), rtol=0.35)
    assert together.noise == pytest.approx(apart.noise, rel=0.15)
    assert together.scale == apart.scale
    with pytest.raises(ValueError, match='at least one, not 0'):
        fit(p, noisy, RELATIVE, independent=0)


def test_a_bad_distance_among_thousands_is_said_in_a_line():
    depths = np.linspace(1.0, 5.0, 2000)
    depths[[7, 9]] = math.inf
    with pytest.raises(ValueError, match='2 of 2000 are not, such as inf') as refusal:
        fit(depths, depths, METRIC)
    assert len(str(refusal.value)) < 200


def test_references_that_are_left_out_are_said_and_not_called_wrong_where_none_is_seen():
    z = np.linspace(1.0, 5.0, 9)
    wrong, unseen = z.copy(), z.copy()
    wrong[4], unseen[4] = 20.0, np.nan
    left = '1 of 9 references are left out: they disagree, or the network knows nothing there'
    assert fit(wrong, z, METRIC).remark == fit(unseen, z, METRIC).remark == left
    alone = fit(1.0 / wrong, z, RELATIVE, independent=1).remark
    assert alone.startswith('the scale alone is fitted')
    assert alone.endswith(f'; {left}')
    assert fit(z, z, METRIC).remark == ''


def test_references_that_hardly_determine_a_fit_are_told():
    z = np.array([1.75, 3.36, 3.66])  # without the near one, two are left that lie close together
    said = 1.0 / z + np.array([0.0, -0.015, 0.015])
    close = fit(said, z, RELATIVE)
    assert 'hardly determine it (leave-one-out 155%)' in close.remark
    more = np.array([1.45, 2.3])
    assert fit(np.append(said, 1.0 / more), np.append(z, more), RELATIVE).remark == ''
