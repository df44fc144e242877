# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Alignments, figures over frames, and the report, against numbers worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from recorded import picture, save_kitti, save_pairs

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.evaluation import report, scores
from depth_estimation_ros.evaluation.alignment import Alignment
from depth_estimation_ros.evaluation.data import open_data
from depth_estimation_ros.evaluation.scores import Protocol
from depth_estimation_ros.evaluation.tally import NAMES, Tally
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.metrics import depth_errors, flicker
from depth_estimation_ros.training.validation import held_out_frame

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.uniform(1, 6, (12, 16)).astype(np.float32)
VALID = np.ones(TRUTH.shape, bool)


def depth_map(values, kind):
    frame = Frame(picture(16, 12))
    depth = values if kind is DepthKind.METRIC else None
    return DepthMap(frame, Prediction(values.astype(np.float32), kind), depth)


def aligned(how, values, kind, valid=VALID, seed=0):
    alignment = Alignment.parse(how)
    random = np.random.default_rng(seed)
    return alignment.apply(depth_map(values, kind), TRUTH, valid, random)


@pytest.fixture(scope='module')
def bundled():
    estimator = DepthEstimator.load('bundled', device='cpu', runtime='torch')
    yield estimator
    estimator.close()


@pytest.fixture(scope='module')
def rooms(tmp_path_factory):
    """Three rendered rooms as pairs, in a sequence."""
    frames = [held_out_frame(index, (48, 64)) for index in range(3)]
    folder = tmp_path_factory.mktemp('rooms')
    return save_pairs(
        folder, [truth for _, truth in frames], [image for image, _ in frames], sequence='walk'
    )


@pytest.mark.parametrize('how', ['median', 'scale', 'affine', 'points:9'])
def test_an_answer_that_differs_as_its_kind_may_is_aligned_exactly(how):
    metric = aligned(how, 0.3 * TRUTH, DepthKind.METRIC)
    np.testing.assert_allclose(metric.depth, TRUTH, rtol=1e-5)
    relative = aligned(how, 700 / TRUTH, DepthKind.RELATIVE)
    np.testing.assert_allclose(relative.depth, TRUTH, rtol=1e-4)


def test_affine_takes_a_shift_of_inverse_depth_out_and_the_others_do_not():
    values = (1 / TRUTH - 0.05) * 40
    np.testing.assert_allclose(aligned('affine', values, DepthKind.RELATIVE).depth, TRUTH, 1e-4)
    of_metric = aligned('affine', 1 / (1 / TRUTH + 0.4), DepthKind.METRIC)
    np.testing.assert_allclose(of_metric.depth, TRUTH, rtol=1e-4)
    for how in ('median', 'scale'):
        depth = aligned(how, values, DepthKind.RELATIVE).depth
        assert depth_errors(depth, TRUTH).abs_rel > 0.05


def test_each_alignment_is_the_best_of_its_own_kind():
    values = TRUTH * RANDOM.lognormal(0.3, 0.2, TRUTH.shape)
    scaled = aligned('scale', values, DepthKind.METRIC).depth
    assert np.mean(np.log(scaled / TRUTH)) == pytest.approx(0, abs=1e-6)
    errors = depth_errors(scaled, TRUTH)
    assert errors.rmse_log == pytest.approx(errors.silog / 100, rel=1e-5)
    median = aligned('median', values, DepthKind.METRIC).depth
    assert np.median(1 / median) == pytest.approx(np.median(1 / TRUTH), rel=1e-5)
    inverse = aligned('affine', values, DepthKind.METRIC).depth ** -1
    design = np.column_stack([1 / values.ravel(), np.ones(values.size)])
    solution = np.linalg.lstsq(design, (1 / TRUTH).ravel(), rcond=None)[0]
    np.testing.assert_allclose(inverse.ravel(), design @ solution, rtol=1e-5)


def test_none_takes_metres_as_they_are():
    np.testing.assert_array_equal(aligned('none', 2 * TRUTH, DepthKind.METRIC).depth, 2 * TRUTH)
    with pytest.raises(ValueError, match=r'midas answers inverse depth.*--align affine'):
        Alignment().check('midas', DepthKind.RELATIVE)
    Alignment().check('meter', DepthKind.METRIC)


def test_an_estimate_beyond_the_range_of_the_network_is_no_farther_than_it_says():
    """Of a network of up to 4 m: 5 m against 5 m is right, not as far as the cap."""
    truth = np.full((4, 4), 5.0, np.float32)
    beyond = DepthMap(
        Frame(picture(4, 4)), Prediction(truth, DepthKind.METRIC), np.full_like(truth, np.inf)
    )
    found = Alignment().apply(beyond, truth, truth > 0, RANDOM)
    np.testing.assert_array_equal(found.depth, truth)


def test_only_valid_pixels_align():
    wrong = np.where(np.arange(16) < 8, 2 * TRUTH, 50 * TRUTH)
    valid = VALID & (np.arange(16) < 8)
    for how in ('median', 'scale', 'affine', 'points:4'):
        depth = aligned(how, wrong, DepthKind.METRIC, valid).depth
        np.testing.assert_allclose(depth[:, :8], TRUTH[:, :8], rtol=1e-4)


def test_points_are_seeded_and_not_scored():
    values = TRUTH * RANDOM.lognormal(0, 0.03, TRUTH.shape)
    one, again, other = (
        aligned('points:5', values, DepthKind.METRIC, seed=seed) for seed in (1, 1, 2)
    )
    assert (~one.scored).sum() == 5
    np.testing.assert_array_equal(one.scored, again.scored)
    np.testing.assert_array_equal(one.depth, again.depth)
    assert (one.scored != other.scored).any()


def test_points_that_determine_no_fit_are_drawn_again_and_counted():
    values = 1 / TRUTH
    values[RANDOM.random(TRUTH.shape) < 0.4] = 9.0  # four wrong answers in ten
    draws = [
        aligned('points:3', values, DepthKind.RELATIVE, seed=seed).refused for seed in range(20)
    ]
    assert max(draws) > 0
    with pytest.raises(ValueError, match='nearly equal'):
        aligned('points:3', np.ones(TRUTH.shape), DepthKind.RELATIVE)
    with pytest.raises(ValueError, match=r'too few pixels of truth for 192 points'):
        aligned('points:192', values, DepthKind.RELATIVE)


@pytest.mark.parametrize('how', ['median', 'scale'])
def test_an_answer_that_no_scale_aligns_is_refused(how):
    with pytest.raises(ValueError, match='positive'):
        aligned(how, -TRUTH, DepthKind.RELATIVE)
    with pytest.raises(ValueError, match='same everywhere'):
        aligned('affine', np.ones(TRUTH.shape), DepthKind.RELATIVE)


@pytest.mark.parametrize('text', ['', 'Median', 'points', 'points:0', 'points:-1', 'affine:3'])
def test_an_unknown_alignment_is_refused_with_those_known(text):
    with pytest.raises(ValueError, match='known are none, median, scale, affine, points:N'):
        Alignment.parse(text)


def test_figures_are_means_over_frames():
    tally = Tally()
    truth = np.full((2, 2), 2.0, np.float32)
    truth[0, 0] = np.nan
    second = np.array([[9.0, 2.0], [np.inf, -np.inf]], np.float32)
    tally.add('one', picture(2, 2), 1.1 * np.full_like(truth, 2), truth, follows=False)
    tally.add('two', picture(2, 2), second, truth, follows=True)
    figures = tally.figures()
    assert figures['AbsRel'] == pytest.approx((0.1 + 0.0) / 2, rel=1e-5)
    assert figures['RMSE'] == pytest.approx((0.2 + 0.0) / 2, rel=1e-5)
    assert figures['coverage'] == pytest.approx((1 + 1 / 3) / 2)
    assert figures['flicker'] == pytest.approx(np.log(1.1), rel=1e-5)
    assert (tally.frames, tally.pixels) == (2, 4)
    assert tally.errors.sum() == tally.joint.sum() == 4
    tally.leave_out('no truth')
    tally.add('three', picture(2, 2), second, truth, follows=True)
    assert tally.figures()['flicker'] == pytest.approx(np.log(1.1), rel=1e-5)  # nothing before it


def test_a_frame_without_an_answer_is_left_out_and_said():
    tally, unknown = Tally(), np.full((2, 2), -np.inf, np.float32)
    truth = np.full((2, 2), 2.0, np.float32)
    tally.add('one', picture(2, 2), unknown, truth, follows=False)
    assert tally.left_out == {'no answer where the truth counts': 1}
    tally.add('two', picture(2, 2), truth, truth, follows=True)
    assert (tally.frames, len(tally.examples)) == (1, 1)
    assert np.isnan(tally.figures()['flicker'])


def test_every_scored_pixel_has_its_place_in_the_report():
    tally, near = Tally(), np.full((2, 2), 0.01, np.float32)
    tally.add('mouse', picture(2, 2), 1e5 * near, near, follows=False)
    assert tally.joint[0, -1] == tally.joint.sum() == 4


def test_frames_of_equal_fate_are_counted_together():
    told = {
        scores._reason(ValueError(f'the fit has scale {scale:.4g}, which is not positive: check'))
        for scale in (-0.12, -3e-5)
    }
    assert told == {'the fit has scale …, which is not positive'}


def test_examples_are_few_and_spread():
    tally = Tally()
    for index in range(101):
        tally.add(str(index), picture(16, 12), TRUTH, TRUTH, follows=False)
    names = [int(one.name) for one in tally.examples]
    assert len(names) == 3
    assert (names[0], min(np.diff(names)) > 25, names[-1] > 75) == (0, True, True)


def test_a_network_is_scored_on_what_it_says(bundled, rooms):
    data = open_data(rooms)
    tally = scores.evaluate(bundled, data, Protocol(cap=4.0))
    errors, depths, truths = [], [], []
    for sample in data.samples():
        (prediction,) = bundled.predict([sample.frame.image])
        depth = np.clip(np.asarray(prediction.values), 0, 4.0)
        truth = np.where(sample.truth < 4.0, sample.truth, np.nan)
        errors.append(depth_errors(depth, truth))
        depths.append(depth)
        truths.append(truth)
    assert np.max(depths) == 4.0  # what is farther counts as the cap
    for name, field in NAMES.items():
        mean = np.mean([getattr(one, field) for one in errors])
        assert tally.figures()[name] == pytest.approx(mean, rel=1e-6), name
    assert tally.pixels == sum(np.isfinite(truth).sum() for truth in truths)
    assert tally.figures()['flicker'] == pytest.approx(flicker(depths, truths))
    assert scores.evaluate(bundled, data, Protocol(limit=2)).frames == 2


def test_the_crop_of_the_data_set_is_all_that_is_scored(bundled, tmp_path):
    truth = np.full((100, 200), 5.0, np.float32)
    image = picture(200, 100)
    data = open_data(save_kitti(tmp_path, [truth], [image]))
    assert scores.evaluate(bundled, data, Protocol(crop='garg')).pixels == (99 - 40) * (192 - 7)
    assert scores.evaluate(bundled, data, Protocol(crop='eigen')).pixels == (91 - 33) * (192 - 7)
    assert scores.evaluate(bundled, data, Protocol()).pixels == truth.size


def test_what_cannot_be_scored_is_said(bundled, rooms, tmp_path):
    with pytest.raises(ValueError, match=r'no crop garg is defined for pairs.json: take none'):
        scores.evaluate(bundled, open_data(rooms), Protocol(crop='garg'))
    truths = [np.full((48, 64), metres, np.float32) for metres in (2.0, 8.0)]
    data = open_data(save_pairs(tmp_path, truths))
    tally = scores.evaluate(bundled, data, Protocol(cap=5.0))
    assert tally.left_out == {'no truth in the crop and below the cap': 1}
    assert tally.frames == 1
    with pytest.raises(ValueError, match=r'no frame could be scored.*2 frames: no truth in the c'):
        scores.evaluate(bundled, data, Protocol(cap=1.0))


def test_the_report_is_a_picture_with_a_section_for_each_network(bundled, rooms, tmp_path):
    data, protocol = open_data(rooms), Protocol(Alignment.parse('affine'))
    tally = scores.evaluate(bundled, data, protocol)
    row = scores.row(bundled, str(rooms), data, protocol, tally)
    heights = []
    for count in (1, 2):
        file = tmp_path / f'{count}.png'
        report.draw([row] * count, [tally] * count, file)
        drawn = cv2.imread(str(file))
        heights.append(drawn.shape[0])
        assert drawn.shape[1] == 1300
        assert len(np.unique(drawn @ [1, 256, 65536])) > 1000  # colours: pictures, not a blank
    assert heights[1] == 2 * heights[0]


def test_five_points_on_real_frames_are_better_than_none(assets):
    weights = str(assets / 'weights' / 'meter' / 'build_model_best_nyu_xxs')
    estimator = DepthEstimator.load('meter-nyu-xxs', weights, 'cpu', 'torch')
    data = open_data(assets / 'bags' / 'redwood_5frames_compressed')
    abs_rel = {
        how: scores.evaluate(estimator, data, Protocol(Alignment.parse(how))).figures()['AbsRel']
        for how in ('none', 'points:5', 'affine')
    }
    assert abs_rel['affine'] < abs_rel['points:5'] < 0.5 * abs_rel['none']
