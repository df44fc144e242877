# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The network of a model, with or without weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models import configurations, depth_anything, hub_folder, store
from depth_estimation_ros.models.catalog import CATALOG
from depth_estimation_ros.models.model_spec import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

_OWN = ('encoder-decoder', 'meter-xxs', 'midas-v21-small')  # the others are in transformers


def configuration(spec: ModelSpec, file: Path) -> configurations.Configuration | None:
    """The shape of a network of transformers: of `config.json` where there is one, or as we know.

    Args:
        spec: The model.
        file: Its weights; `config.json` may lie beside them.

    Returns:
        None for a network of this package, which has but one shape.

    Raises:
        FileNotFoundError: No `config.json`, and the catalogue has no configuration either.
        ValueError: `config.json` is of another network.
    """
    if spec.architecture in _OWN:
        return None
    known = spec.architecture in configurations.CONFIGURATIONS
    expected = configurations.configuration(spec) if known else {'model_type': spec.architecture}
    found = hub_folder.configuration(file)
    if found is not None:
        hub_folder.check(spec, found, expected)
        return found
    if not known:
        raise FileNotFoundError(f'{spec.name}: there is no config.json beside {file}')
    return expected


def build(spec: ModelSpec) -> nn.Module:
    """The network of a model, its weights random.

    Raises:
        FileNotFoundError: As `configuration`.
        ValueError: As `configuration`, or transformers is not installed.
    """
    found = configuration(spec, store.home(spec) / spec.file)
    if found is None:
        return _answering(spec, _own(spec.architecture))
    network: nn.Module = _transformers_networks(spec.name).build(found)
    return network


def fill(
    spec: ModelSpec, state: Mapping[str, Tensor], file: Path
) -> tuple[nn.Module, dict[str, set[str]]]:
    """The network of a model with these weights, and what does not fit.

    Args:
        spec: The model.
        state: Tensors by the names that a published file gives them.
        file: Where they are from; a `config.json` may lie beside it.

    Returns:
        The network, and names of tensors by their fault: missing, unexpected, of another shape.

    Raises:
        FileNotFoundError, ValueError: As `build`.
    """
    found = configuration(spec, file)
    if found is None:
        network = _own(spec.architecture)
        own = _own_names(state)
        faults = _faults(_shapes(network.state_dict()), _shapes(own))
        if not faults:
            network.load_state_dict(own)
        return _answering(spec, network), faults
    networks = _transformers_networks(spec.name)
    filled: tuple[nn.Module, dict[str, set[str]]] = networks.fill(
        found, depth_anything.published_names(state)
    )
    return filled


def save_random(spec: ModelSpec, folder: Path) -> Path:
    """Write a weights file with random values, and beside it what Hugging Face has there.

    The values depend on PyTorch's random state; they are such that the answer is no constant.

    Args:
        spec: A model of the catalogue.
        folder: An existing folder.

    Returns:
        The weights file.
    """
    from safetensors.torch import save_file

    if spec.architecture in _OWN:
        file = folder / 'random.safetensors'
        save_file(_own(spec.architecture).state_dict(), file)
        return file
    written = configurations.configuration(spec)
    _transformers_networks(spec.name).save_random(written, folder)
    hub_folder.write_processor(spec, written['model_type'], folder)
    return hub_folder.weights_file(folder)


def fitting(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the models of the catalogue whose networks these tensors fit."""
    import torch

    with torch.device('meta'):
        own = _shapes(_own_names(state))
        fits = {name for name in _OWN if _shapes(_own(name).state_dict()) == own}
        # Without transformers the names of its networks are left out.
        if not fits and importlib.util.find_spec('transformers'):
            networks = _transformers_networks('')
            found = networks.shapes(depth_anything.published_names(state))
            fits = {
                name
                for name, written in configurations.CONFIGURATIONS.items()
                if networks.shapes(networks.build(written).state_dict()) == found
            }
    return [spec.name for spec in CATALOG.values() if spec.architecture in fits]


def _transformers_networks(name: str) -> ModuleType:
    if importlib.util.find_spec('transformers') is None:
        raise ValueError(f'{name} is a network of transformers: pip install transformers')
    from depth_estimation_ros.models import transformers_networks

    return transformers_networks


def _own(architecture: str) -> nn.Module:
    if architecture == 'encoder-decoder':
        from depth_estimation_ros.models.encoder_decoder import EncoderDecoder

        return EncoderDecoder()
    if architecture == 'meter-xxs':
        from depth_estimation_ros.models.meter import Meter

        return Meter()
    from depth_estimation_ros.models.midas_small import MidasSmall

    return MidasSmall()


def _own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    from depth_estimation_ros.models import midas_small

    return midas_small.own_names(state)


def _answering(spec: ModelSpec, network: nn.Module) -> nn.Module:
    """The network, answering in the model's kind: one that gives metres can give inverse depth."""
    if spec.architecture == 'encoder-decoder' and spec.kind is DepthKind.RELATIVE:
        from depth_estimation_ros.models.encoder_decoder import InverseDepth

        return InverseDepth(network)
    return network


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _faults(
    wanted: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]
) -> dict[str, set[str]]:
    faults = {
        'missing': wanted.keys() - found.keys(),
        'unexpected': found.keys() - wanted.keys(),
        'of another shape': {
            name for name in wanted.keys() & found.keys() if wanted[name] != found[name]
        },
    }
    return {fault: names for fault, names in faults.items() if names}
