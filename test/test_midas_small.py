# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MiDaS small answers as its authors' implementation does."""

from __future__ import annotations

import pytest
import torch
from reference import formula, worst

from depth_estimation_ros.models import weights
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.midas_small import MidasSmall
from depth_estimation_ros.models.resolve import resolve
from depth_estimation_ros.runtimes.folding import fold_batch_norm

SPEC = spec('midas-v21-small')


@pytest.fixture(scope='module')
def reference(assets):
    return formula(assets, 'midas_v21_small')


@pytest.fixture(scope='module')
def checkpoint(reference, tmp_path_factory):
    """A file as its authors publish it, but for its values."""
    file = tmp_path_factory.mktemp('midas') / 'own.pt'
    torch.save(reference[0], file)
    return file


@torch.inference_mode()
def test_it_equals_the_official_implementation(reference, checkpoint):
    _, images, expected = reference
    network = weights.load(resolve(SPEC.name, str(checkpoint))).eval()
    assert worst(network(images), expected) < 1e-4
    fold_batch_norm(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert worst(network(images), expected) < 1e-4


def test_every_tensor_of_the_file_is_used(reference, checkpoint):
    state = weights.load(resolve(SPEC.name, str(checkpoint))).state_dict()
    assert len(state) == len(reference[0])
    stem = reference[0]['pretrained.layer1.0.weight']
    assert torch.equal(state['encoder.conv_stem.weight'], stem)


@pytest.mark.parametrize(('height', 'width'), [(192, 256), (32, 64)])
@torch.inference_mode()
def test_it_answers_at_the_size_of_its_input(height, width):
    output = MidasSmall().eval()(torch.rand(2, 3, height, width))
    assert output.shape == (2, height, width)
    assert output.min() >= 0
