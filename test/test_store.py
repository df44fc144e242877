# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the files of the models lie, where they came from, whether they are whole."""

from __future__ import annotations

import hashlib

import pytest

from depth_estimation_ros.models import store
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.resolve import resolve

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
        store.locate(resolve(NYU.name, str(tmp_path / 'nowhere')))


def test_what_is_noted_of_a_folder_is_found_again(tmp_path):
    assert store.recall(tmp_path) is None
    source = store.Source('someone/depth', 'c0ffee', '2026-08-01T10:00:00+00:00', {'a': '12'})
    store.remember(tmp_path, source)
    assert store.recall(tmp_path) == source
    assert [file.name for file in tmp_path.iterdir()] == ['source.json']


@pytest.mark.parametrize('content', ['', '{}', '[1]', '{"origin": 1, "more": 2}', '\xff'])
def test_a_damaged_note_is_told(tmp_path, content):
    (tmp_path / 'source.json').write_text(content, 'latin-1')
    with pytest.raises(ValueError, match=r'source\.json is damaged .*: remove it, and download'):
        store.recall(tmp_path)


def test_checksums_come_from_the_note_and_from_the_catalogue(models):
    assert store.checksums(NYU) == {NYU.file: NYU.sha256}
    noted = {'config.json': '34', NYU.file: '56'}
    store.remember(models / NYU.name, store.Source('someone/depth', '', '', noted))
    assert store.checksums(NYU) == {'config.json': '34', NYU.file: NYU.sha256}


@pytest.mark.parametrize(
    ('noted', 'expected'),
    [('70d6b9c8' + '0' * 56, '70d6b9c8' + '0' * 56), ('1' * 64, '70d6b9c8')],
)
def test_a_whole_checksum_says_more_than_its_first_digits(models, noted, expected):
    midas = spec('midas-v21-small')
    assert store.checksums(midas) == {midas.file: '70d6b9c8'}
    (models / midas.name).mkdir()
    store.remember(models / midas.name, store.Source('', '', '', {midas.file: noted}))
    assert store.checksums(midas) == {midas.file: expected}


def test_every_fault_has_its_sentence(tmp_path):
    checksum = hashlib.sha256(b'good').hexdigest()
    for name, content in {'good': b'good', 'start': b'good', 'bad': b'bad'}.items():
        (tmp_path / name).write_bytes(content)
    published = {'good': checksum, 'start': checksum[:8], 'bad': checksum, 'gone': checksum}
    damaged, missing = store.faults(tmp_path, published)
    assert damaged.startswith(f'{tmp_path}/bad is damaged or another version: its SHA-256 is ')
    assert damaged.endswith(f', not {checksum}')
    assert missing == f'{tmp_path}/gone is missing'
