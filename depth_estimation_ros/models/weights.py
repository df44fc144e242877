# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: checked, read, and put into their network.

Weights are data. Nothing in a file is ever run: safetensors, or PyTorch's own format without any
object but tensors.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models import architectures, depth_anything, store
from depth_estimation_ros.models.catalog import CATALOG
from depth_estimation_ros.models.model_spec import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

_SHOWN = 4  # keys named in an error
# What PyTorch's restricted unpickler lets through from bytes that are no pickle.
_NO_PICKLE = (
    pickle.UnpicklingError,
    struct.error,
    UnicodeDecodeError,
    LookupError,
    AssertionError,
)


def check(spec: ModelSpec) -> Path:
    """Find a model's weights file, and check it as far as possible without reading its tensors.

    The checksum must be the published one where the file was found by the model's name; a file
    that the user named may be their own. PyTorch is not needed.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not what the catalogue means, or is of another model.
    """
    file = store.locate(spec)
    owner = published_as(file)
    if owner is not None and owner.name != spec.name:
        raise ValueError(
            f'{file} holds the weights of {owner.name} ({_outline_of(owner)}), not of '
            f'{spec.name} ({_outline_of(spec)})'
        )
    expected = '' if spec.folder else store.checksums(spec).get(spec.file, '')
    if expected and not (found := store.sha256(file)).startswith(expected):
        raise ValueError(
            f'{file} is damaged or another version: its SHA-256 is {found}, {spec.name} has '
            f'{expected}. {spec.source}'
        )
    architectures.configuration(spec, file)
    return file


def load(spec: ModelSpec) -> nn.Module:
    """The network of a model with its weights, which must fit to the last tensor.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As `check`; or it cannot be read, is of another network, or holds NaN.
    """
    file = check(spec)
    state = read(file)
    network, faults = architectures.fill(spec, state, file)
    if faults:
        fits = architectures.fitting(state)
        listed = '; '.join(
            f'{len(names)} {fault}: {_shortened(names)}' for fault, names in faults.items()
        )
        raise ValueError(
            f'{file} does not fit {spec.name}{" but " if fits else ""}{" or ".join(fits)}. '
            f'Of its tensors, {listed}'
        )
    if broken := _not_finite(state):
        raise ValueError(
            f'{file} is no trained network: {len(broken)} of its tensors hold NaN or infinity: '
            f'{_shortened(broken)}'
        )
    return network


def published_as(file: Path) -> ModelSpec | None:
    """The model whose published weights this file holds, by its name or its checksum."""
    name = depth_anything.published_as(file.name)
    if name:
        return CATALOG[name]
    megabytes = file.stat().st_size / 1e6
    near = [
        spec for spec in CATALOG.values() if spec.sha256 and abs(spec.megabytes - megabytes) < 2.0
    ]
    checksum = store.sha256(file) if near else ''
    return next((spec for spec in near if checksum.startswith(spec.sha256)), None)


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, by name.

    Raises:
        ValueError: Neither format, cut short, or with anything but tensors in it.
    """
    import safetensors
    import torch
    from safetensors.torch import load_file

    try:
        if file.suffix == '.safetensors':
            return dict(load_file(file))
        state = torch.load(file, map_location='cpu', weights_only=True)
    except _NO_PICKLE as error:
        raise ValueError(
            f'{file} is no weights file, or holds code, which is not run: {_first_line(error)}'
        ) from error
    except (safetensors.SafetensorError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f'{file} is damaged or cut short: {_first_line(error)}') from error
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise ValueError(f'{file} holds something else than tensors by name: {_outline(state)}')
    return dict(state)


def _not_finite(state: Mapping[str, Tensor]) -> set[str]:
    """Names of tensors with NaN or infinity in them, which spread to their sums."""
    import torch

    return {
        name
        for name, tensor in state.items()
        if tensor.is_floating_point() and not tensor.sum(dtype=torch.float32).isfinite()
    }


def _outline_of(spec: ModelSpec) -> str:
    metric = spec.kind is DepthKind.METRIC
    return f'metric, up to {spec.valid_range[1]:g} m' if metric else 'relative'


def _shortened(keys: set[str]) -> str:
    names = sorted(keys)
    return ', '.join(names[:_SHOWN]) + (', …' if len(names) > _SHOWN else '')


def _outline(state: object) -> str:
    return _shortened(set(map(str, state))) if isinstance(state, dict) else repr(type(state))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition('\n')[0]
