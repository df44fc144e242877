# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks of every kind answer in OpenVINO and ONNX Runtime what they answer in PyTorch."""

from __future__ import annotations

import pytest
import tiny
import torch
from reference import formula

from depth_estimation_ros.models import resolve, weights
from depth_estimation_ros.runtimes import kinds, selfcheck
from depth_estimation_ros.runtimes.from_pixels import FromPixels

pytestmark = [
    pytest.mark.skipif(
        any(map(kinds.missing, kinds.FP32)), reason='needs the packages of the extra runtimes'
    ),
    pytest.mark.filterwarnings('ignore'),  # converters complain about what they cannot know
]


def compare(model, width, height, runtime, folder):
    network = FromPixels(weights.load(model), model).eval()
    kinds.convert(runtime, network, width, height, folder)
    session = kinds.session(runtime, folder, 'cpu')
    frame = selfcheck.reference_pixels(width, height)
    for pixels in (frame, 255 - frame):
        with torch.no_grad():
            expected = network(torch.from_numpy(pixels)).numpy()
        assert expected.std() > 0
        assert selfcheck.difference(session.run(pixels), expected) < 1e-3


@pytest.mark.parametrize('runtime', kinds.FP32)
@pytest.mark.parametrize('kind', ['dpt on BEiT', 'glpn'])
def test_networks_of_transformers(kind, runtime, tmp_path):
    model = resolve.resolve(str(tiny.save(tmp_path, kind)))
    _, (height, width) = tiny.CONFIGURATIONS[kind]
    compare(model, width, height, runtime, tmp_path)


@pytest.mark.parametrize('runtime', kinds.FP32)
@pytest.mark.parametrize(
    ('name', 'reference', 'size'),
    [
        ('midas-v21-small', 'midas_v21_small', (256, 192)),
        ('depth-anything-v2-small', 'depth_anything_v2_small', (112, 84)),
    ],
)
def test_official_checkpoints(name, reference, size, runtime, assets, tmp_path):
    torch.save(formula(assets, reference)[0], tmp_path / 'own.pth')
    compare(resolve.resolve(name, str(tmp_path / 'own.pth')), *size, runtime, tmp_path)
