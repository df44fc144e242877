# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every model of the catalogue has its network."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from safetensors.torch import load_file

from depth_estimation_ros.models import architectures, weights
from depth_estimation_ros.models.catalog import CATALOG, spec
from depth_estimation_ros.models.resolve import resolve


@pytest.fixture(params=list(CATALOG))
def model(request):
    return spec(request.param)


def built(model):
    with torch.device('meta'):
        return architectures.build(model)


def test_every_network_has_the_parameters_that_are_told_and_fetched(model):
    count = sum(parameter.numel() for parameter in built(model).parameters())
    told = re.search(r'([\d.]+) million parameters', model.description)
    assert told is None or abs(count / 1e6 - float(told[1])) <= 0.55
    bytes_each = 2 if model.name == 'depth-pro' else 4
    assert model.bundled or count * bytes_each / 1e6 == pytest.approx(model.megabytes, rel=0.05)


def test_every_network_answers_at_its_nominal_size(model):
    with torch.device('meta'), torch.inference_mode():
        output = built(model).eval()(torch.empty(1, 3, model.height, model.width))
    assert output.squeeze().ndim == 2
    assert output.shape[-2] * model.width == output.shape[-1] * model.height


def test_depth_pro_has_no_tensors_that_its_published_file_lacks():
    assert not [name for name in built(spec('depth-pro')).state_dict() if 'mask_token' in name]


def test_an_unknown_architecture_without_a_configuration_is_refused():
    unknown = dataclasses.replace(spec('dpt-large'), name='x', architecture='dpt', folder='/no')
    with pytest.raises(FileNotFoundError, match=r'no config\.json beside /no/model'):
        architectures.build(unknown)


@pytest.mark.parametrize('name', ['bundled', 'midas-v21-small', 'depth-anything-v2-small'])
def test_random_weights_load(name, tmp_path):
    file = architectures.save_random(spec(name), tmp_path)
    network = weights.load(resolve(name, str(file)))
    assert sum(p.numel() for p in network.parameters()) <= sum(
        tensor.numel() for tensor in load_file(file).values()
    )
