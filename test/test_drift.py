# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A calibration that no longer fits what is in sight is told, and only then."""

import dataclasses

import numpy as np
import pytest

from depth_estimation_ros import calibration_file, synthetic
from depth_estimation_ros.anchors import Anchors
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.drift import Drift
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.references import References
from depth_estimation_ros.synthetic.card import Card, hold_up, tag, turned

CAMERA = Camera(320, 240, 280.0, 282.0, 161.0, 118.0)
V, U = np.mgrid[20:230:30, 20:310:40].reshape(2, -1)


@pytest.fixture(scope='module')
def scene():
    """Two pictures with their depth: of a place, and of one two metres beside it."""
    room = synthetic.make_room(3)
    pose = synthetic.trajectory(room, 1)[0]
    aside = dataclasses.replace(pose, position=pose.position + 0.5 * pose.rotation[:, 0])
    return [synthetic.render(room, CAMERA, one) for one in (pose, aside)]


def anchors_of(scene):
    image, truth = scene[0]
    return Anchors.of(image, U, V, truth[V, U])


def calibration(anchors=None):
    fitted = fit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], DepthKind.METRIC)
    return Calibration(fitted, 'any', CAMERA, 0, anchors=anchors)


def depth_map(image, depth, of, stamp=1):
    depth = np.asarray(depth, np.float32)
    frame = Frame(image, stamp, camera=CAMERA)
    return DepthMap(frame, Prediction(depth, DepthKind.METRIC), depth, of)


def test_anchors_are_known_again_where_they_were_and_nowhere_else(scene):
    anchors = anchors_of(scene)
    assert 15 <= len(anchors.depth) <= 32
    assert anchors.seen(scene[0][0]).all()
    noisy = scene[0][0] + np.random.default_rng(0).integers(0, 5, scene[0][0].shape, np.uint8)
    darker = (0.8 * scene[0][0]).astype(np.uint8)
    assert anchors.seen(np.maximum(noisy, scene[0][0])).mean() > 0.8
    assert anchors.seen(darker).mean() > 0.9
    assert anchors.seen(scene[1][0]).mean() < 0.4
    assert not anchors.seen(scene[0][0][:200]).any()


def test_what_looks_like_anything_and_what_is_at_the_border_is_no_anchor(scene):
    image = np.full((240, 320, 3), 90, np.uint8)
    assert Anchors.of(image, [100.0], [100.0], [2.0]) is None
    assert Anchors.of(scene[0][0], [0.0], [100.0], [2.0]) is None


def test_anchors_are_saved_with_their_calibration(scene, tmp_path):
    kept = calibration(anchors_of(scene))
    calibration_file.save(kept, tmp_path / 'one.yaml')
    loaded = calibration_file.load(tmp_path / 'one.yaml')
    assert dataclasses.replace(loaded, anchors=None) == dataclasses.replace(kept, anchors=None)
    for field in dataclasses.fields(Anchors):
        np.testing.assert_array_equal(
            getattr(loaded.anchors, field.name), getattr(kept.anchors, field.name)
        )
    text = (tmp_path / 'one.yaml').read_text()
    (tmp_path / 'one.yaml').write_text(text.replace('looks: ', 'looks: AAAA'))
    with pytest.raises(ValueError, match='is not a calibration'):
        calibration_file.load(tmp_path / 'one.yaml')


@pytest.mark.parametrize(
    ('factor', 'drifted', 'told'),
    [(1.02, False, 'holds, 2% too far'), (1.2, True, 'drifted, 20% too far by anchors: calibr'),
     (0.8, True, 'drifted, 20% too near')],
)  # fmt: skip
def test_anchors_in_sight_tell_whether_a_calibration_holds(scene, factor, drifted, told):
    (image, truth), of, drift = scene[0], calibration(anchors_of(scene)), Drift()
    assert str(drift.of(of)) == 'not checked'
    assert drift.of(of).sigma == 0.0
    drift.look(depth_map(image, factor * truth, of))
    assert drift.of(of).drifted == drifted
    assert drift.of(of).sigma == pytest.approx(abs(factor - 1.0), abs=1e-3)
    assert told in str(drift.of(of))
    assert str(drift.of(calibration())) == 'not checked'


def test_a_few_steps_towards_a_small_tag_are_no_drift(scene):
    picture, sides = tag('DICT_APRILTAG_36H11', 7)

    def before(distance):
        card = Card(picture, sides * 0.16, turned(15.0, -10.0, 5.0), np.array([0, 0, distance]))
        return hold_up(card, CAMERA, *scene[0])[:2]

    (image, truth), (nearer, now) = before(1.5), before(1.4)
    v, u = np.nonzero(truth != scene[0][1])
    anchors, drift = Anchors.of(image, u[::9], v[::9], truth[v, u][::9]), Drift()
    assert anchors.seen(nearer).mean() > 0.5
    of = calibration(anchors)
    drift.look(depth_map(nearer, now, of))
    assert drift.of(of).error < -0.05
    assert not drift.of(of).drifted
    of = calibration(anchors)
    drift.look(depth_map(image, 0.8 * truth, of))
    assert drift.of(of).drifted


def test_what_is_out_of_sight_is_not_checked(scene):
    (image, truth), of, drift = scene[1], calibration(anchors_of(scene)), Drift()
    drift.look(depth_map(image, 1.5 * truth, of))
    drift.look(depth_map(image, 1.5 * truth, calibration()))
    assert str(drift.of(of)) == 'not checked'


def test_it_looks_twice_a_second_and_takes_the_mean(scene):
    (image, truth), of, drift = scene[0], calibration(anchors_of(scene)), Drift()
    for stamp, factor in ((1, 1.0), (2, 2.0), (500_000_001, 1.1)):
        drift.look(depth_map(image, factor * truth, of, stamp))
    assert drift.of(of).error == pytest.approx(0.03, abs=1e-3)
    assert drift.of(of).stamp == 500_000_001


def test_any_references_will_do_and_a_wrong_one_does_no_harm(scene):
    (image, truth), of, drift = scene[0], calibration(), Drift()
    depth = truth[V, U].copy()
    depth[:5] *= 4.0
    known = References(U.astype(float), V.astype(float), depth, 'lidar')
    seen = truth.copy()
    seen[:100] = np.inf
    drift.check(known, depth_map(image, 1.1 * seen, of))
    assert drift.of(of).error == pytest.approx(0.1, abs=0.01)
    assert 'by lidar' in str(drift.of(of))


def test_of_several_sources_the_worst_is_told_and_one_that_fell_silent_is_not(scene):
    (image, truth), of, drift = scene[0], calibration(), Drift()

    def check(source, factor, stamp):
        known = References(U.astype(float), V.astype(float), truth[V, U], source)
        drift.check(known, depth_map(image, factor * truth, of, stamp))

    check('lidar', 1.2, 10**9)
    for stamp in range(1, 11):
        check('depth camera', 1.0, stamp * 10**9)
        assert drift.of(of).error == pytest.approx(0.2, abs=1e-3)
        assert 'by lidar' in str(drift.of(of))
    check('depth camera', 1.0, 12 * 10**9)
    assert str(drift.of(of)) == 'holds, 0% too near by depth camera'
    check('lidar', 1.2, 13 * 10**9)
    check('depth camera', 1.0, 10**9)  # a recording begins anew
    assert 'by depth camera' in str(drift.of(of))
    check('lidar', 1.0, 10**9)
    assert drift.of(of).error == pytest.approx(0.14, abs=1e-3)


def test_a_drifted_calibration_is_told_and_depths_are_less_sure(scene):
    estimator = DepthEstimator.load('bundled', device='cpu')
    pipeline = DepthPipeline(estimator, (0.1, 20.0))
    image, truth = scene[0]
    first = pipeline.process(Frame(image, 1, camera=CAMERA))
    said = np.asarray(first.prediction.values)
    right = fit(said[V, U], truth[V, U], DepthKind.METRIC)
    wrong = dataclasses.replace(right, scale=1.3 * right.scale)
    anchors = Anchors.of(image, U, V, right.depth(said)[V, U])
    for fitted, error in ((right, 0.0), (wrong, 0.3)):
        pipeline.calibration = Calibration(fitted, 'bundled', CAMERA, 0, anchors=anchors)
        pipeline.process(Frame(image, 2, camera=CAMERA))
        after = pipeline.process(Frame(image, 3, camera=CAMERA))
        assert pipeline.drift.of(pipeline.calibration).drifted == (error > 0.0)
        assert after.drift == pytest.approx(error, abs=0.01)
