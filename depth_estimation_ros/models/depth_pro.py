# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth Pro in metres, by the field of view that it sees itself.

A. Bochkovskii et al., "Depth Pro: sharp monocular metric depth in less than a second", 2024. The
network answers inverse depth for a camera whose focal length is the width of its image; the
official post-processing scales it by the ratio of the two, f / w = 1 / (2 tan(fov / 2)).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_NEAR, _FAR = 1e-4, 1e4  # metres, the official limits of the answer


class MetricDepthPro(nn.Module):
    """[N, 3, 1536, 1536] in, metres along Z [N, 1536, 1536] out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Depth in metres of normalised images."""
        output = self.model(images, return_dict=True)
        half = output.field_of_view.reshape(-1, 1, 1) * (0.5 * math.pi / 180.0)
        inverse: Tensor = output.predicted_depth * (2.0 * torch.tan(half))
        return 1.0 / inverse.clamp(1.0 / _FAR, 1.0 / _NEAR)
