# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Scale and shift that change from frame to frame go; motion stays; what is not known is said."""

import dataclasses

import numpy as np
import pytest
import torch

from depth_estimation_ros import sections
from depth_estimation_ros.benchmarks import steady
from depth_estimation_ros.benchmarks.steady import answer, calibrate
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.runtimes.device_array import DeviceArray, Uploads
from depth_estimation_ros.runtimes.torch_operations import TorchOperations
from depth_estimation_ros.stabilizer import Stabilizer
from depth_estimation_ros.stabilizer.alignment import align
from depth_estimation_ros.stabilizer.pose import View, locate

CAMERA = Camera(
    320, 240, 265.5, 266.5, 160.9, 118.2, 'plumb_bob', (-0.12, 0.02, 0.0006, -0.0004, 0.0)
)
RELATIVE, METRIC = DepthKind.RELATIVE, DepthKind.METRIC


@pytest.fixture(scope='module')
def drive():
    """Pictures and truth of a camera that drives."""
    return list(steady.moving(3, 40, CAMERA))


@pytest.fixture(scope='module')
def stand():
    """The same of one that stands while a ball moves."""
    return list(steady.standing(3, 25, CAMERA))


class Run:
    """A stabilizer that is fed frame after frame with what a network would say."""

    def __init__(self, kind, camera=CAMERA, **options):
        self.kind, self.camera, self.index = kind, camera, 0
        self.random = np.random.default_rng(7)
        self.stabilizer = Stabilizer(sections.Stabilizer(**options))
        self.calibration = self.basis = None

    def said(self, truth):
        return Prediction(answer(truth, self.kind, self.random), self.kind)

    def calibrate(self, image, truth):
        self.calibration, self.basis = calibrate(
            image, truth, self.said(truth), self.camera, self.random
        )

    def feed(self, image, truth, said=None):
        self.index += 1
        frame = Frame(image, self.index, camera=self.camera)
        return self.stabilizer.steady(
            frame, said or self.said(truth), self.calibration, self.basis
        )

    def error(self, image, truth, said=None):
        """Median of the relative error of the metres."""
        values = np.asarray(self.feed(image, truth, said).prediction.values)
        metres = self.calibration.fit.depth(values) if self.calibration else values
        return float(np.median(metres / truth)) - 1.0


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
@pytest.mark.parametrize('scene', steady.SCENES)
def test_what_is_promised_of_a_sequence_holds(scene, kind):
    outcome = steady.measure(scene, 11, 30, kind, CAMERA)
    assert outcome.before > 0.1
    assert outcome.after <= steady.WANTED_FLICKER * outcome.before
    assert outcome.worst <= steady.WANTED_ABS_REL
    assert 1 <= outcome.cut <= steady.WANTED_CUT


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
def test_a_drive_towards_a_wall_is_no_change_of_scale(kind, drive):
    run = Run(kind)
    run.said = lambda truth: Prediction(
        (1.0 / truth if kind is RELATIVE else truth).astype(np.float32), kind
    )
    run.calibrate(*drive[0])
    depths = [np.median(truth) for _, truth in drive]
    assert max(depths) > 1.2 * min(depths)
    for image, truth in drive:
        assert abs(run.error(image, truth)) < 0.005


def test_without_metres_a_moving_camera_is_left_as_the_network_says(drive):
    run = Run(RELATIVE)
    for image, truth in drive:
        said = run.said(truth)
        assert run.feed(image, truth, said).prediction is said


def test_without_metres_a_standing_camera_is_steadied(stand):
    run = Run(RELATIVE)
    first, *later = [run.feed(*one).prediction.values for one in stand]
    for (_, truth), values in zip(stand[1:], later, strict=True):
        still = np.abs(truth - stand[0][1]) < 0.01
        np.testing.assert_allclose(np.median((values - first)[still]), 0.0, atol=0.01)


def test_without_intrinsics_metres_of_a_moving_camera_are_as_sure_as_the_network(drive):
    run = Run(METRIC, camera=None)
    run.calibrate(*drive[0])
    drifts = [run.feed(*one).drift for one in drive]
    assert drifts[0] < 0.03
    assert min(drifts[5:]) > 0.05
    assert 'camera_info' in run.stabilizer.hint


def test_an_uncalibrated_metric_network_settles_on_its_mean(drive):
    run = Run(METRIC)
    first = Prediction(np.float32(1.2) * drive[0][1], METRIC)
    assert run.error(*drive[0], first) == pytest.approx(0.2)
    errors = [run.error(*one) for one in drive[1:]]
    assert np.abs(errors[-5:]).max() < 0.06


def test_one_spoilt_frame_is_no_cut(drive):
    run = Run(RELATIVE)
    run.calibrate(*drive[0])
    for image, truth in drive[:5]:
        assert run.feed(image, truth).drift < 0.02
    black = np.zeros_like(drive[5][0])
    assert run.feed(black, drive[5][1]).drift > 0.05
    assert 'calibrate again' in run.stabilizer.hint
    assert abs(run.error(*drive[6])) < 0.03
    assert (run.stabilizer.cuts, run.stabilizer.hint) == (0, '')


def test_after_a_cut_the_scale_is_told_to_be_unsure_until_the_next_calibration(drive, stand):
    run = Run(METRIC)
    run.calibrate(*drive[0])
    for one in drive[:5]:
        run.feed(*one)
    other = list(steady.moving(4, 12, CAMERA))
    drifts = [run.feed(*one).drift for one in other]
    assert run.stabilizer.cuts == 1
    assert min(drifts) > 0.05
    assert drifts[-1] < drifts[1]  # the mean over frames is surer than one
    assert 'the scene has changed' in run.stabilizer.hint
    run.calibrate(*other[-1])
    assert run.feed(*other[-1]).drift < 0.02
    assert run.stabilizer.hint == ''


def test_a_calibration_of_another_day_is_not_taken_for_one_of_now(drive):
    run = Run(METRIC)
    run.calibrate(*drive[0])
    run.basis = None
    assert min(run.feed(*one).drift for one in drive[:10]) > 0.05


def test_a_calibration_of_a_kept_frame_holds_for_those_after(drive):
    run = Run(RELATIVE)
    for one in drive[:5]:
        run.feed(*one)
    run.calibrate(*drive[2])
    assert abs(run.error(*drive[5])) < 0.03
    assert run.stabilizer.hint == ''


@pytest.mark.parametrize('kind', [RELATIVE, METRIC])
def test_a_new_calibration_of_a_frame_that_was_followed_takes_the_scene_over(kind, drive):
    run = Run(kind)
    run.calibrate(*drive[0])
    for image, truth in drive[:12]:
        kept = run.feed(image, truth).prediction
        if run.index == 9:
            run_basis = image, truth, kept, run.index
    image, truth, kept, stamp = run_basis
    run.calibration, _ = calibrate(image, truth, kept, CAMERA, run.random)
    covered = Frame(np.zeros_like(image), stamp, camera=CAMERA)  # its picture is not needed
    run.basis = DepthMap(covered, kept, None)
    for one in drive[12:20]:
        assert abs(run.error(*one)) < 0.03
        assert run.stabilizer.hint == ''
    run.index = 20
    early = DepthMap(dataclasses.replace(covered, stamp=-1), kept, None)
    run.calibration, run.basis = dataclasses.replace(run.calibration), early
    for one in drive[20:23]:
        run.feed(*one)
    assert 'calibrate again' in run.stabilizer.hint  # what was never followed is not trusted


def test_while_the_scale_still_settles_a_calibration_is_followed_from_its_own_frame(drive):
    run = Run(METRIC)
    kept = [
        run.feed(image, truth, Prediction(np.float32(scale) * truth, METRIC)).prediction
        for (image, truth), scale in zip(drive, (1.2, 0.8, 0.8, 0.8, 0.8), strict=False)
    ]
    image, truth = drive[0]
    run.calibration, _ = calibrate(image, truth, kept[0], CAMERA, run.random)
    run.basis = DepthMap(Frame(image, 1, camera=CAMERA), kept[0], None)
    errors = [run.error(*one) for one in drive[5:9]]
    assert np.abs(errors).max() < 0.03
    assert run.stabilizer.hint == ''


def test_time_that_jumps_back_begins_anew(drive):
    run = Run(METRIC)
    for one in drive[:3]:
        run.feed(*one)
    run.index = 0
    said = run.said(drive[3][1])
    assert run.feed(*drive[3], said).prediction is said


def test_a_frame_of_before_a_jump_back_in_time_was_not_followed(drive):
    run = Run(METRIC)
    for image, truth in drive[:8]:
        kept = run.feed(image, truth).prediction
    covered = Frame(np.zeros_like(image), run.index, camera=CAMERA)
    run.index = 0
    for one in drive[:3]:
        run.feed(*one)
    run.calibration, _ = calibrate(image, truth, kept, CAMERA, run.random)
    run.basis = DepthMap(covered, kept, None)
    for one in drive[3:6]:
        run.feed(*one)
    assert 'calibrate again' in run.stabilizer.hint


def test_it_can_be_turned_off(drive):
    run = Run(METRIC, enabled=False)
    for image, truth in drive[:3]:
        said = run.said(truth)
        assert run.feed(image, truth, said).prediction is said
    assert 'stabilizer.enabled' in run.stabilizer.hint


def test_pixels_that_stand_are_smoothed_and_a_moving_edge_is_not_smeared(stand):
    plain, smooth = Run(METRIC), Run(METRIC, smooth=0.8)
    errors, moved = [], []
    for index, (image, truth) in enumerate(stand):
        run_errors = []
        for run in (plain, smooth):
            if run.calibration is None:
                run.calibrate(image, truth)
            metres = run.calibration.fit.depth(run.feed(image, truth).prediction.values)
            run_errors.append(np.abs(metres / truth - 1.0))
        changed = np.abs(truth - stand[max(index - 1, 0)][1]) > 0.1  # where the ball came or went
        errors.append([np.median(one) for one in run_errors])
        moved.append([np.median(one[changed]) for one in run_errors] if changed.any() else [0, 0])
    before, after = np.mean(errors[10:], axis=0)
    assert after < 0.6 * before
    sharp, smeared = np.mean(moved[10:], axis=0)
    assert smeared < 1.5 * sharp < 0.05


def test_nothing_is_smoothed_while_the_camera_moves(drive):
    plain, smooth = Run(METRIC), Run(METRIC, smooth=0.8)
    for one in drive[:10]:
        expected, values = (run.feed(*one).prediction.values for run in (plain, smooth))
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize('shape', [(4, 6), (240, 320)])
def test_a_picture_without_corners_is_left_as_it_is(shape):
    run = Run(METRIC, camera=None)
    for _ in range(3):
        said = run.said(np.full(shape, 2.0))
        assert run.feed(np.full((*shape, 3), 90, np.uint8), None, said).prediction is said


def test_an_unknown_depth_spoils_nothing(drive):
    run = Run(METRIC)
    run.calibrate(*drive[0])
    for image, truth in drive[:10]:
        said = run.said(truth)
        said.values[:, ::9] = np.nan
        said.values[:60] = np.inf
        values = run.feed(image, truth, said).prediction.values
        known = np.isfinite(said.values)
        np.testing.assert_array_equal(np.isfinite(values), known)
        metres = run.calibration.fit.depth(values)
        assert abs(np.median((metres / truth)[known]) - 1.0) < 0.03


def test_on_a_device_it_is_the_same(drive):
    device = torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')
    operations = TorchOperations(Uploads(device))
    plain, other = Run(RELATIVE), Run(RELATIVE)
    for image, truth in drive[:5]:
        said = plain.said(truth)
        if plain.calibration is None:
            plain.calibration, plain.basis = calibrate(image, truth, said, CAMERA, plain.random)
            other.calibration, other.basis = plain.calibration, plain.basis
        values = DeviceArray(torch.from_numpy(said.values).to(device))
        there = dataclasses.replace(said, values=values, operations=operations)
        expected = plain.feed(image, truth, said).prediction.values
        steadied = other.feed(image, truth, there).prediction
        assert isinstance(steadied.values, DeviceArray)
        np.testing.assert_allclose(np.asarray(steadied.values), expected, rtol=1e-4, atol=1e-5)


def test_the_alignment_is_exact_and_robust():
    random = np.random.default_rng(0)
    values = random.uniform(1.0, 3.0, 100)
    wanted, weight = 1.3 * values - 0.4, np.ones(100)
    exact = align(values, wanted, weight, shift=True)
    assert (exact.scale, exact.shift) == (pytest.approx(1.3), pytest.approx(-0.4))
    noisy = wanted + 0.01 * random.standard_normal(100)
    noisy[:25] += random.uniform(0.3, 2.0, 25)
    found = align(values, noisy, weight, shift=True)
    assert found.scale == pytest.approx(1.3, rel=0.02)
    assert found.shift == pytest.approx(-0.4, abs=0.03)
    assert 0.0005 < found.sigma < 0.01
    assert align(values, 2.0 * values, weight, shift=False).scale == pytest.approx(2.0)


def test_a_third_that_moves_by_itself_is_not_taken_for_noise():
    random = np.random.default_rng(0)
    wanted = random.uniform(0.2, 0.5, 65)
    values = (wanted - 0.1) / 0.8 * (1.0 + 0.01 * random.standard_normal(65))
    values[:20] = random.uniform(0.1, 0.5, 20)
    found = align(values, wanted, 1.0 / wanted, shift=True, fresh=0.87)
    assert (found.scale, found.shift) == (
        pytest.approx(0.8, abs=0.03),
        pytest.approx(0.1, abs=0.01),
    )


def test_noise_takes_no_contrast_away():
    random, weight = np.random.default_rng(0), np.ones(120)
    truth = np.linspace(0.95, 1.05, 120)
    noise = 0.01 * random.standard_normal((200, 120))
    found = [align(truth + one, truth, weight, shift=True, fresh=1.0) for one in noise]
    assert np.mean([one.scale for one in found]) == pytest.approx(1.0, abs=0.01)
    hidden = align(1.2 * (1.0 + noise[0]), np.ones(120), weight, shift=True, fresh=1.0)
    assert (hidden.scale, hidden.shift) == (pytest.approx(1.0 / 1.2, abs=0.01), 0.0)


def test_the_depth_before_an_almost_flat_wall_keeps_its_contrast(stand):
    run, image = Run(RELATIVE), stand[0][0]
    truth = np.tile(np.linspace(0.95, 1.05, 320, dtype=np.float32), (240, 1))
    run.calibrate(image, truth)
    slopes = []
    for _ in range(100):
        noise = np.float32(1.0) + 0.03 * run.random.standard_normal(truth.shape, np.float32)
        values = run.feed(image, truth, Prediction(noise / truth, RELATIVE)).prediction.values
        slopes.append(np.polyfit(1.0 / truth[0], np.asarray(values).mean(axis=0), 1)[0])
    assert np.mean(slopes[-20:]) == pytest.approx(1.0, abs=0.1)


def test_where_all_is_equal_there_is_a_scale_alone():
    found = align(np.full(30, 2.0), np.full(30, 1.0), np.ones(30), shift=True)
    assert (found.scale, found.shift) == (0.5, 0.0)


def test_what_is_the_wrong_way_round_gives_no_alignment():
    values = np.linspace(1.0, 2.0, 30)
    assert align(values, 3.0 - values, np.ones(30), shift=True) is None


def test_the_view_is_found_although_a_third_moves_by_itself():
    random = np.random.default_rng(0)
    world = random.uniform([-2, -1.5, 2], [2, 1.5, 6], (90, 3))
    cos, sin = np.cos(0.1), np.sin(0.1)
    turn = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    true = View(turn, np.array([0.1, -0.05, 0.3]))
    points = true.points(world)
    rays = points[:, :2] / points[:, 2:]
    rays[:30] += random.uniform(0.05, 0.1, (30, 2))
    view, error = locate(world, rays, View(np.eye(3), np.zeros(3)), 1e-4)
    np.testing.assert_allclose(view.translation, true.translation, atol=1e-3)
    np.testing.assert_allclose(view.rotation, true.rotation, atol=1e-3)
    assert error[30:].max() < 1e-3
    assert error[:30].min() > 0.04
