# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""METER xxs, a hybrid of convolutions and attention for small computers.

After L. Papa, P. Russo and I. Amerini, "METER: a mobile vision transformer architecture for
monocular depth estimation", IEEE TCSVT 2023: a MobileViT encoder with ReLU and a decoder of
transposed convolutions with skip connections, which answers at a quarter of the input's size.

Attributes bear the names that the published weights give their tensors, so that these load as
they are. What the authors call depthwise is a full convolution; their weights say so.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

_HEADS = 4
_HEAD_WIDTH = 8
_PATCH = 2  # attention runs among the pixels that hold the same place in their 2x2 patches


class Meter(nn.Module):
    """METER xxs: [N, 3, h, w] in, [N, 1, h/4, w/4] out; h and w are multiples of 64."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.decoder = _Decoder()

    def forward(self, image: Tensor) -> Tensor:
        """Depth in the unit of the weights."""
        deepest, skips = self.encoder(image)
        return cast('Tensor', self.decoder(deepest, skips))


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _norm_relu(_separable(3, 16, stride=2), 16)
        self.mv2 = nn.ModuleList(
            _InvertedResidual(inputs, outputs, stride)
            for inputs, outputs, stride in (
                (16, 16, 1), (16, 24, 2), (24, 24, 1), (24, 24, 1), (24, 48, 2), (48, 64, 2),
                (64, 80, 2),
            )
        )  # fmt: skip
        self.mvit = nn.ModuleList(
            (
                _AttentionBlock(48, width=64, hidden=128),
                _AttentionBlock(64, width=80, hidden=320),
                _AttentionBlock(80, width=96, hidden=384),
            )
        )
        self.conv2 = _norm_relu(_pointwise(80, 160), 160)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The deepest features, and those of 1/4, 1/8 and 1/16 of the size before attention."""
        quarter = self.mv2[1](self.mv2[0](self.conv1(image)))
        eighth = self.mv2[4](self.mv2[3](self.mv2[2](quarter)))
        sixteenth = self.mv2[5](self.mvit[0](eighth))
        deepest = self.mvit[2](self.mv2[6](self.mvit[1](sixteenth)))
        return self.conv2(deepest), [quarter, eighth, sixteenth]


class _Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv2d_in = _pointwise(160, 64)
        self.ups_block_1 = _Upsampling(64, 32, skip=64)
        self.ups_block_2 = _Upsampling(32, 16, skip=48)
        self.ups_block_3 = _Upsampling(16, 8, skip=24)
        self.conv2d_out = nn.Conv2d(8, 1, 3, padding=1, bias=False)

    def forward(self, deepest: Tensor, skips: list[Tensor]) -> Tensor:
        quarter, eighth, sixteenth = skips
        features = self.ups_block_1(self.conv2d_in(deepest), sixteenth)
        features = self.ups_block_3(self.ups_block_2(features, eighth), quarter)
        return cast('Tensor', self.conv2d_out(features))


class _Upsampling(nn.Module):
    """Doubles the size and merges the encoder's features of that size."""

    def __init__(self, inputs: int, outputs: int, skip: int) -> None:
        super().__init__()
        self.conv2d_transpose = nn.ConvTranspose2d(
            inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False
        )
        self.end_up_layer = nn.Sequential(_separable(outputs + skip, outputs), nn.ReLU())

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        merged = torch.cat((self.conv2d_transpose(features), skip), dim=1)
        return cast('Tensor', self.end_up_layer(merged))


class _InvertedResidual(nn.Module):
    """MobileNetV2's block, twice as wide inside."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        inner = 2 * inputs
        depthwise = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False)
        self.conv = nn.Sequential(
            *_norm_relu(_pointwise(inputs, inner), inner),
            *_norm_relu(depthwise, inner),
            _pointwise(inner, outputs),
            nn.BatchNorm2d(outputs),
        )
        self._residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        changed = cast('Tensor', self.conv(features))
        return features + changed if self._residual else changed


class _AttentionBlock(nn.Module):
    """MobileViT's block: convolutions see the neighbourhood, attention the whole image."""

    def __init__(self, channels: int, width: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = _norm_relu(_separable(channels, channels), channels)
        self.conv2 = _norm_relu(_pointwise(channels, width), width)
        layer = nn.Sequential(
            _Residual(width, _Attention(width)), _Residual(width, _FeedForward(width, hidden))
        )
        self.transformer = nn.Sequential(OrderedDict(layers=nn.Sequential(layer)))
        self.conv3 = _norm_relu(_pointwise(width, channels), channels)
        self.conv4 = _norm_relu(_separable(2 * channels, channels), channels)

    def forward(self, features: Tensor) -> Tensor:
        local = self.conv2(self.conv1(features))
        height, width = local.shape[2:]
        whole = _fold(self.transformer(_unfold(local)), height, width)
        return cast('Tensor', self.conv4(torch.cat((self.conv3(whole), features), dim=1)))


class _Residual(nn.Module):
    """Adds what a layer makes of its normalised input."""

    def __init__(self, width: int, layer: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = layer

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + cast('Tensor', self.fn(self.norm(tokens)))


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_qkv = nn.Linear(width, 3 * _HEADS * _HEAD_WIDTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(_HEADS * _HEAD_WIDTH, width))

    def forward(self, tokens: Tensor) -> Tensor:
        heads = self.to_qkv(tokens).reshape(*tokens.shape[:2], 3, _HEADS, _HEAD_WIDTH)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return cast('Tensor', self.to_out(mixed.transpose(1, 2).flatten(2)))


class _FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        # The two places without weights are those of dropout, of use in training only.
        self.net = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Identity(), nn.Linear(hidden, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return cast('Tensor', self.net(tokens))


def _unfold(features: Tensor) -> Tensor:
    """[N, C, h, w] to [4 N, h w / 4, C]: tokens of one place in the patches are one sequence."""
    count, channels, height, width = features.shape
    grid = (height // _PATCH, width // _PATCH)
    patches = features.reshape(count, channels, grid[0], _PATCH, grid[1], _PATCH)
    return patches.permute(0, 3, 5, 2, 4, 1).reshape(-1, grid[0] * grid[1], channels)


def _fold(tokens: Tensor, height: int, width: int) -> Tensor:
    """The inverse of `_unfold`."""
    channels = tokens.shape[-1]
    patches = tokens.reshape(-1, _PATCH, _PATCH, height // _PATCH, width // _PATCH, channels)
    return patches.permute(0, 5, 3, 1, 4, 2).reshape(-1, channels, height, width)


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    wide = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(OrderedDict(depthwise=wide, pointwise=_pointwise(outputs, outputs)))


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, bias=False)


def _norm_relu(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())
