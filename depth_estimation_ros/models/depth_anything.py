# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth Anything's own checkpoints: what their file names tell, and their tensors' names.

https://github.com/DepthAnything/Depth-Anything-V2 publishes relative and metric networks whose
tensors have the same names and shapes. The name of the file is all that tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_SIZES = {'s': 'small', 'b': 'base', 'l': 'large'}
_SCENES = {'hypersim': 'indoor', 'vkitti': 'outdoor'}

# The authors' names, and what transformers calls the same in the files published for it.
_RENAMED = (
    (r'^pretrained\.(cls_token|mask_token)$', r'backbone.embeddings.\1'),
    (r'^pretrained\.pos_embed$', r'backbone.embeddings.position_embeddings'),
    (r'^pretrained\.patch_embed\.proj\.', r'backbone.embeddings.patch_embeddings.projection.'),
    (r'^pretrained\.norm\.', r'backbone.layernorm.'),
    (r'^pretrained\.blocks\.', r'backbone.encoder.layer.'),
    (r'\.ls(\d)\.gamma$', r'.layer_scale\1.lambda1'),
    (r'\.attn\.proj\.', r'.attention.output.dense.'),
    (r'^depth_head\.projects\.(\d)\.', r'neck.reassemble_stage.layers.\1.projection.'),
    (r'^depth_head\.resize_layers\.(\d)\.', r'neck.reassemble_stage.layers.\1.resize.'),
    (r'^depth_head\.scratch\.output_conv1\.', r'head.conv1.'),
    (r'^depth_head\.scratch\.output_conv2\.0\.', r'head.conv2.'),
    (r'^depth_head\.scratch\.output_conv2\.2\.', r'head.conv3.'),
    (r'\.out_conv\.', r'.projection.'),
    (r'\.resConfUnit(\d)\.conv(\d)\.', r'.residual_layer\1.convolution\2.'),
)


def published_as(file_name: str) -> str:
    """Name in the catalogue of what the authors publish in a file of this name, or ''."""
    told = re.fullmatch(r'depth_anything_(v2_)?(metric_(\w+)_)?vit([sbl])(14)?\.pth', file_name)
    if told is None:
        return ''
    size = _SIZES[told[4]]
    if told[1] is None:
        return f'depth-anything-v1-{size}' if told[5] and not told[2] else ''
    if told[2] is None:
        return f'depth-anything-v2-{size}'
    return f'depth-anything-v2-metric-{_SCENES[told[3]]}-{size}' if told[3] in _SCENES else ''


def published_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' tensors by the names in files for transformers; others keep theirs."""
    if 'pretrained.cls_token' not in state:
        return dict(state)
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        fused = re.fullmatch(r'pretrained\.blocks\.(\d+)\.attn\.qkv\.(\w+)', name)
        if fused is None:
            renamed[_published_name(name)] = tensor
            continue
        prefix = f'backbone.encoder.layer.{fused[1]}.attention.attention'
        parts = zip(('query', 'key', 'value'), tensor.chunk(3), strict=True)
        renamed |= {f'{prefix}.{part}.{fused[2]}': piece for part, piece in parts}
    return renamed


def _published_name(name: str) -> str:
    # Four layers of each kind, which the authors count from 1, and refinements from the finest.
    name = re.sub(
        r'^depth_head\.scratch\.layer(\d)_rn\.',
        lambda found: f'neck.convs.{int(found[1]) - 1}.',
        name,
    )
    name = re.sub(
        r'^depth_head\.scratch\.refinenet(\d)\.',
        lambda found: f'neck.fusion_stage.layers.{4 - int(found[1])}.',
        name,
    )
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
