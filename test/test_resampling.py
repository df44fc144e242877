# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Resizing on the device gives what OpenCV gives in main memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.preprocessing import Preprocessing
from depth_estimation_ros.runtimes import resampling

# Halved not at all, once and more often; of even and odd sides; larger, smaller and as it is.
SIZES = [
    (640, 480), (641, 480), (640, 481), (1283, 725), (1920, 1080), (1555, 873),
    (333, 251), (256, 192), (150, 100), (480, 640),
]  # fmt: skip


def planned(size, model='bundled') -> Preprocessing:
    return Preprocessing.plan(spec(model), *size)


@pytest.mark.parametrize('size', SIZES)
def test_pixels_are_those_of_opencv_to_one_count(size):
    plan = planned(size)
    images = np.random.default_rng(0).integers(0, 256, (2, size[1], size[0], 3), np.uint8)
    expected = np.empty((2, plan.network_height, plan.network_width, 3), np.uint8)
    for image, out in zip(images, expected, strict=True):
        plan.apply(image, out)
    resized = resampling.resize(torch.from_numpy(images), plan)
    assert resized.dtype == torch.uint8
    assert resized.is_contiguous()
    difference = resized.numpy().astype(int) - expected
    assert np.abs(difference).max() <= 1
    assert np.abs(difference.mean()) < 0.2  # OpenCV's vectors cut off where they should round


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('model', ['bundled', 'bundled-relative'])
def test_answers_come_back_as_with_opencv(size, model):
    plan = planned(size, model)
    outputs = np.random.default_rng(1).uniform(0.1, 10.0, (2, 96, 128)).astype(np.float32)
    outputs[0, 10:12, 20:22] = np.nan
    outputs[0, 30, :5] = -1.0
    outputs[1, 40, -3:] = np.inf
    outputs[1, -1, -1] = -np.inf
    restored = resampling.restore(torch.from_numpy(outputs), plan).numpy()
    for ours, output in zip(restored, outputs, strict=True):
        expected = plan.restore(output)
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
        np.testing.assert_allclose(ours, expected, atol=1e-3)
