# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The road of a frame, with the real networks of the package."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from depth_estimation_ros import synthetic
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, Frame, Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models import catalog, weights
from depth_estimation_ros.pipeline import DepthPipeline, process_together
from depth_estimation_ros.runtimes.cuda_runtime import CudaRuntime
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime
from depth_estimation_ros.stabilizer import Stabilizer

CAMERA = Camera(320, 240, 280.0, 282.0, 161.0, 118.0)
INF, NAN = np.inf, np.nan


@pytest.fixture(scope='module')
def scene():
    """A rendered frame and its exact depth."""
    room = synthetic.make_room(3)
    image, depth = synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])
    return Frame(image, 123, 'camera_optical', CAMERA), depth


@pytest.fixture(scope='module')
def metric():
    return DepthEstimator.load('bundled', device='cpu')


@pytest.fixture(scope='module')
def relative():
    return DepthEstimator.load('bundled-relative', device='cpu')


def given(values, kind):
    """A frame and what a network may have said of it."""
    values = np.array([values], np.float32)
    return Frame(np.zeros((*values.shape, 3), np.uint8)), Prediction(values, kind)


def test_a_metric_network_gives_metres(metric, scene):
    frame, truth = scene
    depth_map = DepthPipeline(metric, (0.1, 20.0)).process(frame)
    assert depth_map.frame is frame
    assert depth_map.kind is DepthKind.METRIC
    assert depth_map.calibration is None
    assert depth_map.depth.shape == (240, 320)
    assert depth_map.depth.dtype == np.float32
    assert np.nanmedian(np.abs(depth_map.depth - truth) / truth) < 0.3


def test_a_relative_network_without_calibration_gives_no_metres(relative, scene):
    depth_map = DepthPipeline(relative, (0.1, 20.0)).process(scene[0])
    assert depth_map.depth is None
    assert depth_map.kind is DepthKind.RELATIVE
    assert np.isfinite(depth_map.prediction.values).all()


def test_a_calibration_makes_metres_of_a_relative_network(relative, scene):
    frame, truth = scene
    pipeline = DepthPipeline(relative, (0.1, 20.0))
    values = pipeline.process(frame).prediction.values
    v, u = np.mgrid[20:240:40, 20:320:40].reshape(2, -1)
    fitted = fit(values[v, u], truth[v, u], DepthKind.RELATIVE)
    pipeline.calibration = Calibration(fitted, 'bundled-relative', CAMERA, 0)
    depth_map = pipeline.process(frame)
    assert depth_map.kind is DepthKind.CALIBRATED
    assert depth_map.calibration is pipeline.calibration
    known = np.isfinite(depth_map.depth)
    np.testing.assert_allclose(
        1.0 / depth_map.depth[known], fitted.scale * values[known] + fitted.shift, rtol=1e-4
    )
    assert np.median(np.abs(depth_map.depth - truth)[known] / truth[known]) < 0.25
    pipeline.calibration = None
    assert pipeline.process(frame).depth is None


def test_a_calibration_scales_a_metric_network(metric, scene):
    pipeline = DepthPipeline(metric, (0.001, 1000.0))
    plain = pipeline.process(scene[0])
    fitted = fit([1.0, 2.0], [0.5, 1.0], DepthKind.METRIC)
    pipeline.calibration = Calibration(fitted, 'bundled', CAMERA, 0)
    calibrated = pipeline.process(scene[0])
    assert calibrated.kind is DepthKind.CALIBRATED
    known = np.isfinite(plain.depth) & np.isfinite(calibrated.depth)
    assert known.mean() > 0.9
    np.testing.assert_allclose(calibrated.depth[known], plain.depth[known] / 2, rtol=1e-5)


def test_what_is_out_of_range_is_marked_by_sign_and_unknown_stays_unknown(metric):
    pipeline = DepthPipeline(metric, (0.5, 8.0))
    frame, prediction = given([0.49, 0.5, 3.0, 8.0, 8.01, NAN, INF, 0.0], DepthKind.METRIC)
    depth = pipeline.metres(frame, prediction).depth
    np.testing.assert_array_equal(depth, [[-INF, 0.5, 3.0, 8.0, INF, NAN, INF, -INF]])


def test_the_range_of_a_calibrated_network_is_in_metres_too(relative):
    pipeline = DepthPipeline(relative, (0.5, 8.0))
    fitted = fit([1.0, 2.0], [2.0, 2.0 / 3.0], DepthKind.RELATIVE)  # 1/Z = d - 0.5
    pipeline.calibration = Calibration(fitted, 'bundled-relative', None, 0)
    frame, prediction = given([9.0, 2.4, 1.5, 0.7, 0.6, 0.5, -3.0, NAN], DepthKind.RELATIVE)
    depth = pipeline.metres(frame, prediction, pipeline.calibration).depth
    expected = [[-INF, 1 / 1.9, 1.0, 5.0, INF, INF, INF, NAN]]
    np.testing.assert_allclose(depth, expected, rtol=1e-5)


def test_the_networks_own_range_binds_where_it_is_narrower(metric):
    pipeline = DepthPipeline(metric, (0.0, 1000.0))
    near, far = metric.spec.valid_range
    frame, prediction = given([near / 2, near * 2, far / 2, far * 2], DepthKind.METRIC)
    depth = pipeline.metres(frame, prediction).depth
    np.testing.assert_array_equal(np.isfinite(depth), [[False, True, True, False]])


def test_a_calibration_is_bound_by_the_range_that_was_asked_for_alone(relative):
    pipeline = DepthPipeline(relative, (0.1, 100.0))
    fitted = fit([1.0, 2.0], [1.0, 0.5], DepthKind.RELATIVE)  # 1/Z = d
    pipeline.calibration = Calibration(fitted, 'bundled-relative', None, 0)
    frame, prediction = given([1.0 / 50.0], DepthKind.RELATIVE)
    assert relative.spec.valid_range[1] < 50.0
    np.testing.assert_allclose(
        pipeline.metres(frame, prediction, pipeline.calibration).depth, [[50.0]], rtol=1e-5
    )


def test_the_range_may_change_while_running(metric):
    pipeline = DepthPipeline(metric, (0.5, 8.0))
    frame, prediction = given([5.0], DepthKind.METRIC)
    assert pipeline.metres(frame, prediction).depth == 5.0
    pipeline.range = (0.5, 4.0)
    assert pipeline.metres(frame, prediction).depth == INF


def test_what_the_network_said_is_kept_as_it_was(metric):
    frame, prediction = given([0.01, 5.0, 900.0], DepthKind.METRIC)
    DepthPipeline(metric, (0.5, 8.0)).metres(frame, prediction)
    np.testing.assert_array_equal(prediction.values, np.float32([[0.01, 5.0, 900.0]]))


def test_two_cameras_share_a_network_and_not_a_calibration(relative, scene):
    front, rear = (DepthPipeline(relative, (0.1, 20.0)) for _ in range(2))
    fitted = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    front.calibration = Calibration(fitted, 'bundled-relative', CAMERA, 0)
    assert front.process(scene[0]).depth is not None
    assert rear.process(scene[0]).depth is None


def test_a_device_gives_the_metres_that_main_memory_gives(scene):
    spec = catalog.spec('bundled')
    estimators = [
        DepthEstimator(spec, runtime)
        for runtime in (
            TorchRuntime(FromPixels(weights.load(spec), spec)),
            CudaRuntime(FromPixels(weights.load(spec), spec), spec, torch.device('cpu')),
        )
    ]
    plain, device = (DepthPipeline(one, (0.1, 20.0)).process(scene[0]) for one in estimators)
    assert device.kind is plain.kind
    # The pixels that the network sees may differ by a count, where OpenCV cuts off.
    np.testing.assert_allclose(device.depth, plain.depth, rtol=0.02)


def test_a_calibration_of_another_size_of_the_input_makes_no_metres(scene):
    estimator = DepthEstimator.load(
        'bundled-relative', device='cpu', runtime='torch', preset='balanced'
    )
    pipeline = DepthPipeline(estimator, (0.1, 20.0))
    fitted = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    pipeline.calibration = Calibration(fitted, 'bundled-relative', CAMERA, 0, 'balanced')
    assert pipeline.process(scene[0]).kind is DepthKind.CALIBRATED
    estimator.preset = 'fast'  # as where memory has ended
    depth_map = pipeline.process(scene[0])
    assert (depth_map.kind, depth_map.depth) == (DepthKind.RELATIVE, None)


def test_a_frame_of_before_memory_ended_keeps_its_metres_and_those_after_have_none():
    class Hungry(nn.Module):
        def forward(self, images):
            if images.shape[3] > 256:
                images.new_empty(10**15)
            return images[:, 0]

    spec = catalog.spec('bundled-relative')
    estimator = DepthEstimator(spec, TorchRuntime(FromPixels(Hungry(), spec)))
    small, wide = (
        (DepthPipeline(estimator, (0.0, 100.0)), Frame(np.full((96, width, 3), 255, np.uint8)))
        for width in (128, 192)
    )
    fitted = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    for pipeline, _ in (small, wide):
        pipeline.calibration = Calibration(fitted, 'bundled-relative', None, 0)
    before, after = process_together([small, wide])
    assert (before.prediction.preset, after.prediction.preset) == ('full', 'balanced')
    assert before.kind is DepthKind.CALIBRATED
    assert (after.kind, after.depth) == (DepthKind.RELATIVE, None)


def test_the_stages_are_timed(scene):
    latency = Latency()
    estimator = DepthEstimator.load('bundled', device='cpu', latency=latency)
    DepthPipeline(estimator, (0.1, 20.0), latency).process(scene[0])
    assert list(latency.percentiles()) == ['preprocess', 'network', 'restore', 'calibrate']


def test_the_stabilizer_is_on_the_road_and_goes_anew_with_the_network(metric, relative, scene):
    latency = Latency()
    pipeline = DepthPipeline(metric, (0.1, 20.0), latency, Stabilizer())
    pipeline.process(scene[0])
    again = pipeline.process(scene[0])
    assert list(latency.percentiles())[-2:] == ['stabilize', 'calibrate']
    assert pipeline.stabilizer.alignment.scale == pytest.approx(1.0, abs=1e-4)
    assert again.drift == 0.0  # nothing was calibrated that could have drifted
    pipeline.estimator = relative
    other = pipeline.process(scene[0])
    raw = relative.predict([scene[0].image])[0].values
    np.testing.assert_array_equal(other.prediction.values, raw)


def test_kept_depth_maps_under_a_new_calibration_tell_whose_scale_it_is(relative, scene):
    pipeline = DepthPipeline(relative, (0.1, 20.0), stabilizer=Stabilizer())
    kept, basis = pipeline.process(scene[0]), pipeline.process(scene[0])
    fitted = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    pipeline.calibrate(Calibration(fitted, 'bundled-relative', CAMERA, 0), basis)
    assert pipeline.again(basis).drift == 0.0
    assert pipeline.again(kept).drift > 0.05
    following = pipeline.process(scene[0])
    assert following.drift < 0.02
    assert pipeline.again(following).drift == following.drift
    np.testing.assert_allclose(following.prediction.values, basis.prediction.values, atol=1e-3)


def test_a_calibration_that_comes_while_a_frame_is_steadied_is_for_the_next(relative, scene):
    class Interrupted(Stabilizer):
        def steady(self, *known):
            steadied = super().steady(*known)
            pipeline.calibrate(new, basis)
            return steadied

    pipeline = DepthPipeline(relative, (0.1, 20.0))
    basis = pipeline.process(scene[0])
    fitted = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    new = Calibration(fitted, 'bundled-relative', CAMERA, 0)
    pipeline.stabilizer = Interrupted()
    between = pipeline.process(scene[0])
    assert between.calibration is None
    assert pipeline.again(between).drift > 0.05


def test_what_is_no_image_is_refused(metric, scene):
    with pytest.raises(ValueError, match='float32'):
        DepthPipeline(metric, (0.1, 20.0)).process(
            dataclasses.replace(scene[0], image=scene[0].image.astype(np.float32))
        )
