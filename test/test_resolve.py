# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A model is named by the catalogue, by an id on Hugging Face, or by a folder or file."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models import store, weights
from depth_estimation_ros.models.architectures import save_random
from depth_estimation_ros.models.catalog import CATALOG, spec
from depth_estimation_ros.models.meter import Meter
from depth_estimation_ros.models.resolve import resolve

METRIC = {'depth_estimation_type': 'metric', 'max_depth': 20}


@pytest.fixture
def folder(tmp_path):
    """A small Depth Anything as Hugging Face lays it out."""
    (tmp_path / 'mine').mkdir()
    return tiny.save(tmp_path / 'mine')


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The folder of models."""
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', str(tmp_path / 'models'))
    return tmp_path / 'models'


def depth_of(model, images=1):
    estimator = DepthEstimator.load(model, device='cpu', runtime='torch')
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return estimator, estimator.predict([image] * images)[0]


def test_names_of_the_catalogue_mean_its_entries():
    assert all(resolve(name) is CATALOG[name] for name in CATALOG)


def test_a_folder_is_known_by_the_files_in_it(folder):
    model = resolve(str(folder))
    assert (model.name, model.kind, model.fitting) == ('mine', DepthKind.RELATIVE, 'cover')
    assert (model.width, model.height, model.multiple) == (98, 70, 14)
    assert model.mean == (0.485, 0.456, 0.406)
    assert not model.commercial  # nobody said so
    estimator, prediction = depth_of(str(folder))
    assert estimator.network_size == (98, 70)
    assert prediction.values.shape == (60, 80)
    assert prediction.values.std() > 0


def test_a_path_is_any_way_to_the_folder(folder, monkeypatch):
    inside = folder / 'deeper'
    inside.mkdir()
    monkeypatch.chdir(inside)
    monkeypatch.setenv('HOME', str(folder.parent))
    for path in ('..', f'{folder}/', '~/mine', '../../mine', str(inside / '..')):
        assert resolve(path) == resolve(str(folder))


def test_a_folder_called_as_a_model_of_the_catalogue_is_not_that_model(folder, monkeypatch):
    monkeypatch.chdir(folder.rename(folder.with_name('dpt-large')).parent)
    assert resolve('dpt-large') is spec('dpt-large')
    for path in ('./dpt-large', './dpt-large/model.safetensors'):
        assert resolve(path).name == str(folder.with_name('dpt-large'))


def test_an_id_is_looked_for_in_the_folder_of_models(models):
    with pytest.raises(FileNotFoundError) as missing:
        resolve('hf:owner/network')
    assert str(models / 'hf' / 'owner' / 'network') in str(missing.value)
    assert '`depth-estimation models download hf:owner/network`' in str(missing.value)
    place = store.folder('hf:owner/network')
    place.mkdir(parents=True)
    tiny.save(place, **METRIC)
    model = resolve('hf:owner/network')
    assert (model.name, model.repository) == ('hf:owner/network', 'owner/network')
    assert store.locate(model) == place / 'model.safetensors'
    assert (model.kind, model.valid_range) == (DepthKind.METRIC, (0.001, 20.0))
    estimator, prediction = depth_of('hf:owner/network')
    assert estimator.spec == model
    assert 0 <= np.nanmin(prediction.values) < np.nanmax(prediction.values) <= 20


def test_the_id_of_an_entry_of_the_catalogue_is_that_entry():
    assert resolve('hf:Intel/dpt-large') is spec('dpt-large')


def test_weights_of_ones_own_take_the_place_of_the_published_ones(tmp_path):
    save_file(Meter().state_dict(), tmp_path / 'own.safetensors')
    model = resolve('meter-nyu-xxs', str(tmp_path / 'own.safetensors'))
    assert model.name == 'meter-nyu-xxs'
    assert store.locate(model) == tmp_path / 'own.safetensors'


def test_a_file_of_which_nothing_tells_what_it_is_must_be_named(tmp_path):
    save_file(Meter().state_dict(), tmp_path / 'own.safetensors')
    with pytest.raises(ValueError, match='fits meter-nyu-xxs, meter-kitti-xxs alike: name the'):
        resolve(str(tmp_path / 'own.safetensors'))


def test_a_file_is_recognised_by_its_checksum(assets, tmp_path):
    file = tmp_path / 'renamed'
    file.symlink_to(assets / 'weights' / 'meter' / 'build_model_best_kitti_xxs')
    assert resolve(str(file)).name == 'meter-kitti-xxs'


@pytest.mark.parametrize('name', ['midas-v21-small', 'dpt-swinv2-tiny-256'])
def test_a_file_is_recognised_by_its_tensors(name, tmp_path):
    file = save_random(spec(name), tmp_path).rename(tmp_path / 'mine.safetensors')
    model = resolve(str(file))
    assert model.name == name
    assert weights.load(model)


def test_tensors_of_no_known_network_are_refused(tmp_path):
    save_file({'weight': torch.zeros(3)}, tmp_path / 'other.safetensors')
    with pytest.raises(ValueError, match='tensors of no network that is known here'):
        resolve(str(tmp_path / 'other.safetensors'))


def test_a_file_in_a_folder_goes_by_the_configuration_beside_it(folder):
    assert resolve(str(folder / 'model.safetensors')) == resolve(str(folder))
    state = load_file(folder / 'model.safetensors')
    (folder / 'model.safetensors').unlink()
    torch.save(state, folder / 'pytorch_model.bin')
    assert resolve(str(folder)).file == 'pytorch_model.bin'
    assert weights.load(resolve(str(folder)))


@pytest.mark.parametrize(
    ('given', 'refusal'),
    [
        ('midsa', r"no model 'midsa'; known are bundled, .*; or hf:<owner>/<name>, or a path"),
        ('hf:network', r"named hf:<owner>/<name>, not 'hf:network'"),
        ('hf:../../etc', r'named hf:<owner>/<name>'),
        ('./nowhere', r'neither a folder nor a file /.*/nowhere'),
        ('', r"no model ''; known are bundled"),
        ('~nobody-by-this-name/network', r'home directory\. Give the whole path'),
    ],
)
def test_what_is_no_model_is_refused(given, refusal):
    with pytest.raises((ValueError, FileNotFoundError), match=refusal):
        resolve(given)


@pytest.mark.parametrize(
    ('changes', 'refusal'),
    [
        ({'model_type': 'sam'}, 'is of DepthAnything.*; known are .* depth_anything, depth_pro'),
        ({'architectures': ['DPTForSemanticSegmentation']}, 'is of DPTForSemanticSegmentation'),
        ({'use_pretrained_backbone': True, 'backbone': 'x/y'}, r'backbone from elsewhere \(x/y'),
        ({'backbone': 'x/y', 'backbone_config': None}, 'backbone from elsewhere'),
        ({'architectures': [1]}, 'is of 1; known are'),
        ({'backbone_config': 'dinov2'}, 'config.json is damaged'),
        (METRIC | {'max_depth': 'far'}, 'config.json is damaged'),
        (METRIC | {'max_depth': [20]}, 'config.json is damaged'),
        (METRIC | {'max_depth': None}, 'sees from 0.001 to nan m'),
        (METRIC | {'max_depth': -20}, 'sees from 0.001 to -20 m'),
        (METRIC | {'max_depth': float('nan')}, 'sees from 0.001 to nan m'),
        ({'model_type': 'glpn', 'architectures': None, 'max_depth': None}, 'is damaged'),
        ({'model_type': 'zoedepth', 'architectures': None, 'bin_configurations': [{}]}, 'damaged'),
        ({'model_type': 'depth_pro', 'architectures': None}, 'without the field of view'),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(folder, changes, refusal):
    file = folder / 'config.json'
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(ValueError, match=refusal):
        resolve(str(folder))


def test_a_configuration_that_transformers_does_not_take_is_refused(folder):
    file = folder / 'config.json'
    file.write_text(json.dumps(json.loads(file.read_text()) | {'depth_estimation_type': 'far'}))
    with pytest.raises(
        ValueError, match=r'does not take config\.json for DepthAnything.*relative'
    ):
        weights.load(resolve(str(folder)))


@pytest.mark.parametrize(
    ('content', 'refusal'),
    [
        ('{"size": ', 'preprocessor_config.json is damaged'),
        ('{"do_rescale": false}', 'turns do_rescale or do_resize off'),
        ('{"size": {"shortest_edge": 70}}', "size has height and width, not {'shortest_edge'"),
        ('{"size": 71}', 'asks for 71x71, no multiples of 14'),
        ('{"size": 0}', 'size is 0x0, no size of an image'),
        ('{"size": {"height": 70, "width": -70}}', 'size is -70x70, no size of an image'),
        ('{"size": 70, "rescale_factor": 0.00784}', 'rescale_factor is 1/255 here, not 0.00784'),
        ('{"size": 70, "do_pad": true}', 'turns do_pad on'),
        ('{"size": 70, "image_mean": [0.5, 0.5]}', 'image_mean has a number for each colour, not'),
        ('{"size": 70, "image_std": [0.5, 0.5, 0]}', 'image_std is above 0, not [0.5, 0.5, 0.0]'),
    ],
)
def test_preparation_that_is_not_done_here_is_refused(folder, content, refusal):
    (folder / 'preprocessor_config.json').write_text(content)
    with pytest.raises(ValueError, match=re.escape(refusal)):
        resolve(str(folder))


@pytest.mark.parametrize('name', ['config.json', 'preprocessor_config.json', 'model.safetensors'])
def test_what_is_missing_in_a_folder_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        resolve(str(folder))


@pytest.mark.parametrize(
    ('kind', 'processor', 'expected'),
    [
        ('dpt', {}, ('relative', 'stretch', 32)),
        ('dpt on BEiT', {}, ('relative', 'cover', 32)),
        ('dpt on BEiT', {'keep_aspect_ratio': False}, ('relative', 'stretch', 32)),
        ('dpt on Swin', {}, ('relative', 'stretch', 32)),
        ('dpt hybrid', {}, ('relative', 'stretch', 32)),
        ('glpn', {'do_normalize': None}, ('metric', 'cover', 32)),
        ('zoedepth', {}, ('metric', 'cover', 32)),
        ('depth_pro', {}, ('metric', 'stretch', 128)),
    ],
)
def test_every_kind_runs_from_a_folder(tmp_path, kind, processor, expected):
    tiny.save(tmp_path, kind, processor)
    model = resolve(str(tmp_path))
    assert (model.kind.value, model.fitting, model.multiple) == expected
    _, prediction = depth_of(str(tmp_path))
    assert prediction.values.shape == (60, 80)
    assert prediction.kind is model.kind
    known = prediction.values[np.isfinite(prediction.values)]
    assert known.size
    if model.kind is DepthKind.METRIC:
        assert 0 < known.min() <= known.max() <= model.valid_range[1]


@pytest.mark.parametrize(
    ('changes', 'refusal'),
    [
        ({}, 'is of a relative network, not of .*indoor-small, which is metric'),
        (METRIC | {'max_depth': 80}, 'says max_depth 80, so .* not those of .*, which has 20'),
    ],
)
def test_weights_whose_configuration_says_otherwise_are_refused(tmp_path, changes, refusal):
    tiny.save(tmp_path, **changes)
    name = 'depth-anything-v2-metric-indoor-small'
    with pytest.raises(ValueError, match=refusal):
        weights.load(resolve(name, str(tmp_path)))
    with pytest.raises(ValueError, match=refusal):  # before anything is prepared
        DepthEstimator.load(name, str(tmp_path), device='cpu')


@pytest.mark.parametrize(
    ('name', 'kind', 'changes', 'refusal'),
    [
        ('dpt-large', 'depth_anything', {}, 'model_type depth_anything, not dpt'),
        ('dpt-beit-base-384', 'dpt on Swin', {}, 'model_type swinv2, not beit'),
        ('depth-anything-v2-large', 'depth_anything', {}, 'hidden_size 32, not 1024'),
        ('glpn-nyu', 'depth_anything', METRIC | {'max_depth': 10}, 'depth_anything, not glpn'),
    ],
)
def test_weights_of_another_network_are_refused_by_name(tmp_path, name, kind, changes, refusal):
    tiny.save(tmp_path, kind, **changes)
    with pytest.raises(ValueError, match=f'of another network than {name}: .*{refusal}'):
        weights.check(resolve(name, str(tmp_path)))


def test_what_a_folder_is_holds_for_its_weights_too(folder, tmp_path):
    tiny.save(tmp_path, 'dpt')
    with pytest.raises(ValueError, match='of another network than mine: model_type dpt, not dep'):
        weights.check(resolve(str(folder), str(tmp_path)))


def test_glpn_for_roads_is_in_metres_though_its_configuration_says_otherwise(tmp_path):
    given = spec('glpn-kitti')
    assert given.metres_per_unit * 10 == given.valid_range[1] == 80
    save_random(given, tmp_path)
    assert json.loads((tmp_path / 'config.json').read_text())['max_depth'] == 10
    assert weights.load(resolve('glpn-kitti', str(tmp_path)))


def test_naming_a_model_loads_no_framework(folder):
    code = (
        'import sys\nfrom depth_estimation_ros.models.resolve import resolve\n'
        f'resolve("dpt-large"), resolve({str(folder)!r}), resolve("hf:Intel/dpt-large")\n'
        'assert not {"torch", "timm", "transformers"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-c', code], check=True)
