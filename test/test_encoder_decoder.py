# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The small network, and what the weights that travel with the package promise."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import depth_estimation_ros
from depth_estimation_ros.models.encoder_decoder import EncoderDecoder, InverseDepth
from depth_estimation_ros.models.torchvision_compat import ensure_torchvision
from depth_estimation_ros.training.validation import held_out_errors

BUNDLED = Path(depth_estimation_ros.__file__).parent / 'models' / 'bundled.safetensors'


@pytest.fixture(scope='module')
def bundled():
    with safe_open(BUNDLED, 'pt') as file:
        metadata = file.metadata()
    network = EncoderDecoder(**json.loads(metadata['arguments']))
    network.load_state_dict(load_file(BUNDLED), strict=True)
    return network.eval(), metadata


@pytest.mark.parametrize(('height', 'width'), [(192, 256), (64, 96), (256, 192)])
@torch.inference_mode()
def test_answers_positive_metres_at_half_size(height, width):
    network = EncoderDecoder().eval()
    depth = network(torch.randn(2, 3, height, width))
    assert depth.shape == (2, height // 2, width // 2)
    assert depth.dtype == torch.float32
    assert (depth > 0).all()
    assert depth.isfinite().all()


@torch.inference_mode()
def test_sizes_that_are_no_multiple_of_32_are_refused_by_name():
    with pytest.raises(ValueError, match='100x128'):
        EncoderDecoder().eval()(torch.zeros(1, 3, 100, 128))


@torch.inference_mode()
def test_the_sibling_is_affine_in_inverse_depth_and_no_metres():
    metric = EncoderDecoder().eval()
    images = torch.randn(1, 3, 64, 64)
    depth, relative = metric(images), InverseDepth(metric).eval()(images)
    inverse = 1 / depth.double().flatten()
    design = torch.stack([inverse, torch.ones_like(inverse)], 1)
    solution = torch.linalg.lstsq(design, relative.double().flatten()[:, None])
    fitted = design @ solution.solution
    torch.testing.assert_close(fitted.flatten(), relative.double().flatten(), rtol=1e-4, atol=1e-4)
    for metres in (depth, 1 / depth):
        assert ((relative / metres).log().abs() > 0.7).all()


def test_torchvision_is_importable_any_number_of_times():
    ensure_torchvision()
    ensure_torchvision()
    import torchvision

    assert torchvision.ops.nms is not None


def test_the_bundled_file_is_small_and_says_what_it_is(bundled):
    _, metadata = bundled
    assert BUNDLED.stat().st_size <= 5_000_000
    assert metadata['architecture'] == 'EncoderDecoder'
    assert metadata['kind'] == 'metric'
    assert 'rendered' in metadata['training_data']
    assert len(json.loads(metadata['mean'])) == len(json.loads(metadata['std'])) == 3
    assert json.loads(metadata['held_out'])['abs_rel'] <= 0.15


@pytest.mark.parametrize('resolution', [None, (480, 640)], ids=['network size', '640x480, lens'])
def test_the_bundled_model_holds_its_promise_on_held_out_rooms(bundled, resolution):
    network, metadata = bundled
    size = tuple(json.loads(metadata['input_size']))
    errors = held_out_errors(network, 40 if resolution is None else 16, size, resolution)
    assert errors.abs_rel <= 0.15
    assert errors.delta1 >= 0.80
