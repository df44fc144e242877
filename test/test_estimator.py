# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of any sizes in, predictions of their sizes and in their order out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.meter import Meter
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime


class Red(nn.Module):
    """Answers the normalised red channel, so that an answer tells which image it belongs to."""

    def forward(self, images):
        return images[:, :1]


def estimator_of(network: nn.Module, model: str, **options) -> DepthEstimator:
    runtime = TorchRuntime(FromPixels(network, spec(model)))
    return DepthEstimator(spec(model), runtime, **options)


@pytest.fixture
def red():
    return estimator_of(Red(), 'bundled-relative')


def plain(red: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), (red, 0, 0), np.uint8)


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_answers_keep_the_order_and_the_sizes_of_the_images(red):
    sizes = [(64, 48), (48, 64), (64, 48), (100, 100), (48, 64)]
    predictions = red.predict([plain(50 * i, *size) for i, size in enumerate(sizes)])
    for index, (prediction, (width, height)) in enumerate(zip(predictions, sizes, strict=True)):
        expected = (50 * index / 255 - 0.485) / 0.229
        assert prediction.kind is DepthKind.RELATIVE
        assert prediction.values.shape == (height, width)
        assert prediction.values.dtype == np.float32
        np.testing.assert_allclose(prediction.values, expected, atol=1e-6)


def test_a_batch_answers_as_each_image_alone():
    torch.manual_seed(0)
    estimator = estimator_of(Meter(), 'meter-nyu-xxs')
    images = [noise(320, 240, seed) for seed in range(3)]
    together = estimator.predict(images)
    for image, prediction in zip(images, together, strict=True):
        (alone,) = estimator.predict([image])
        np.testing.assert_allclose(prediction.values, alone.values, rtol=1e-3, atol=1e-5)


def test_no_images_give_no_predictions(red):
    assert red.predict([]) == []


@pytest.mark.parametrize('size', [(256, 192), (640, 480)])
def test_an_answer_outlives_the_next_frame(red, size):
    (first,) = red.predict([plain(10, *size)])
    kept = first.values.copy()
    red.predict([plain(200, *size)])
    np.testing.assert_array_equal(first.values, kept)


def test_one_bad_image_is_refused_before_any_work(red):
    with pytest.raises(ValueError, match=r'not \(48, 64\)'):
        red.predict([plain(1, 64, 48), np.zeros((48, 64), np.uint8)])


def test_numbers_that_are_none_are_unknown():
    class Broken(nn.Module):
        def forward(self, images):
            return images[:, 0] * torch.nan

    estimator = estimator_of(Broken(), 'bundled')
    (prediction,) = estimator.predict([plain(1, 64, 48)])
    assert np.isnan(prediction.values).all()


def test_stages_are_timed_and_the_size_told():
    latency = Latency()
    estimator = estimator_of(Red(), 'bundled', latency=latency)
    assert estimator.network_size == (256, 192)
    estimator.predict([plain(255, 1280, 720)])
    assert list(latency.percentiles()) == ['preprocess', 'network', 'restore']
    assert estimator.network_size == (352, 192)


def test_warming_up_runs_the_network_at_the_size_of_the_camera():
    seen = []

    class Noting(Red):
        def forward(self, images):
            seen.append(images.shape)
            return super().forward(images)

    latency = Latency()
    estimator = estimator_of(Noting(), 'bundled', latency=latency)
    estimator.warm_up(1280, 720)
    assert seen == [(1, 3, 192, 352)]
    assert not latency.percentiles()


def test_the_bundled_models_load_and_are_siblings():
    image = noise(320, 240)
    (metric,) = DepthEstimator.load('bundled', device='cpu').predict([image])
    (relative,) = DepthEstimator.load('bundled-relative', device='cpu').predict([image])
    assert (metric.kind, relative.kind) == (DepthKind.METRIC, DepthKind.RELATIVE)
    assert np.isfinite(metric.values).all()
    assert (metric.values > 0).all()
    order = np.corrcoef(1 / metric.values.ravel(), relative.values.ravel())[0, 1]
    assert order > 0.99


def test_a_preset_sets_the_size_of_the_input():
    estimator = DepthEstimator.load('bundled', device='cpu', runtime='torch', preset='fast')
    assert estimator.network_size == (128, 96)
    estimator.predict([noise(1280, 720)])
    assert estimator.network_size == (160, 96)


@pytest.mark.parametrize(
    ('options', 'message'),
    [({'preset': 'tiny'}, "preset .* not 'tiny'"), ({'runtime': 'abacus'}, "not 'abacus'")],
)
def test_what_is_not_known_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DepthEstimator.load('bundled', **options)


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match='no model'):
        DepthEstimator.load('bundeld')


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        DepthEstimator.load('bundled', weights=str(tmp_path / 'gone'))
