# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ZoeDepth's two heads, chosen for each image and without a branch.

S. F. Bhat et al., "ZoeDepth: zero-shot transfer by combining relative and metric depth", 2023. A
classifier tells rooms from roads, and one of two heads answers. transformers lets the images of a
batch vote and branches on the outcome: cameras would share a vote, and a traced network would keep
the head of the image it was traced with. Here both heads answer, and each image takes its own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def choose_head_by_image(model: nn.Module) -> None:
    """Rebuild, in place, transformers' network; one with a single head stays as it is."""
    if hasattr(model.metric_head, 'mlp_classifier'):
        model.metric_head = _BothHeads(model.metric_head)


class _BothHeads(nn.Module):
    def __init__(self, heads: Any) -> None:
        super().__init__()
        self.heads = heads

    def forward(
        self,
        outconv_activation: Tensor,
        bottleneck: Tensor,
        feature_blocks: list[Tensor],
        relative_depth: Tensor,  # noqa: ARG002 (single heads use it)
    ) -> tuple[Tensor, Tensor]:
        """As the module in whose place it stands: metres [N, 1, h, w], and logits [N, 2]."""
        heads = self.heads
        bottleneck = heads.conv2(bottleneck)
        logits: Tensor = heads.mlp_classifier(heads.patch_transformer(bottleneck)[:, 0, :])
        embeddings = [
            project(features)
            for project, features in zip(heads.projectors, feature_blocks, strict=True)
        ]
        first, second = (
            self._depth(domain, outconv_activation, bottleneck, embeddings)
            for domain in heads.bin_configurations
        )
        chosen = logits.argmax(dim=-1).reshape(-1, 1, 1, 1)
        return torch.where(chosen == 0, first, second), logits

    def _depth(
        self,
        domain: dict[str, Any],
        activation: Tensor,
        bottleneck: Tensor,
        embeddings: list[Tensor],
    ) -> Tensor:
        """Metres of one head: the mean of its bin centres by the probability of each bin."""
        heads, name = self.heads, domain['name']
        _, bins = heads.seed_bin_regressors[name](bottleneck)
        if heads.bin_centers_type == 'normed':
            bins = (bins - domain['min_depth']) / (domain['max_depth'] - domain['min_depth'])
        before = heads.seed_projector(bottleneck)
        for attract, embedding in zip(heads.attractors[name], embeddings, strict=True):
            bins, centres = attract(embedding, bins, before, interpolate=True)
            before = embedding
        size = activation.shape[-2:]
        centres, embedding = (
            functional.interpolate(values, size, mode='bilinear', align_corners=True)
            for values in (centres, embedding)
        )
        probabilities = heads.conditional_log_binomial[name](activation, embedding)
        depth: Tensor = (probabilities * centres).sum(dim=1, keepdim=True)
        return depth
