# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings the files of a model here, and removes them. Nothing else opens a connection."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import is_offline_mode

from depth_estimation_ros.models import hub, hub_folder, store
from depth_estimation_ros.models.fetch import Report, fetch
from depth_estimation_ros.models.model_spec import ModelSpec

# What transformers keeps beside the weights: the network's shape, and how images are prepared.
_CONFIGS = ('config.json', 'preprocessor_config.json')


def download(spec: ModelSpec, report: Report, offline: bool = False) -> None:
    """Bring the files of a model here, unless they are here and whole.

    Args:
        spec: The model.
        report: Told of the progress.
        offline: Open no connection, as with HF_HUB_OFFLINE=1.

    Raises:
        OSError: See `fetch` and `hub.find`; FileNotFoundError too for what is missing offline.
        ValueError: What arrived is not what was published; it was thrown away.
    """
    folder = store.home(spec)
    published = store.checksums(spec)
    if spec.bundled or spec.folder:
        store.locate(spec)
    elif spec.file not in published or store.faults(folder, published):
        _refuse_offline(spec.name, offline)
        if spec.repository:
            _from_hub(spec.repository, spec.revision, folder, (spec.file,), spec.sha256, report)
        else:
            checksum = fetch(spec.url, folder / spec.file, report, spec.sha256)
            _note(folder, spec.url, '', {spec.file: checksum})


def download_repository(repository: str, report: Report, offline: bool = False) -> None:
    """Bring a model here that the catalogue does not know, by its Hugging Face id.

    Raises:
        OSError, ValueError: As `download`.
    """
    folder = store.folder(f'hf:{repository}')
    source = store.recall(folder)
    if source is None or store.faults(folder, source.files):
        _refuse_offline(f'hf:{repository}', offline)
        for name in _CONFIGS:  # without both, nothing tells what the network is
            hub.find(repository, 'main', name)
        _from_hub(repository, 'main', folder, hub_folder.WEIGHTS, '', report)


def remove(folder: Path) -> float:
    """Delete the files of a model.

    Returns:
        Size of what was deleted, 10^6 bytes.

    Raises:
        FileNotFoundError: There are none.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'there is nothing to remove: no folder {folder}')
    size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
    shutil.rmtree(folder)
    return size / 1e6


def _refuse_offline(name: str, offline: bool) -> None:
    if offline or is_offline_mode():
        raise FileNotFoundError(
            f'{name} is not in {store.folder(name)}, or not whole, and nothing is downloaded '
            'with --offline or HF_HUB_OFFLINE'
        )


def _from_hub(
    repository: str,
    revision: str,
    folder: Path,
    weights: Sequence[str],
    sha256: str,
    report: Report,
) -> None:
    """Configuration and weights of one commit; of several weights files the first there is."""
    remote = _first(repository, revision, weights)
    files = {}
    for name in _CONFIGS:
        with contextlib.suppress(FileNotFoundError):  # the catalogue can do without
            config = hub.find(repository, remote.commit, name)
            files[name] = _bring(config, folder, config.sha256, report)
    hub_folder.configuration(folder / remote.file)  # refuses before the long transfer
    files[remote.file] = _bring(remote, folder, sha256 or remote.sha256, report)
    _note(folder, repository, remote.commit, files)


def _first(repository: str, revision: str, files: Sequence[str]) -> hub.Remote:
    for file in files[:-1]:
        with contextlib.suppress(FileNotFoundError):
            return hub.find(repository, revision, file)
    return hub.find(repository, revision, files[-1])


def _bring(remote: hub.Remote, folder: Path, sha256: str, report: Report) -> str:
    file = folder / remote.file
    if sha256 and file.is_file() and (checksum := store.sha256(file)).startswith(sha256):
        return checksum
    return fetch(remote.url, file, report, sha256, remote.headers)


def _note(folder: Path, origin: str, commit: str, files: dict[str, str]) -> None:
    now = dt.datetime.now(dt.timezone.utc).isoformat(timespec='seconds')
    store.remember(folder, store.Source(origin, commit, now, files))
