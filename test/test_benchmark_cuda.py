# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of a GPU: its road runs without one, and what it wants is held against it."""

from __future__ import annotations

import json

import pytest
import torch

from depth_estimation_ros.benchmarks import __main__ as benchmarks
from depth_estimation_ros.benchmarks import cuda
from depth_estimation_ros.benchmarks.subject import subject

GPU = torch.cuda.is_available()


@pytest.fixture(scope='module')
def figures(tmp_path_factory):
    device = torch.device('cuda:0' if GPU else 'cpu')
    chosen = subject('bundled-relative', random=False, scratch=tmp_path_factory.mktemp('scratch'))
    return cuda.measure(chosen, device, (160, 120), 2)


def test_the_road_is_measured_and_shown(figures, capsys):
    cuda.show(figures)
    shown = capsys.readouterr().out
    assert f'frame 160x120, network input 256x192 in {figures["format"]}' in shown
    for name, milliseconds in figures['ms'].items():
        assert f'| {name} ' in shown
        assert milliseconds > 0.0
    assert figures['deviation'] <= 1e-2
    assert not figures['random']


def missed(figures) -> int:
    return sum(not holds for holds, _ in cuda.judged(figures))


def test_what_is_wanted_is_held_against_the_figures(figures):
    times = {
        'network': 1.4,
        'network, kernel by kernel': 6.0,
        'frame to metres': 2.0,
        'frames of two cameras to metres': 3.0,
    }
    fast = figures | {'device': 'cuda:0 NVIDIA H200', 'ms': times}
    assert missed(fast) == 0
    slow = {name: 3 * milliseconds for name, milliseconds in times.items()}
    assert missed(fast | {'ms': slow}) == 2
    other = figures | {'device': 'cuda:0 NVIDIA GeForce RTX 3060', 'ms': slow}
    assert missed(other) == 0
    apart = slow | {'frames of two cameras to metres': 12.0, 'network': 9.0}
    assert missed(other | {'ms': apart, 'deviation': 0.02}) == 3
    assert missed(fast | {'random': True, 'deviation': 1.0}) == 0


def test_weights_that_are_held_twice_are_told(figures, capsys):
    assert figures['weights_mb'] > figures['second_camera_mb']
    twice = figures | {'second_camera_mb': figures['weights_mb'] + 1.0}
    assert missed(twice) == missed(figures) + 1
    cuda.show(twice)
    assert 'MISSED: a second camera takes' in capsys.readouterr().out


@pytest.mark.skipif(GPU, reason='is about a machine without an NVIDIA GPU')
def test_without_a_gpu_there_is_nothing_to_measure(capsys):
    assert benchmarks.main(['cuda']) == 0
    assert 'there is no NVIDIA GPU here' in capsys.readouterr().out


@pytest.mark.skipif(not GPU, reason='needs an NVIDIA GPU')
def test_depth_anything_is_as_fast_as_is_wanted(tmp_path, capsys):
    file = tmp_path / 'figures.json'
    assert benchmarks.main(['cuda', '--json', str(file)]) == 0, capsys.readouterr().out
    assert json.loads(file.read_text())['format'] == 'float16'
