# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that transformers ships answer as they do there, metric ones in metres."""

from __future__ import annotations

import copy
import importlib

import pytest
import tiny
import torch
from elsewhere import Elsewhere
from safetensors.torch import load_file

from depth_estimation_ros.models import transformers_networks
from depth_estimation_ros.models.zoedepth import choose_head_by_image


@pytest.fixture(params=list(tiny.CONFIGURATIONS))
def kind(request):
    return request.param


@pytest.fixture
def saved(kind, tmp_path):
    configuration, size = tiny.CONFIGURATIONS[kind]
    tiny.save(tmp_path, kind)
    return configuration, size, load_file(tmp_path / 'model.safetensors'), tmp_path


def official(configuration, folder):
    """The network as transformers loads it."""
    name = transformers_networks._FAMILIES[configuration['model_type']]
    module = importlib.import_module(
        f'transformers.models.{configuration["model_type"]}.modeling_{configuration["model_type"]}'
    )
    return getattr(module, f'{name}ForDepthEstimation').from_pretrained(folder).eval()


@torch.inference_mode()
def test_it_answers_as_transformers_does(kind, saved):
    configuration, (height, width), state, folder = saved
    network, faults = transformers_networks.fill(configuration, state)
    assert faults == {}
    images = torch.randn(1, 3, height, width)
    output = network.eval()(images)
    theirs = official(configuration, folder)(images)
    expected = theirs.predicted_depth
    if kind == 'depth_pro':
        # As its image processor's post_process_depth_estimation.
        width_by_focal = 2 * torch.tan(0.5 * torch.deg2rad(theirs.field_of_view))
        expected = 1.0 / torch.clamp(expected * width_by_focal[:, None, None], 1e-4, 1e4)
    assert output.shape[0] == 1
    assert expected.std() > 0
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5 * float(expected.mean()))


@torch.inference_mode()
def test_images_of_a_batch_do_not_touch_one_another(saved):
    configuration, size, state, _ = saved
    network = transformers_networks.fill(configuration, state)[0].eval()
    images = torch.randn(3, 3, *size)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, rtol=1e-4, atol=1e-4)


def test_after_the_first_time_all_is_computed_where_the_weights_are(kind):
    configuration, size = tiny.CONFIGURATIONS[kind]
    with torch.device('meta'):
        network = transformers_networks.build(configuration).eval()
    images = torch.empty(1, 3, *size, device='meta')
    with torch.inference_mode():
        network(images)
        with Elsewhere() as elsewhere:
            network(images)
    assert elsewhere.seen == []


def test_misfits_are_named(saved):
    configuration, _, state, _ = saved
    biases = [name for name in state if name.endswith('bias') and 'residual' not in name]
    first, second, *_ = sorted(biases)
    state['extra'] = state.pop(first)
    state[second] = torch.zeros(state[second].numel() + 1)
    _, faults = transformers_networks.fill(configuration, state)
    assert {fault: len(names) for fault, names in faults.items()} == {
        'missing': 1, 'unexpected': 1, 'of another shape': 1,
    }  # fmt: skip
    assert faults['unexpected'] == {'extra'}


@torch.inference_mode()
def test_zoedepth_takes_the_head_of_each_image(tmp_path):
    configuration, size = tiny.CONFIGURATIONS['zoedepth']
    tiny.save(tmp_path, 'zoedepth')
    theirs = official(configuration, tmp_path)
    ours = copy.deepcopy(theirs)
    choose_head_by_image(ours)
    images, chosen = torch.randn(1, 3, *size), set()
    for favour in (-1e3, 1e3):
        for network in (theirs.metric_head, ours.metric_head.heads):
            last = network.mlp_classifier.linear2
            last.bias.copy_(torch.tensor([favour, -favour]))
        expected = theirs(images)
        chosen.add(int(expected.domain_logits.argmax()))
        torch.testing.assert_close(ours(images).predicted_depth, expected.predicted_depth)
    assert chosen == {0, 1}


def test_reports_and_progress_bars_are_not_shown(saved, capfd):
    configuration, _, state, _ = saved
    state['extra'] = torch.zeros(3)
    transformers_networks.fill(configuration, state)
    assert capfd.readouterr() == ('', '')


def test_half_precision_weights_are_computed_in_full(saved):
    configuration, _, state, _ = saved
    halved = {name: value.half() for name, value in state.items() if value.is_floating_point()}
    network, _ = transformers_networks.fill(configuration, state | halved)
    assert {value.dtype for value in network.parameters()} == {torch.float32}


@pytest.mark.parametrize('kind', ['depth_anything', 'dpt on BEiT', 'glpn', 'zoedepth'])
def test_a_network_is_one_graph_for_every_image(kind, tmp_path):
    configuration, size = tiny.CONFIGURATIONS[kind]
    state = load_file(tiny.save(tmp_path, kind) / 'model.safetensors')
    network = transformers_networks.fill(configuration, state)[0].eval()
    images = torch.randn(2, 3, *size)
    exported = torch.export.export(network, (torch.zeros(2, 3, *size),)).module()
    with torch.inference_mode():
        torch.testing.assert_close(exported(images), network(images), rtol=1e-4, atol=1e-4)
