# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the files of the models lie."""

from __future__ import annotations

import pytest

from depth_estimation_ros.models import store
from depth_estimation_ros.models.catalog import spec

NYU = spec('meter-nyu-xxs')


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The folder of models."""
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', str(tmp_path / 'models'))
    (tmp_path / 'models' / NYU.name).mkdir(parents=True)
    return tmp_path / 'models'


def test_the_folder_of_models_is_searched(models):
    file = models / 'meter-nyu-xxs' / 'build_model_best_nyu_xxs'
    file.touch()
    assert store.locate(NYU) == file


def test_without_it_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.delenv('DEPTH_ESTIMATION_MODELS', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    folder = tmp_path / 'depth_estimation' / 'models' / 'meter-nyu-xxs'
    folder.mkdir(parents=True)
    (folder / NYU.file).touch()
    assert store.locate(NYU) == folder / NYU.file


def test_the_bundled_weights_are_in_the_package():
    file = store.locate(spec('bundled'))
    assert file.parts[-3:] == ('depth_estimation_ros', 'models', 'bundled.safetensors')


def test_a_missing_file_of_the_user_is_told_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        store.locate(NYU, str(tmp_path / 'nowhere'))
