# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights are found, held against the catalogue, and fit or are refused by name."""

from __future__ import annotations

import hashlib
import os
import re

import pytest
import torch
from safetensors.torch import save_file

from depth_estimation_ros.models import weights
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.meter import Meter
from depth_estimation_ros.models.resolve import resolve

NYU = spec('meter-nyu-xxs')


@pytest.fixture
def own(tmp_path):
    """Weights of METER that nobody published."""
    file = tmp_path / 'own.safetensors'
    save_file(Meter().state_dict(), file)
    return file


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The folder of models."""
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', str(tmp_path / 'models'))
    (tmp_path / 'models' / NYU.name).mkdir(parents=True)
    return tmp_path / 'models'


def test_a_missing_file_is_told_with_its_place_and_the_cure(models):
    place = re.escape(str(models / 'meter-nyu-xxs' / NYU.file))
    cure = 'Run `depth-estimation models download meter-nyu-xxs`'
    with pytest.raises(FileNotFoundError, match=rf'no weights file {place}\. {cure}'):
        weights.load(NYU)


def test_weights_reach_the_network(own):
    expected = weights.read(own)
    loaded = weights.load(resolve(NYU.name, str(own))).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_both_formats_hold_the_same(own, tmp_path):
    state = weights.read(own)
    torch.save(state, tmp_path / 'own')
    again = weights.read(tmp_path / 'own')
    assert all(torch.equal(state[name], again[name]) for name in state)


def test_a_file_in_the_place_of_the_published_one_must_be_that_one(own, models):
    file = models / 'meter-nyu-xxs' / NYU.file
    torch.save(weights.read(own), file)
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=f'{checksum}.*{NYU.sha256}'):
        weights.load(NYU)
    assert weights.load(resolve(NYU.name, str(file)))  # named by the user it may be one of his own


def test_published_weights_of_another_model_are_refused(assets):
    file = assets / 'weights' / 'meter' / 'build_model_best_kitti_xxs'
    with pytest.raises(ValueError, match=r'weights of meter-kitti-xxs .*, not of meter-nyu'):
        weights.load(resolve(NYU.name, str(file)))


def test_another_network_is_recognised(own):
    with pytest.raises(ValueError, match='does not fit bundled') as refusal:
        weights.load(resolve('bundled', str(own)))
    message = str(refusal.value)
    assert 'but meter-nyu-xxs or meter-kitti-xxs' in message
    assert '261 unexpected: decoder.conv2d_in.weight' in message
    assert ' missing: ' in message


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_network_that_only_answers_nan_is_refused(own, tmp_path, value):
    state = weights.read(own)
    state['decoder.conv2d_in.weight'][0, 0] = value
    save_file(state, tmp_path / 'diverged.safetensors')
    with pytest.raises(ValueError, match=r'1 of its tensors hold NaN .*: decoder\.conv2d_in'):
        weights.load(resolve(NYU.name, str(tmp_path / 'diverged.safetensors')))


def test_half_precision_is_loaded_whole(own, tmp_path):
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in weights.read(own).items()
    }
    save_file(state, tmp_path / 'half.safetensors')
    loaded = weights.load(resolve(NYU.name, str(tmp_path / 'half.safetensors')))
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_every_fault_of_the_tensors_is_named(own, tmp_path):
    state = weights.read(own)
    state['extra'] = state.pop('decoder.conv2d_out.weight')
    state['encoder.conv1.1.bias'] = torch.zeros(17)
    save_file(state, tmp_path / 'odd.safetensors')
    with pytest.raises(ValueError, match='does not fit meter-nyu-xxs') as refusal:
        weights.load(resolve(NYU.name, str(tmp_path / 'odd.safetensors')))
    message = str(refusal.value)
    assert '1 missing: decoder.conv2d_out.weight' in message
    assert '1 unexpected: extra' in message
    assert '1 of another shape: encoder.conv1.1.bias' in message


@pytest.mark.parametrize('kept', [0, 7, 100, 10_000])
@pytest.mark.parametrize('name', ['cut', 'cut.safetensors'])
def test_a_file_cut_short_is_refused(own, tmp_path, name, kept):
    whole = own
    if name == 'cut':
        whole = tmp_path / 'whole'
        torch.save(weights.read(own), whole)
    (tmp_path / name).write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(ValueError, match=f'{name} is'):
        weights.load(resolve(NYU.name, str(tmp_path / name)))


@pytest.mark.parametrize(
    'content',
    [b'\xff\xd8\xff\xe0 a picture', b'0', b'K', b'a\x85', b'h\x01', b'X\x01\x00\x00\x00\xff'],
)
@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
def test_bytes_that_are_no_weights_are_refused(tmp_path, content):
    (tmp_path / 'bytes').write_bytes(content)
    with pytest.raises(ValueError, match='bytes is'):
        weights.read(tmp_path / 'bytes')


class Mischief:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_code_in_a_file_is_not_run(tmp_path):
    folder = tmp_path / 'mischief'
    torch.save({'weight': Mischief(str(folder))}, tmp_path / 'code')
    with pytest.raises(ValueError, match='holds code, which is not run'):
        weights.load(resolve(NYU.name, str(tmp_path / 'code')))
    assert not folder.exists()


def test_what_is_no_set_of_tensors_is_refused(tmp_path):
    torch.save({'step': 3, 'network': {}}, tmp_path / 'checkpoint')
    with pytest.raises(ValueError, match='something else than tensors by name: network, step'):
        weights.load(resolve(NYU.name, str(tmp_path / 'checkpoint')))
