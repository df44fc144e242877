# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The files of the models on this machine: where they are, where from, and whether whole."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.whole_file import whole_file

_SOURCE = 'source.json'


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the files of a model came from, kept beside them as `source.json`.

    Attributes:
        origin: Hugging Face id, or the address of the one file.
        commit: Of the repository; empty for an address.
        date: When they arrived, ISO 8601.
        files: SHA-256 of each as it was published, by name.
    """

    origin: str
    commit: str
    date: str
    files: dict[str, str]


def folder(name: str) -> Path:
    """The folder of a model of this name in the folder of models.

    That is `$DEPTH_ESTIMATION_MODELS`, or `depth_estimation/models` in the user's cache.
    """
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    models = os.environ.get('DEPTH_ESTIMATION_MODELS') or cache / 'depth_estimation' / 'models'
    return Path(models).expanduser() / name.replace(':', '/')


def repositories() -> list[str]:
    """Names, with `hf:`, of the models of the hub that are here and not in the catalogue."""
    found = folder('hf:').glob(f'*/*/{_SOURCE}')
    return sorted(f'hf:{file.parent.parent.name}/{file.parent.name}' for file in found)


def home(spec: ModelSpec) -> Path:
    """The folder of a model's files: its own, the package's, or one in the folder of models."""
    if spec.folder:
        return Path(spec.folder)
    return Path(__file__).parent if spec.bundled else folder(spec.name)


def locate(spec: ModelSpec) -> Path:
    """The weights file of a model.

    Raises:
        FileNotFoundError: With the path looked at and what to do.
    """
    file = home(spec) / spec.file
    if not file.is_file():
        raise FileNotFoundError(f'{spec.name}: there is no weights file {file}. {spec.source}')
    return file


def checksums(spec: ModelSpec) -> dict[str, str]:
    """SHA-256 of a model's files by name, as far as known, or the first digits of it.

    Raises:
        ValueError: `source.json` is damaged.
    """
    source = recall(home(spec))
    noted = source.files if source else {}
    if noted.get(spec.file, '').startswith(spec.sha256):
        return noted  # no less than the catalogue knows
    return noted | {spec.file: spec.sha256}


def faults(folder: Path, published: Mapping[str, str]) -> list[str]:
    """What is wrong with the files in a folder, a sentence each; empty: they are as published.

    Args:
        folder: Where they lie.
        published: SHA-256 by name, see `checksums`.
    """
    found = []
    for name, expected in published.items():
        file = folder / name
        if not file.is_file():
            found.append(f'{file} is missing')
        elif not (checksum := sha256(file)).startswith(expected):
            found.append(
                f'{file} is damaged or another version: its SHA-256 is {checksum}, not {expected}'
            )
    return found


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with file.open('rb') as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def weights_of(spec: ModelSpec) -> str:
    """SHA-256 of weights that the user named by a path; empty for the model's own.

    Raises:
        OSError: They no longer exist.
    """
    if not spec.folder:
        return ''
    file = locate(spec)
    now = file.stat()
    return _sha256_of(file, now.st_mtime_ns, now.st_size)


@functools.lru_cache(maxsize=4)
def _sha256_of(file: Path, _changed: int, _size: int) -> str:
    """Remembered until the file changes, since a gigabyte takes a second."""
    return sha256(file)


def remember(folder: Path, source: Source) -> None:
    """Keep where the files in a folder came from."""
    with whole_file(folder / _SOURCE, overwrite=True) as part:
        part.write_text(json.dumps(dataclasses.asdict(source), indent=2) + '\n', 'utf-8')


def recall(folder: Path) -> Source | None:
    """Where the files in a folder came from; None: nobody noted it.

    Raises:
        ValueError: The note is damaged.
    """
    file = folder / _SOURCE
    if not file.is_file():
        return None
    try:
        return Source(**json.loads(file.read_text('utf-8')))
    except (ValueError, TypeError) as error:
        raise ValueError(f'{file} is damaged ({error}): remove it, and download again') from error
