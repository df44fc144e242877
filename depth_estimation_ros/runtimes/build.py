# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The runtime of a name, with a model in it."""

from __future__ import annotations

from depth_estimation_ros.models.catalog import ModelSpec
from depth_estimation_ros.runtimes.base import Runtime


def build(
    spec: ModelSpec, weights: str = '', device: str = 'auto', runtime: str = 'auto'
) -> Runtime:
    """A model ready to run.

    Args:
        spec: The model.
        weights: Path of its weights file; empty: where the catalogue says.
        device: auto, cpu, cuda or cuda:N.
        runtime: auto or torch.

    Raises:
        ValueError: Unknown device or runtime, or the weights are of another network.
        FileNotFoundError: No weights; the text says where they were looked for and the cure.
    """
    # Here, because torch takes a second and 200 MB that a listing of models need not spend.
    from depth_estimation_ros.models import weights as weights_file
    from depth_estimation_ros.runtimes.from_pixels import FromPixels
    from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

    if runtime not in ('auto', 'torch'):
        raise ValueError(f'runtime is auto or torch, not {runtime!r}')
    return TorchRuntime(FromPixels(weights_file.load(spec, weights), spec), device)
