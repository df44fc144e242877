# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The networks that transformers ships, with or without weights, answering depth alone."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn

from depth_estimation_ros.models.configurations import Configuration
from depth_estimation_ros.models.torchvision_compat import ensure_torchvision

ensure_torchvision()

import transformers  # noqa: E402

# What the classes of a model type are called.
_FAMILIES = {
    'depth_anything': 'DepthAnything',
    'depth_pro': 'DepthPro',
    'dpt': 'DPT',
    'glpn': 'GLPN',
    'zoedepth': 'ZoeDepth',
}
# Weights that no answer depends on, which some files hold and some do not: the coarsest fusion has
# no second input to convolve, and index tables are computed.
_IDLE = re.compile(
    r'fusion_stage\.layers\.0\.residual_layer1\.|\.relative_(position_index|coords_table)$'
)
Size = tuple[int, int]


class PredictedDepth(nn.Module):
    """[N, 3, h, w] in; out what the network calls predicted depth, [N, h', w']."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Inverse depth up to scale and shift, or metres, of normalised images."""
        depth: Tensor = self.model(images, return_dict=True).predicted_depth
        return depth


def build(configuration: Configuration) -> nn.Module:
    """The network of a configuration, its weights random.

    Raises:
        ValueError: The configuration contradicts itself.
    """
    model_class, config = _prepared(configuration)
    return _answering(model_class(config), configuration)


def save_random(configuration: Configuration, folder: Path) -> None:
    """Write a network with random weights as Hugging Face lays it out, and `config.json`."""
    model_class, config = _prepared(configuration)
    model = model_class(config)
    for weight in model.parameters():
        # Wider than transformers', after which hardly anything reaches the end.
        if weight.ndim > 1:
            nn.init.kaiming_normal_(weight)
    with _quiet():
        model.save_pretrained(folder)


def fill(
    configuration: Configuration, state: Mapping[str, Tensor]
) -> tuple[nn.Module, dict[str, set[str]]]:
    """The network of a configuration with these weights, and what does not fit.

    transformers renames its tensors from version to version; it knows itself which old name is
    which new one.

    Args:
        configuration: As in `config.json`.
        state: Tensors by any name that a published file gives them.

    Returns:
        The network, and names of tensors by their fault: missing, unexpected, of another shape.
    """
    model_class, config = _prepared(configuration)
    whole = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }
    with _quiet():
        model, info = model_class.from_pretrained(
            None,
            config=config,
            state_dict=whole,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # to name them all instead of failing at the first
        )
    faults = {
        'missing': _names(info['missing_keys']),
        'unexpected': _names(info['unexpected_keys']),
        'of another shape': _names(info['mismatched_keys']),
    }
    return _answering(model, configuration), {
        fault: names for fault, names in faults.items() if names
    }


def shapes(state: Mapping[str, Tensor]) -> list[tuple[int, ...]]:
    """Shapes of the tensors that matter, in order: they tell a network by any names."""
    return sorted(tuple(tensor.shape) for name, tensor in state.items() if not _IDLE.search(name))


def _prepared(configuration: Configuration) -> tuple[Any, Any]:
    """The class of the network, and the configuration as transformers wants it.

    Raises:
        ValueError: transformers does not take it.
    """
    kind = configuration['model_type']
    name = _FAMILIES[kind]
    package = f'transformers.models.{kind}'
    configurations = importlib.import_module(f'{package}.configuration_{kind}')
    networks = importlib.import_module(f'{package}.modeling_{kind}')
    config_class = getattr(configurations, f'{name}Config')
    try:
        config = config_class.from_dict(copy.deepcopy(configuration))
    except (StrictDataclassError, AttributeError, LookupError, TypeError) as error:
        said = ' '.join(str(error).split())
        raise ValueError(f'transformers does not take config.json for {name}: {said}') from error
    return getattr(networks, f'{name}ForDepthEstimation'), config


def _answering(model: nn.Module, configuration: Configuration) -> nn.Module:
    beit: Any
    for beit in model.modules():
        if hasattr(beit, 'generate_relative_position_index'):
            # Its indices lie in main memory; a recorded CUDA graph cannot fetch them from there.
            original = beit.generate_relative_position_index
            beit.generate_relative_position_index = functools.partial(_index, original, beit)
    if configuration['model_type'] == 'depth_pro':
        from depth_estimation_ros.models.depth_pro import MetricDepthPro

        return MetricDepthPro(model)
    if configuration['model_type'] == 'zoedepth':
        from depth_estimation_ros.models.zoedepth import choose_head_by_image

        choose_head_by_image(model)
    return PredictedDepth(model)


def _index(original: Callable[[Size], Tensor], module: Any, window: Size) -> Tensor:
    """Indices of relative positions, beside the table that they point into."""
    device = module.relative_position_bias_table.device
    tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    if tracing or torch.compiler.is_compiling():
        return original(window)  # what is not computed yet must not be remembered
    return _index_on(original, (int(window[0]), int(window[1])), device)


@functools.cache  # for good: a recorded CUDA graph goes on reading them
def _index_on(original: Callable[[Size], Tensor], window: Size, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        return original(window).to(device)


def _names(keys: object) -> set[str]:
    """Names of tensors that matter; transformers gives misshapen ones with their shapes."""
    assert isinstance(keys, list | set | tuple)  # noqa: S101
    names = {key if isinstance(key, str) else key[0] for key in keys}
    return {name for name in names if not _IDLE.search(name)}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without progress bars and reports: what does not fit is the caller's to tell."""
    log = logging.getLogger('transformers')
    level, bars = log.level, transformers.utils.logging.is_progress_bar_enabled()
    log.setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        log.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()
