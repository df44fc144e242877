# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The small network of the bundled model: a timm backbone and a light decoder, metres out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from depth_estimation_ros.models.torchvision_compat import ensure_torchvision

ensure_torchvision()

import timm  # noqa: E402

# Middle of indoor depths in metres, where training starts, and the widest answer, as logarithms.
_LOG_START = math.log(2.5)
_LOG_RANGE = (math.log(0.05), math.log(50.0))
_GAIN, _OFFSET = 23.7, 4.1  # of the relative sibling


class EncoderDecoder(nn.Module):
    """Backbone features, fused from coarse to fine, to metric depth at half the input's size.

    Args:
        backbone: name of a timm network with features at 1/2, 1/4, 1/8, 1/16 and 1/32.
        widths: channels of the decoder at 1/16, 1/8, 1/4 and 1/2.
    """

    def __init__(
        self,
        backbone: str = 'mobilenetv4_conv_small_050',
        widths: Sequence[int] = (64, 48, 32, 16),
    ) -> None:
        super().__init__()
        self.encoder = timm.create_model(backbone, pretrained=False, features_only=True)
        *finer, coarsest = self.encoder.feature_info.channels()
        self.context = nn.Conv2d(coarsest, widths[0], 1)
        self.bridge = nn.Conv2d(coarsest, widths[0], 1)
        entering = (widths[0], *widths[:-1])
        self.fusions = nn.ModuleList(
            _Fusion(below, lateral, width)
            for below, lateral, width in zip(entering, reversed(finer), widths, strict=True)
        )
        self.head = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Depth of normalised images.

        Args:
            images: float32 [N, 3, H, W], H and W multiples of 32.

        Returns:
            Metres along Z, float32 [N, H/2, W/2].

        Raises:
            ValueError: H or W is no multiple of 32.
        """
        height, width = images.shape[2:]
        if height % 32 or width % 32:
            raise ValueError(f'input {height}x{width} must be multiples of 32')
        *finer, coarsest = self.encoder(images)
        # What the whole picture says about scale reaches every pixel.
        whole = self.context(coarsest.mean((2, 3), keepdim=True))
        features = functional.relu(self.bridge(coarsest) + whole)
        for fusion, lateral in zip(self.fusions, reversed(finer), strict=True):
            features = fusion(features, lateral)
        log_depth = self.head(features)[:, 0] + _LOG_START
        depth: Tensor = log_depth.clamp(*_LOG_RANGE).exp()
        return depth


class InverseDepth(nn.Module):
    """The relative sibling: a metric network's answer as inverse depth in a unit of its own.

    Its gain and offset stand for the unknown scale and shift of a relative model. They are there
    to be calibrated away: nothing may rely on their values.
    """

    def __init__(self, metric: nn.Module) -> None:
        super().__init__()
        self.metric = metric

    def forward(self, images: Tensor) -> Tensor:
        """Inverse depth up to scale and shift, float32 [N, h, w], larger is nearer."""
        depth: Tensor = self.metric(images)
        return _GAIN / depth + _OFFSET


class _Fusion(nn.Module):
    """Doubles the coarse features, adds the encoder's own at that size, and mixes."""

    def __init__(self, below: int, lateral: int, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(below, width, 1)
        self.lateral = nn.Conv2d(lateral, width, 1)
        self.mix = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )

    def forward(self, coarse: Tensor, lateral: Tensor) -> Tensor:
        raised = functional.interpolate(self.reduce(coarse), scale_factor=2.0, mode='bilinear')
        mixed: Tensor = self.mix(raised + self.lateral(lateral))
        return mixed
