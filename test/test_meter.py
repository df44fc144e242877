# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""METER answers as its authors' implementation does."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models import meter, weights
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.resolve import resolve
from depth_estimation_ros.runtimes.folding import fold_batch_norm


@pytest.fixture
def published(assets):
    """Path of the published weights of a model."""
    return lambda name: str(assets / 'weights' / 'meter' / spec(name).file)


@pytest.mark.parametrize('data', ['nyu', 'kitti'])
def test_it_equals_the_official_implementation(data, assets, published):
    name = f'meter-{data}-xxs'
    reference = np.load(assets / 'reference' / f'meter_{data}_xxs.npz')
    network = weights.load(resolve(name, published(name))).eval()
    fold_batch_norm(network)
    with torch.inference_mode():
        output = network(torch.from_numpy(reference['network_input']))[:, 0].numpy()
    np.testing.assert_allclose(output, reference['network_output'][:, 0], rtol=1e-4)


@pytest.mark.parametrize('frame', ['tum_fr1_1', 'tum_fr1_2'])
def test_it_measures_a_real_desk(frame, assets, published):
    folder = assets / 'rgbd'
    (pair,) = [p for p in json.loads((folder / 'pairs.json').read_text()) if p['name'] == frame]
    image = cv2.cvtColor(cv2.imread(str(folder / pair['color'])), cv2.COLOR_BGR2RGB)
    truth = cv2.imread(str(folder / pair['depth']), cv2.IMREAD_UNCHANGED)
    estimator = DepthEstimator.load('meter-nyu-xxs', published('meter-nyu-xxs'), 'cpu', 'torch')
    (prediction,) = estimator.predict([image])
    known = truth > 0
    depth = truth[known] / pair['depth_unit_per_m']
    abs_rel = np.mean(np.abs(prediction.values[known] - depth) / depth)
    assert 0.05 <= abs_rel <= 0.30


@pytest.mark.parametrize(('height', 'width'), [(64, 64), (128, 320)])
def test_it_answers_at_a_quarter_of_the_size(height, width):
    with torch.inference_mode():
        output = meter.Meter().eval()(torch.rand(2, 3, height, width))
    assert output.shape == (2, 1, height // 4, width // 4)


def test_patches_come_back_to_their_place():
    features = torch.rand(3, 5, 4, 6)
    tokens = meter._unfold(features)
    assert tokens.shape == (3 * 4, 2 * 3, 5)
    assert torch.equal(tokens[0, 0], features[0, :, 0, 0])
    assert torch.equal(tokens[1, 0], features[0, :, 0, 1])
    assert torch.equal(tokens[0, 1], features[0, :, 0, 2])
    assert torch.equal(meter._fold(tokens, 4, 6), features)
