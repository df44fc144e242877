# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which model users mean: a name of the catalogue, an id on Hugging Face, a folder or a file."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from depth_estimation_ros.models import architectures, catalog, hub_folder, store, weights
from depth_estimation_ros.models.model_spec import ModelSpec


def resolve(model: str, weights: str = '') -> ModelSpec:
    """The description of the model that is meant.

    Args:
        model: A name in the catalogue; `hf:<owner>/<name>`, downloaded before; or a path: a folder
            as Hugging Face lays it out, or a weights file.
        weights: Path of the weights, file or folder, where they are not those of `model`'s own
            place.

    Raises:
        FileNotFoundError: It is not on this machine; the text says how to get it.
        ValueError: There is no such model, or the file may be of several.
    """
    found = _model(model)
    if not weights:
        return found
    path = _path(weights)
    file = hub_folder.weights_file(path) if path.is_dir() else path
    return _at(found, file)


def hub_id(model: str) -> str:
    """The id on Hugging Face in `hf:<owner>/<name>`.

    Raises:
        ValueError: It is not such an id.
    """
    if not re.fullmatch(r'hf:\w[\w.-]*/\w[\w.-]*', model):
        raise ValueError(f'a model on Hugging Face is named hf:<owner>/<name>, not {model!r}')
    return model.removeprefix('hf:')


def _at(spec: ModelSpec, file: Path) -> ModelSpec:
    return replace(spec, folder=str(file.parent), file=file.name)


def _path(text: str) -> Path:
    """The whole path, without `~` and `..`: its last part names a model.

    Raises:
        FileNotFoundError: Its `~` is nobody's home.
    """
    try:
        return Path(os.path.normpath(Path(text).expanduser().absolute()))
    except RuntimeError as error:
        raise FileNotFoundError(f'{text}: {error} Give the whole path.') from error


def _model(model: str) -> ModelSpec:
    if model in catalog.CATALOG:
        return catalog.CATALOG[model]
    if model.startswith('hf:'):
        return _on_hub(model)
    path = _path(model)
    if model and path.is_dir():
        return hub_folder.describe(path, _called(path))
    if path.is_file():
        return _in_file(path)
    if os.sep in model:
        raise FileNotFoundError(f'there is neither a folder nor a file {path}')
    try:
        return catalog.spec(model)
    except ValueError as error:
        raise ValueError(f'{error}; or hf:<owner>/<name>, or a path') from error


def _called(folder: Path) -> str:
    """The name of the model in a folder, which is never that of another one in the catalogue."""
    return str(folder) if folder.name in catalog.CATALOG else folder.name


def _on_hub(model: str) -> ModelSpec:
    """The model of an id, the catalogue's own where it has that one."""
    repository = hub_id(model)
    for spec in catalog.CATALOG.values():
        if spec.repository == repository:
            return spec
    folder = store.folder(model)
    if not (folder / 'config.json').is_file():
        raise FileNotFoundError(
            f'{model} is not in {folder}: run `depth-estimation models download {model}`'
        )
    described = hub_folder.describe(folder, model)
    return replace(described, folder='', repository=repository)


def _in_file(file: Path) -> ModelSpec:
    """The model whose weights a file holds.

    Raises:
        ValueError: Nothing tells which one it is.
    """
    published = weights.published_as(file)
    if published is not None:
        return _at(published, file)
    if hub_folder.configuration(file) is not None:
        return _at(hub_folder.describe(file.parent, _called(file.parent)), file)
    fits = architectures.fitting(weights.read(file))
    if len(fits) == 1:
        return _at(catalog.CATALOG[fits[0]], file)
    if fits:
        raise ValueError(
            f'{file} fits {", ".join(fits)} alike: name the one that it is as the model, and the '
            'file as its weights'
        )
    raise ValueError(
        f'{file} holds tensors of no network that is known here, and there is no config.json '
        'beside it'
    )
