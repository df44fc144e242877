# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights files: whether they are the right ones, and into the network with them.

Weights are data. Nothing in a file is ever run: safetensors, or PyTorch's own format without any
object but tensors.
"""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.models import store
from depth_estimation_ros.models.catalog import CATALOG, ModelSpec

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


def load(spec: ModelSpec, path: str = '') -> nn.Module:
    """The network of a model with its weights.

    The checksum is held against the published one where the file was found by the model's name; a
    file that the user names may be one of his own making, and has only to fit.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, is not what the catalogue means, or is of another network.
    """
    from depth_estimation_ros.models.architectures import answering, build

    file = store.locate(spec, path)
    checksum = store.sha256(file)
    owner = next((other for other in CATALOG.values() if other.sha256 == checksum), None)
    if owner is not None and owner.sha256 != spec.sha256:
        raise ValueError(f'{file} holds the weights of {owner.name}, not of {spec.name}')
    published = '' if path else store.checksums(spec).get(spec.file, '')
    if not checksum.startswith(published):
        raise ValueError(
            f'{file} is damaged or another version: its SHA-256 is {checksum}, {spec.name} has '
            f'{published}. {spec.source}'
        )
    network = build(spec.architecture)
    state = read(file)
    _check_fit(spec, file, network.state_dict(), state)
    network.load_state_dict(state)
    return answering(spec.kind, spec.architecture, network)


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


def _check_fit(
    spec: ModelSpec, file: Path, wanted: dict[str, Tensor], found: dict[str, Tensor]
) -> None:
    if _shapes(wanted) == _shapes(found):
        return
    shared = wanted.keys() & found.keys()
    faults = {
        'missing': wanted.keys() - found.keys(),
        'unexpected': found.keys() - wanted.keys(),
        'of another shape': {key for key in shared if wanted[key].shape != found[key].shape},
    }
    listed = '; '.join(
        f'{len(keys)} {fault}: {_shortened(keys)}' for fault, keys in faults.items() if keys
    )
    raise ValueError(
        f'{file} does not fit {spec.name}{_recognised(found)}. Of its tensors, {listed}'
    )


def _recognised(found: dict[str, Tensor]) -> str:
    """` but …`, where the tensors are those of models of the catalogue."""
    import torch

    from depth_estimation_ros.models.architectures import build

    names = []
    for other in CATALOG.values():
        with torch.device('meta'):
            network = build(other.architecture)
        if _shapes(network.state_dict()) == _shapes(found):
            names.append(other.name)
    return f' but {" or ".join(names)}' if names else ''


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _shortened(keys: set[str]) -> str:
    names = sorted(keys)
    return ', '.join(names[:_SHOWN]) + (', …' if len(names) > _SHOWN else '')


def _outline(state: object) -> str:
    return _shortened(set(map(str, state))) if isinstance(state, dict) else repr(type(state))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition('\n')[0]
