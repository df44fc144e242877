# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network run by PyTorch, on the CPU or on an NVIDIA GPU."""

from __future__ import annotations

import re

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from depth_estimation_ros.runtimes.folding import fold_batch_norm


class TorchRuntime:
    """Runs a network in fp32.

    Attributes:
        name: `torch`.
        device: For people, `cpu` or `cuda:0 NVIDIA …`.
    """

    name = 'torch'

    def __init__(self, network: nn.Module, device: str = 'auto') -> None:
        """Take over a network: it moves to the device, stops learning and is rebuilt for speed.

        Args:
            network: [N, 3, h, w] normalised RGB in, [N, h', w'] or [N, 1, h', w'] out.
            device: auto, cpu, cuda or cuda:N; auto is CUDA where there is one.

        Raises:
            ValueError: There is no such device.
        """
        self._device = resolve_device(device)
        network = network.requires_grad_(requires_grad=False).eval()
        # Together a third off the time of the bundled network and of METER on a CPU.
        fold_batch_norm(network)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network.to(self._device)
        self.device = _describe(self._device)

    @torch.inference_mode()
    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, 3, h, w] in, [N, h', w'] out, in an array of its own."""
        network_input = torch.from_numpy(batch)
        if self._device.type == 'cuda':
            network_input = network_input.pin_memory().to(self._device, non_blocking=True)
        output = self._network(network_input)
        if output.ndim == 4:
            output = output.squeeze(1)
        result: NDArray[np.float32] = output.float().cpu().numpy()
        return result


def resolve_device(device: str) -> torch.device:
    """The device of this name.

    Args:
        device: auto, cpu, cuda or cuda:N; auto is CUDA where there is one.

    Raises:
        ValueError: Not such a name, or there is no such GPU.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == 'auto':
        return torch.device('cuda:0' if gpus else 'cpu')
    if device == 'cpu':
        return torch.device('cpu')
    name = re.fullmatch(r'cuda(?::(\d+))?', device)
    if name is None:
        raise ValueError(f'device is auto, cpu, cuda or cuda:N, not {device!r}')
    if not gpus:
        raise ValueError(
            f'device {device}: PyTorch {torch.__version__} finds no NVIDIA GPU here; take auto or '
            'cpu, or install a PyTorch built for CUDA and the driver'
        )
    index = int(name[1] or 0)
    if index >= gpus:
        raise ValueError(f'device {device}: there is {gpus} GPU, cuda:0 to cuda:{gpus - 1}')
    return torch.device(f'cuda:{index}')


def _describe(device: torch.device) -> str:
    if device.type == 'cpu':
        return 'cpu'
    return f'{device} {torch.cuda.get_device_name(device)}'
