# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The runtime of a name, with a model in it."""

from __future__ import annotations

import ctypes
import functools
import logging
from typing import TYPE_CHECKING

from depth_estimation_ros.config import RUNTIMES
from depth_estimation_ros.models import weights
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes import kinds
from depth_estimation_ros.runtimes.base import Runtime, Say
from depth_estimation_ros.runtimes.prepared_runtime import PreparedRuntime

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.cuda_runtime import CudaRuntime
    from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

# Those that run networks on a GPU, too; auto is PyTorch there.
_ON_GPU = ('auto', 'torch', 'onnxruntime', 'tensorrt')


def build(
    spec: ModelSpec,
    device: str = 'auto',
    runtime: str = 'auto',
    say: Say | None = None,
) -> Runtime:
    """A model ready to run, or ready to be prepared for the size that comes first.

    Args:
        spec: The model.
        device: auto, cpu, cuda or cuda:N.
        runtime: auto or the name of one. On a CPU, auto is the fastest of those that are
            installed; on a GPU, PyTorch.
        say: Takes what people may want to know while it takes long; None: the log of Python.

    Raises:
        ValueError: Unknown device or runtime, one that is not installed or does not run on that
            device, or the weights are of another network.
        FileNotFoundError: No weights; the text says where they were looked for and the cure.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f'runtime is one of {", ".join(RUNTIMES)}, not {runtime!r}')
    say = say or logging.getLogger('depth_estimation').info
    weights.check(spec)  # refused before the long work
    place = _resolved(device, runtime, say)
    if place != 'cpu' and runtime in ('auto', 'torch'):
        return _cuda(spec, place, say)
    with_torch = functools.partial(_torch, spec)
    if runtime == 'auto':
        installed = [name for name in kinds.FP32 if not kinds.missing(name)]
        if not installed:
            return with_torch()
        return PreparedRuntime(spec, place, (*installed, 'torch'), say, with_torch)
    if runtime == 'torch':
        return with_torch()
    kinds.check(runtime, place)
    return PreparedRuntime(spec, place, (runtime,), say, with_torch)


def _resolved(device: str, runtime: str, say: Say) -> str:
    """Which of cpu and cuda:N is meant. Asks PyTorch only where there may be a GPU."""
    if device == 'cpu' or (device == 'auto' and (runtime not in _ON_GPU or not _has_driver())):
        return 'cpu'
    from depth_estimation_ros.runtimes.torch_runtime import resolve_device

    place = str(resolve_device(device))
    if place == 'cpu':
        say("NVIDIA's driver is here, but PyTorch finds no GPU: the cpu serves (docs/gpu.md)")
    return place


def _has_driver() -> bool:
    """Whether NVIDIA's driver is installed."""
    try:
        ctypes.CDLL('libcuda.so.1')
    except OSError:
        return False
    return True


def _torch(spec: ModelSpec) -> TorchRuntime:
    from depth_estimation_ros.runtimes.from_pixels import FromPixels
    from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

    return TorchRuntime(FromPixels(weights.load(spec), spec))


def _cuda(spec: ModelSpec, device: str, say: Say) -> CudaRuntime:
    import torch

    from depth_estimation_ros.runtimes.cuda_runtime import CudaRuntime
    from depth_estimation_ros.runtimes.from_pixels import FromPixels

    network = FromPixels(weights.load(spec), spec)
    try:
        return CudaRuntime(network, spec, torch.device(device), say)
    except RuntimeError as error:  # a GPU too old for this PyTorch, say, or one that is in use
        reason = str(error).strip().partition('\n')[0]
        raise ValueError(
            f'{spec.name} does not run on {device}: {reason}; docs/gpu.md says which PyTorch a '
            'GPU wants, or take the device cpu'
        ) from error
