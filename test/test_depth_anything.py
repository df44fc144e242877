# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The authors' checkpoints of Depth Anything V2 load, and are not taken for one another."""

from __future__ import annotations

import pytest
import torch
from reference import formula, worst

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models import weights
from depth_estimation_ros.models.catalog import CATALOG, spec
from depth_estimation_ros.models.depth_anything import published_as
from depth_estimation_ros.models.resolve import resolve

RELATIVE, METRIC = 'depth_anything_v2_vits.pth', 'depth_anything_v2_metric_hypersim_vits.pth'


@pytest.fixture(scope='module')
def references(assets):
    return {
        RELATIVE: formula(assets, 'depth_anything_v2_small'),
        METRIC: formula(assets, 'depth_anything_v2_metric_small'),
    }


@pytest.fixture(scope='module')
def checkpoints(references, tmp_path_factory):
    """Files as the authors publish them, but for their values."""
    folder = tmp_path_factory.mktemp('checkpoints')
    for name, (state, _, _) in references.items():
        torch.save(state, folder / name)
    return folder


@pytest.mark.parametrize(
    ('file', 'name'),
    [
        (RELATIVE, 'depth-anything-v2-small'),
        (METRIC, 'depth-anything-v2-metric-indoor-small'),
    ],
)
@torch.inference_mode()
def test_it_equals_the_official_implementation(references, checkpoints, file, name):
    _, images, expected = references[file]
    model = resolve(str(checkpoints / file))
    assert model.name == name
    output = weights.load(model)(images)
    assert output.shape == (1, 518, 518)
    assert worst(output[:, ::4, ::4], expected) < 1e-3


@pytest.mark.parametrize(
    ('file', 'name'),
    [
        ('depth_anything_v2_vitb.pth', 'depth-anything-v2-base'),
        ('depth_anything_v2_metric_vkitti_vitl.pth', 'depth-anything-v2-metric-outdoor-large'),
        ('depth_anything_vits14.pth', 'depth-anything-v1-small'),
        ('depth_anything_v2_vitg.pth', ''),
        ('depth_anything_v2_metric_mine_vits.pth', ''),
        ('depth_anything_vits.pth', ''),
        ('model.safetensors', ''),
    ],
)
def test_names_of_files_tell_what_they_hold(file, name):
    assert published_as(file) == name
    assert not name or spec(name)


@pytest.mark.parametrize(
    ('file', 'given', 'refusal'),
    [
        (
            RELATIVE,
            'depth-anything-v2-metric-indoor-small',
            r'depth-anything-v2-small \(relative\), not of .*indoor-small \(metric, up to 20 m\)',
        ),
        (METRIC, 'depth-anything-v2-small', r'indoor-small \(metric.*, not of .* \(relative\)'),
        (
            METRIC,
            'depth-anything-v2-metric-outdoor-small',
            r'indoor-small \(metric, up to 20 m\), not of .*outdoor-small \(metric, up to 80 m\)',
        ),
        (RELATIVE, 'depth-anything-v1-small', r'v2-small .*, not of depth-anything-v1-small'),
    ],
)
def test_a_checkpoint_given_as_another_is_refused_by_name(checkpoints, file, given, refusal):
    with pytest.raises(ValueError, match=refusal):
        weights.load(resolve(given, str(checkpoints / file)))


def test_a_renamed_checkpoint_must_be_named_by_its_user(references, tmp_path):
    state, _, _ = references[METRIC]
    torch.save(state, tmp_path / 'mine.pth')
    with pytest.raises(ValueError, match='name the one that it is') as refusal:
        resolve(str(tmp_path / 'mine.pth'))
    candidates = [name for name in CATALOG if name.startswith('depth-anything-')]
    assert [n for n in candidates if n in str(refusal.value)] == [
        n for n in candidates if n.endswith('-small')
    ]
    model = resolve('depth-anything-v2-metric-indoor-small', str(tmp_path / 'mine.pth'))
    assert (model.kind, model.valid_range[1]) == (DepthKind.METRIC, 20.0)
    weights.load(model)  # what it answers then is held above


def test_another_size_does_not_fit(references, tmp_path):
    torch.save(references[RELATIVE][0], tmp_path / 'mine.pth')
    with pytest.raises(ValueError, match=r'does not fit depth-anything-v2-base but .*v2-small'):
        weights.load(resolve('depth-anything-v2-base', str(tmp_path / 'mine.pth')))
