# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A model whose weights both sides of a comparison can load."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from depth_estimation_ros.models import store
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.models.resolve import resolve

_SEED = 0


@dataclasses.dataclass(frozen=True)
class Subject:
    """What to load.

    Attributes:
        name: As the user gave it.
        spec: What is known of it.
        model, weights: For `DepthEstimator.load`.
        folder: With config.json and weights, for transformers; empty where that has no such class.
        random: Whether the weights are random.
    """

    name: str
    spec: ModelSpec
    model: str
    weights: str = ''
    folder: str = ''
    random: bool = False


def subject(name: str, random: bool, scratch: Path) -> Subject:
    """The model of this name.

    Args:
        name: As `DepthEstimator.load` takes it.
        random: Make random weights where there are none on this machine.
        scratch: A folder for them.

    Raises:
        ValueError: There is no such model, or it cannot be made with random weights.
        FileNotFoundError: It has no weights here.
    """
    spec = resolve(name)
    try:
        folder = store.locate(spec).parent
    except FileNotFoundError as error:
        if not random:
            raise FileNotFoundError(f'{error} Or measure with --random-weights.') from error
        return _random(name, spec, scratch)
    in_folder = (folder / 'config.json').is_file()
    return Subject(name, spec, name, folder=str(folder) if in_folder else '')


def _random(name: str, spec: ModelSpec, scratch: Path) -> Subject:
    import torch

    from depth_estimation_ros.models.architectures import save_random

    folder = scratch / name
    folder.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        file = save_random(spec, folder)
    in_folder = str(folder) if (folder / 'config.json').is_file() else ''
    return Subject(name, spec, name, weights=str(file), folder=in_folder, random=True)
