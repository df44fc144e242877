# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of the models on this machine: which folder, which file, and its checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from depth_estimation_ros.models.catalog import ModelSpec


def home(spec: ModelSpec) -> Path:
    """The folder of a model's files: its own, the package's, or one in the folder of models.

    That is `$DEPTH_ESTIMATION_MODELS`, or `depth_estimation/models` in the user's cache.
    """
    if spec.folder:
        return Path(spec.folder)
    if spec.bundled:
        return Path(__file__).parent
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    folder = os.environ.get('DEPTH_ESTIMATION_MODELS') or cache / 'depth_estimation' / 'models'
    return Path(folder).expanduser() / spec.name


def locate(spec: ModelSpec, path: str = '') -> Path:
    """The weights file of a model.

    Args:
        spec: The model.
        path: The user's own file; empty: the package's, or the one in the folder of models.

    Raises:
        FileNotFoundError: With the path looked at and what to do.
    """
    if path:
        file, cure = Path(path).expanduser(), f'Give the path of the weights of {spec.name}.'
    else:
        file, cure = home(spec) / spec.file, spec.source
    if not file.is_file():
        raise FileNotFoundError(f'{spec.name}: there is no weights file {file}. {cure}')
    return file


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open('rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
