# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The catalogue says what is needed to use each network rightly."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.catalog import CATALOG, spec

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=list(CATALOG))
def model(request):
    return spec(request.param)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no model 'midsa'; known are bundled, .*meter-nyu"):
        spec('midsa')


def test_a_slip_is_told_what_was_meant():
    with pytest.raises(ValueError, match=r'; did you mean dpt-hybrid\? known are'):
        spec('dpt_hybrid')


def test_the_default_of_the_configuration_is_in_the_catalogue():
    assert spec(Config().model).name == 'bundled'


def test_nominal_sizes_fit_the_network(model):
    assert model.height % model.multiple == model.width % model.multiple == 0


def test_ranges_are_depths_in_order(model):
    near, far = model.valid_range
    assert 0 < near < far
    assert model.metres_per_unit > 0


def test_a_relative_network_has_no_metres(model):
    assert model.kind is DepthKind.METRIC or model.metres_per_unit == 1


def test_what_travels_with_the_package_says_what_it_was_trained_on():
    for name in ('bundled', 'bundled-relative'):
        assert 'mall' in spec(name).description
        assert 'trained on rendered rooms only' in spec(name).description


def test_every_other_file_has_a_checksum_and_a_place_to_get_it(model):
    assert model.bundled == model.name.startswith('bundled')
    if not model.bundled:
        assert bool(model.url) != bool(model.repository)
        assert model.megabytes > 0
        assert f'depth-estimation models download {model.name}' in model.source


def test_a_file_fetched_directly_has_a_checksum(model):
    if model.url:
        assert model.url.startswith('https://')
        assert model.url.endswith(model.file)
        # Of MiDaS' file the first digits are all that its authors tell.
        digits = 8 if model.name == 'midas-v21-small' else 64
        assert len(bytes.fromhex(model.sha256)) * 2 == digits


def test_a_repository_is_fetched_in_a_format_that_is_read(model):
    if model.repository:
        assert model.repository.count('/') == 1
        assert model.file in ('model.safetensors', 'pytorch_model.bin')


def test_names_of_repositories_are_those_of_their_publishers():
    assert spec('depth-anything-v1-large').repository == 'LiheYoung/depth-anything-large-hf'
    assert spec('depth-anything-v2-base').repository == 'depth-anything/Depth-Anything-V2-Base-hf'
    outdoor = spec('depth-anything-v2-metric-outdoor-small')
    assert outdoor.repository == 'depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf'


@pytest.mark.parametrize(
    ('name', 'commercial'),
    [
        ('depth-anything-v1-large', True),
        ('depth-anything-v2-small', True),
        ('depth-anything-v2-base', False),
        ('depth-anything-v2-metric-indoor-small', True),
        ('depth-anything-v2-metric-indoor-large', False),
        ('depth-anything-v2-metric-outdoor-small', False),
        ('glpn-kitti', False),
        ('depth-pro', False),
        ('midas-v21-small', True),
    ],
)
def test_what_forbids_commercial_use_is_marked(name, commercial):
    assert spec(name).commercial is commercial


@pytest.mark.parametrize(
    'name',
    [
        'meter-kitti-xxs',
        'dpt-beit-base-384',
        'dpt-beit-large-512',
        'dpt-swinv2-tiny-256',
        'glpn-kitti',
        'zoedepth-nyu-kitti',
    ],
)
def test_kitti_binds_its_weights_to_non_commercial_use(name):
    assert not spec(name).commercial
    assert 'trained on KITTI (CC BY-NC-SA 3.0, not for commercial use)' in spec(name).licence


@pytest.mark.parametrize('name', ['meter-nyu-xxs', 'meter-kitti-xxs'])
def test_checksums_are_those_of_the_published_files(name, assets):
    file = assets / 'weights' / 'meter' / spec(name).file
    assert hashlib.sha256(file.read_bytes()).hexdigest() == spec(name).sha256


def test_listing_models_loads_no_framework():
    code = (
        'import sys, depth_estimation_ros.models.catalog, depth_estimation_ros.models.weights\n'
        'assert not {"torch", "timm"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_the_documentation_lists_every_model_as_it_is(model):
    text = (ROOT / 'docs' / 'models.md').read_text('utf-8')
    row, *_ = (line for line in text.splitlines() if line.startswith(f'| `{model.name}` |'))
    _, _, answers, size, megabytes, commercial, licence, _ = map(str.strip, row.split('|'))
    far = '' if model.name == 'depth-pro' else f' up to {model.valid_range[1]:g}'
    assert answers == (f'metres{far}' if model.kind is DepthKind.METRIC else 'inverse depth')
    said = {'cover': '', 'contain': ', long side kept', 'stretch': ', always'}[model.fitting]
    assert size == f'{model.width}×{model.height}{said}'
    assert megabytes == (f'{model.megabytes:.0f}' if model.megabytes else '–')
    assert commercial == ('yes' if model.commercial else 'no')
    name = re.match(r'[\w.-]+', model.licence)[0]
    assert name in licence or licence.startswith('the same')
