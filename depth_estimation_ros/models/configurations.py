# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The shapes of the networks that transformers ships, as their published `config.json` has them.

They serve where no `config.json` lies beside the weights: to measure a network without its
weights, and to recognise a file by its tensors. After the scripts in transformers that turned the
authors' checkpoints into the published ones.
"""

from __future__ import annotations

from typing import Any

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.model_spec import ModelSpec

Configuration = dict[str, Any]


def _dinov2(width: int, layers: int, heads: int, size: int, patch: int) -> Configuration:
    return {
        'model_type': 'dinov2',
        'hidden_size': width,
        'num_hidden_layers': layers,
        'num_attention_heads': heads,
        'image_size': size,
        'patch_size': patch,
    }


def _depth_anything(
    backbone: Configuration, layers: list[int], fusion: int, neck: list[int]
) -> Configuration:
    return {
        'model_type': 'depth_anything',
        'backbone_config': backbone | {'out_indices': layers, 'reshape_hidden_states': False},
        'reassemble_hidden_size': backbone['hidden_size'],
        'fusion_hidden_size': fusion,
        'neck_hidden_sizes': neck,
    }


def _beit(width: int, layers: int, heads: int, size: int) -> Configuration:
    return {
        'model_type': 'beit',
        'hidden_size': width,
        'intermediate_size': 4 * width,
        'num_hidden_layers': layers,
        'num_attention_heads': heads,
        'image_size': size,
        'use_relative_position_bias': True,
        'reshape_hidden_states': False,
        'out_features': [f'stage{layers * quarter // 4}' for quarter in (1, 2, 3, 4)],
    }


_SMALL = _dinov2(384, 12, 6, size=518, patch=14)
_BASE = _dinov2(768, 12, 12, size=518, patch=14)
_LARGE = _dinov2(1024, 24, 16, size=518, patch=14)
_NECK_SMALL, _NECK_BASE = [48, 96, 192, 384], [96, 192, 384, 768]
_NECK_LARGE = [256, 512, 1024, 1024]
_DEPTH_PRO_ENCODER = _dinov2(1024, 24, 16, size=384, patch=16) | {'use_mask_token': False}

CONFIGURATIONS: dict[str, Configuration] = {
    # Version 1 listens to the last layers, version 2 to layers spread over the whole depth.
    'depth-anything-v1-small': _depth_anything(_SMALL, [9, 10, 11, 12], 64, _NECK_SMALL),
    'depth-anything-v1-base': _depth_anything(_BASE, [9, 10, 11, 12], 128, _NECK_BASE),
    'depth-anything-v1-large': _depth_anything(_LARGE, [21, 22, 23, 24], 256, _NECK_LARGE),
    'depth-anything-v2-small': _depth_anything(_SMALL, [3, 6, 9, 12], 64, _NECK_SMALL),
    'depth-anything-v2-base': _depth_anything(_BASE, [3, 6, 9, 12], 128, _NECK_BASE),
    'depth-anything-v2-large': _depth_anything(_LARGE, [5, 12, 18, 24], 256, _NECK_LARGE),
    'dpt-large': {
        'model_type': 'dpt',
        'hidden_size': 1024,
        'intermediate_size': 4096,
        'num_hidden_layers': 24,
        'num_attention_heads': 16,
        'backbone_out_indices': [5, 11, 17, 23],
        'neck_hidden_sizes': _NECK_LARGE,
    },
    'dpt-hybrid': {
        'model_type': 'dpt',
        'is_hybrid': True,
        'reassemble_factors': [1, 1, 1, 0.5],
        'neck_hidden_sizes': [256, 512, 768, 768],
    },
    'dpt-beit-base-384': {
        'model_type': 'dpt',
        'backbone_config': _beit(768, 12, 12, size=384),
        'neck_hidden_sizes': _NECK_BASE,
    },
    'dpt-beit-large-512': {
        'model_type': 'dpt',
        'backbone_config': _beit(1024, 24, 16, size=512),
        'neck_hidden_sizes': _NECK_LARGE,
    },
    'dpt-swinv2-tiny-256': {
        'model_type': 'dpt',
        'backbone_config': {
            'model_type': 'swinv2',
            'image_size': 256,
            'embed_dim': 96,
            'depths': [2, 2, 6, 2],
            'num_heads': [3, 6, 12, 24],
            'window_size': 16,
            'out_features': ['stage1', 'stage2', 'stage3', 'stage4'],
        },
        'neck_hidden_sizes': _NECK_BASE,
    },
    'glpn-mit-b4': {
        'model_type': 'glpn',
        'hidden_sizes': [64, 128, 320, 512],
        'depths': [3, 8, 27, 3],
        'decoder_hidden_size': 64,
        'max_depth': 10,
    },
    'zoedepth-nyu-kitti': {
        'model_type': 'zoedepth',
        'backbone_config': _beit(1024, 24, 16, size=384),
        'neck_hidden_sizes': _NECK_LARGE,
        'bin_configurations': [
            {'name': 'nyu', 'n_bins': 64, 'min_depth': 0.001, 'max_depth': 10.0},
            {'name': 'kitti', 'n_bins': 64, 'min_depth': 0.001, 'max_depth': 80.0},
        ],
        'num_patch_transformer_layers': 4,
        'patch_transformer_hidden_size': 128,
        'patch_transformer_intermediate_size': 1024,
        'patch_transformer_num_attention_heads': 4,
    },
    'depth-pro': {
        'model_type': 'depth_pro',
        'patch_size': 384,
        'use_fov_model': True,
        'image_model_config': _DEPTH_PRO_ENCODER,
        'patch_model_config': _DEPTH_PRO_ENCODER,
        'fov_model_config': _DEPTH_PRO_ENCODER,
    },
}


def configuration(spec: ModelSpec) -> Configuration:
    """What `config.json` would say of a model of the catalogue."""
    written = CONFIGURATIONS[spec.architecture]
    if written['model_type'] == 'depth_anything' and spec.kind is DepthKind.METRIC:
        far = round(spec.valid_range[1])
        return written | {'depth_estimation_type': 'metric', 'max_depth': far}
    return dict(written)
