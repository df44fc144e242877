# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network from the pixels of an image to metres or inverse depth: what every runtime carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from depth_estimation_ros.models.model_spec import ModelSpec


class FromPixels(nn.Module):
    """Normalisation, the network, and its unit in metres, in one module.

    PyTorch runs it, and the other runtimes are made from it, so that all take the same bytes and
    answer in the same unit.

    Args:
        network: float32 [N, 3, h, w] normalised RGB in, [N, h', w'] or [N, 1, h', w'] out.
        spec: What is known of it.
    """

    scale: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, spec: ModelSpec) -> None:
        super().__init__()
        self.network = network
        self.metres_per_unit = spec.metres_per_unit
        mean, std = torch.tensor(spec.mean), torch.tensor(spec.std)
        self.register_buffer('scale', 1.0 / (255.0 * std), persistent=False)
        self.register_buffer('offset', -mean / std, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Depth of images.

        Args:
            pixels: uint8 [N, h, w, 3] RGB.

        Returns:
            Metres along Z, or inverse depth of unknown scale and shift, [N, h', w'].
        """
        count, height, width, channels = pixels.shape
        # Row by row: over three channels alone processors compute one number at a time.
        rows = pixels.reshape(count, height, width * channels).to(self.scale.dtype)
        rows = torch.addcmul(self.offset.repeat(width), rows, self.scale.repeat(width))
        # The permuted tensor is channels_last as it is: the fast layout for convolutions.
        return self.answer(rows.reshape(count, height, width, channels).permute(0, 3, 1, 2))

    def answer(self, images: Tensor) -> Tensor:
        """Depth as of `forward`, of images [N, 3, h, w] that are normalised already."""
        output: Tensor = self.network(images)
        if output.ndim == 4:
            output = output.squeeze(1)
        return output if self.metres_per_unit == 1.0 else output * self.metres_per_unit
