# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Half precision for a network that keeps its answer in it, and fp32 that is fp32."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.memory import watched
from depth_estimation_ros.runtimes.selfcheck import difference, reference_pixels, tolerance

if TYPE_CHECKING:
    from depth_estimation_ros.models.model_spec import ModelSpec


_SETTINGS = threading.RLock()  # are the process's: another thread may be loading a model


@contextlib.contextmanager
def exact() -> Iterator[None]:
    """Convolutions in fp32 where fp32 is said, not in TF32, and the quickest of them.

    A CUDA graph that was recorded this way no longer needs it.
    """
    with _SETTINGS, torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
        yield


class Narrowed(nn.Module):
    """A network in a narrower number format, between fp32 images and an fp32 answer."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network.to(dtype), dtype

    def forward(self, images: Tensor) -> Tensor:
        """As the network."""
        output: Tensor = self.network(images.to(self.dtype))
        return output.float()


def formats(device: torch.device) -> tuple[torch.dtype, ...]:
    """The half-precision formats that a device is quick in, the more accurate one first."""
    if device.type != 'cuda':
        return ()
    major, _ = torch.cuda.get_device_capability(device)
    return (*([torch.float16] if major >= 7 else []), *([torch.bfloat16] if major >= 8 else []))


def placed(
    network: FromPixels,
    spec: ModelSpec,
    device: torch.device,
    dtypes: Sequence[torch.dtype],
    say: Callable[[str], object],
) -> FromPixels:
    """A network on a device, in the first of these formats that leaves its answer as it is.

    Args:
        network: In fp32 in main memory; it may be changed.
        spec: What it is.
        device: Where it goes.
        dtypes: Formats to try before fp32; normalisation, unit and answer stay fp32.
        say: Is told of each format that was refused, with the figures.

    Raises:
        OutOfMemoryError: A format did not fit; a wider one would not, either.
    """
    allowed = tolerance(spec, half=True)
    if dtypes:
        pixels = torch.from_numpy(reference_pixels(spec.width, spec.height)).to(device)
        expected = _answer(copy.deepcopy(network).to(device), pixels)
    for dtype in dtypes:
        candidate = copy.deepcopy(network)
        candidate.network = Narrowed(candidate.network, dtype)
        candidate = candidate.to(device)
        try:
            with watched():  # that memory ends is no fault of the format
                error = difference(_answer(candidate, pixels), expected)
        except RuntimeError as failure:
            reason = str(failure).strip().partition('\n')[0]
        else:
            if error <= allowed:
                return candidate
            reason = (
                f'its answer differs from fp32 by up to {error:.2g} of the mean, more than '
                f'{allowed:g}'
            )
        say(f'{spec.name} is not run in {str(dtype).removeprefix("torch.")}: {reason}')
    return network.to(device)


@torch.inference_mode()
def _answer(network: FromPixels, pixels: Tensor) -> NDArray[np.float32]:
    answer: NDArray[np.float32] = network(pixels).cpu().numpy()
    return answer
