# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A runtime gives what the plain network gives, on the device that was asked for."""

from __future__ import annotations

import copy
import os

import numpy as np
import pytest
import torch
from torch import nn

from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.encoder_decoder import EncoderDecoder
from depth_estimation_ros.models.meter import Meter
from depth_estimation_ros.runtimes import base, build
from depth_estimation_ros.runtimes.folding import fold_batch_norm
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime, resolve_device

GPUS = torch.cuda.device_count()
needs_gpu = pytest.mark.skipif(not GPUS, reason='needs an NVIDIA GPU')
needs_no_gpu = pytest.mark.skipif(GPUS > 0, reason='is about a machine without an NVIDIA GPU')


def worn(network: nn.Module) -> nn.Module:
    """The network with statistics in its norms as if it had learnt."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
    return network.eval()


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.fixture(params=[EncoderDecoder, Meter])
def network(request):
    return worn(request.param())


@pytest.fixture
def batch():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 128, 3), np.uint8)


def carried(network: nn.Module) -> FromPixels:
    return FromPixels(network, spec('meter-nyu-xxs'))


def plain(network: nn.Module, batch) -> np.ndarray:
    """What the network says of normalised images, in metres."""
    images = (batch / 255.0 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    with torch.inference_mode():
        output = network(torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)))
    return 0.01 * output.reshape(len(batch), *output.shape[-2:]).numpy()


def test_it_answers_what_the_network_answers(network, batch):
    expected = plain(network, batch)
    output = TorchRuntime(carried(network)).run(batch)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_folding_leaves_no_batch_norm_and_the_same_numbers(network, batch):
    folded = copy.deepcopy(network)
    fold_batch_norm(folded)
    assert norms(network) > 20
    assert norms(folded) == 0
    expected = plain(network, batch)
    np.testing.assert_allclose(plain(folded, batch), expected, rtol=1e-4, atol=1e-5)


def test_a_norm_that_follows_no_convolution_stays():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    fold_batch_norm(network.eval())
    assert norms(network) == 1


def test_an_answer_is_not_overwritten_by_the_next(batch):
    runtime = TorchRuntime(carried(worn(Meter())))
    first = runtime.run(batch)
    kept = first.copy()
    runtime.run(255 - batch)
    np.testing.assert_array_equal(first, kept)


def test_nothing_learns():
    network = Meter()
    TorchRuntime(carried(network))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_cpu_is_a_cpu():
    runtime = TorchRuntime(carried(nn.Identity()))
    assert (runtime.name, runtime.device) == ('torch', 'cpu')


@pytest.mark.parametrize('device', ['gpu', 'cuda:', 'cuda:-1', 'CPU', ''])
def test_an_unknown_device_is_refused_with_the_known_ones(device):
    with pytest.raises(ValueError, match=f'auto, cpu, cuda or cuda:N, not {device!r}'):
        resolve_device(device)


@needs_no_gpu
def test_without_a_gpu_auto_is_the_cpu():
    assert resolve_device('auto') == torch.device('cpu')


@needs_no_gpu
@pytest.mark.parametrize('device', ['cuda', 'cuda:3'])
def test_without_a_gpu_cuda_is_refused_with_the_cure(device):
    with pytest.raises(ValueError, match=f'device {device}: .* no NVIDIA GPU here; take auto'):
        resolve_device(device)


@needs_no_gpu
def test_a_driver_without_a_pytorch_for_its_gpu_is_not_passed_over_in_silence(monkeypatch):
    said = []
    monkeypatch.setattr(build, '_has_driver', lambda: True)
    runtime = build.build(spec('bundled'), runtime='torch', say=said.append)
    assert runtime.device == 'cpu'
    assert said == [
        "NVIDIA's driver is here, but PyTorch finds no GPU: the cpu serves (docs/gpu.md)"
    ]
    build.build(spec('bundled'), device='cpu', runtime='torch', say=said.append)
    assert len(said) == 1


def test_a_device_that_pytorch_cannot_use_is_named_with_the_cure():
    with pytest.raises(ValueError, match=r'bundled does not run on hip: .* docs/gpu\.md .* cpu'):
        build._cuda(spec('bundled'), 'hip', print)


@needs_gpu
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=f'device cuda:{GPUS}: .* cuda:0'):
        resolve_device(f'cuda:{GPUS}')


def test_openmp_limits_the_threads_of_all_runtimes(monkeypatch):
    here = len(os.sched_getaffinity(0))
    for allowed, threads in (('1', 1), ('0', here), ('', here), ('4,2', here), ('999', here)):
        monkeypatch.setenv('OMP_NUM_THREADS', allowed)
        assert base.cores() == threads
