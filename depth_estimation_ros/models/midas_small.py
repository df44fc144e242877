# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""MiDaS v2.1 small: EfficientNet-Lite3 and a light decoder of refinement blocks.

After R. Ranftl et al., "Towards robust monocular depth estimation: mixing datasets for zero-shot
cross-dataset transfer", TPAMI 2022, and the small network that the authors published with v2.1
(https://github.com/isl-org/MiDaS). Attributes of the decoder bear the names of the published
weights; those of the encoder are timm's, see `own_names`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from depth_estimation_ros.models.torchvision_compat import ensure_torchvision

ensure_torchvision()

import timm  # noqa: E402

_WIDTH = 64  # of the decoder at 1/4; twice, four and eight times that at 1/8, 1/16 and 1/32

# The published weights number the encoder's layers anew within its four stages of resolution.
_STAGES = {
    'layer1.0': 'conv_stem', 'layer1.1': 'bn1', 'layer1.3': 'blocks.0', 'layer1.4': 'blocks.1',
    'layer2.0': 'blocks.2', 'layer3.0': 'blocks.3', 'layer3.1': 'blocks.4',
    'layer4.0': 'blocks.5', 'layer4.1': 'blocks.6',
}  # fmt: skip


class MidasSmall(nn.Module):
    """[N, 3, h, w] in, h and w multiples of 32; inverse depth [N, h, w] out, larger is nearer."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = timm.create_model(
            'tf_efficientnet_lite3', pretrained=False, features_only=True, out_indices=(1, 2, 3, 4)
        )
        self.scratch = _Decoder(self.encoder.feature_info.channels())

    def forward(self, images: Tensor) -> Tensor:
        """Inverse depth up to scale and shift, of normalised images."""
        depth: Tensor = self.scratch(*self.encoder(images))
        return depth


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published weights by the names of `MidasSmall`; those named so already stay as they are."""
    return {_own_name(name): tensor for name, tensor in state.items()}


def _own_name(name: str) -> str:
    published = re.fullmatch(r'pretrained\.(layer\d\.\d)\.(.*)', name)
    if published is None or published[1] not in _STAGES:
        return name
    return f'encoder.{_STAGES[published[1]]}.{published[2]}'


class _Decoder(nn.Module):
    """From the coarsest features to the finest, each step at twice the resolution."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        widths = [_WIDTH, 2 * _WIDTH, 4 * _WIDTH, 8 * _WIDTH]
        self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn = (
            nn.Conv2d(entering, width, 3, padding=1, bias=False)
            for entering, width in zip(channels, widths, strict=True)
        )
        self.refinenet4 = _Refinement(widths[3], widths[2])
        self.refinenet3 = _Refinement(widths[2], widths[1])
        self.refinenet2 = _Refinement(widths[1], widths[0])
        self.refinenet1 = _Refinement(widths[0], widths[0])
        self.output_conv = nn.Sequential(
            nn.Conv2d(_WIDTH, _WIDTH // 2, 3, padding=1),
            nn.Upsample(scale_factor=2, mode='bilinear'),
            nn.Conv2d(_WIDTH // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
            nn.ReLU(),
        )

    def forward(
        self, quarter: Tensor, eighth: Tensor, sixteenth: Tensor, deepest: Tensor
    ) -> Tensor:
        features = self.refinenet4(self.layer4_rn(deepest))
        features = self.refinenet3(features, self.layer3_rn(sixteenth))
        features = self.refinenet2(features, self.layer2_rn(eighth))
        features = self.refinenet1(features, self.layer1_rn(quarter))
        depth: Tensor = self.output_conv(features)
        return depth.squeeze(1)


class _Refinement(nn.Module):
    """Adds the encoder's features of this size, refines, and doubles the size.

    The coarsest has nothing to add, and its `resConfUnit1` does nothing; the published weights
    hold tensors for it all the same.
    """

    def __init__(self, width: int, leaving: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(width, leaving, 1)
        self.resConfUnit1 = _ResidualUnit(width)
        self.resConfUnit2 = _ResidualUnit(width)

    def forward(self, features: Tensor, lateral: Tensor | None = None) -> Tensor:
        if lateral is not None:
            features = features + self.resConfUnit1(lateral)
        refined = self.resConfUnit2(features)
        raised = functional.interpolate(
            refined, scale_factor=2.0, mode='bilinear', align_corners=True
        )
        leaving: Tensor = self.out_conv(raised)
        return leaving


class _ResidualUnit(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        changed = self.conv1(functional.relu(features))
        changed = self.conv2(functional.relu(changed))
        residual: Tensor = features + changed
        return residual
