# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The smallest networks of each kind that transformers ships, for tests."""

from __future__ import annotations

import json

import torch
from safetensors.torch import load_file, save_file

from depth_estimation_ros.models import transformers_networks


def _dinov2(size, patch):
    return {
        'model_type': 'dinov2',
        'hidden_size': 32,
        'num_hidden_layers': 4,
        'num_attention_heads': 2,
        'image_size': size,
        'patch_size': patch,
    }


_BEIT = {
    'model_type': 'beit',
    'hidden_size': 32,
    'intermediate_size': 64,
    'num_hidden_layers': 4,
    'num_attention_heads': 2,
    'image_size': 64,
    'use_relative_position_bias': True,
    'reshape_hidden_states': False,
    'out_features': ['stage1', 'stage2', 'stage3', 'stage4'],
}
_SMALL = {'neck_hidden_sizes': [8, 8, 8, 8], 'fusion_hidden_size': 16}
# With the size of the input that they take, height and width.
CONFIGURATIONS = {
    'depth_anything': (
        {
            'model_type': 'depth_anything',
            'backbone_config': _dinov2(70, 14)
            | {'out_indices': [1, 2, 3, 4], 'reshape_hidden_states': False},
            'reassemble_hidden_size': 32,
            'head_hidden_size': 8,
            **_SMALL,
        },
        (70, 98),
    ),
    'dpt': (
        {
            'model_type': 'dpt',
            'hidden_size': 32,
            'intermediate_size': 64,
            'num_hidden_layers': 4,
            'num_attention_heads': 2,
            'image_size': 64,
            'backbone_out_indices': [0, 1, 2, 3],
            **_SMALL,
        },
        (64, 64),
    ),
    'dpt on BEiT': ({'model_type': 'dpt', 'backbone_config': _BEIT, **_SMALL}, (64, 96)),
    'dpt on Swin': (
        {
            'model_type': 'dpt',
            'backbone_config': {
                'model_type': 'swinv2',
                'image_size': 64,
                'embed_dim': 8,
                'depths': [1, 1, 1, 1],
                'num_heads': [1, 1, 2, 2],
                'window_size': 2,
                'out_features': ['stage1', 'stage2', 'stage3', 'stage4'],
            },
            **_SMALL,
            'neck_hidden_sizes': [8, 16, 32, 64],
        },
        (64, 64),
    ),
    'dpt hybrid': (
        {
            'model_type': 'dpt',
            'is_hybrid': True,
            'hidden_size': 32,
            'intermediate_size': 64,
            'num_hidden_layers': 4,
            'num_attention_heads': 2,
            'image_size': 64,
            'backbone_featmap_shape': [1, 64, 4, 4],
            'backbone_config': {
                'model_type': 'bit',
                'global_padding': 'same',
                'layer_type': 'bottleneck',
                'embedding_size': 32,
                'hidden_sizes': [32, 64, 64],
                'depths': [1, 1, 1],
                'num_groups': 8,
                'out_features': ['stage1', 'stage2', 'stage3'],
                'embedding_dynamic_padding': True,
            },
            'reassemble_factors': [1, 1, 1, 0.5],
            'backbone_out_indices': [0, 1, 2, 3],
            'neck_hidden_sizes': [32, 64, 32, 32],
            'fusion_hidden_size': 16,
        },
        (64, 64),
    ),
    'glpn': (
        {
            'model_type': 'glpn',
            'hidden_sizes': [8, 16, 16, 32],
            'depths': [1, 1, 1, 1],
            'num_attention_heads': [1, 1, 2, 2],
            'decoder_hidden_size': 8,
        },
        (64, 96),
    ),
    'zoedepth': (
        {
            'model_type': 'zoedepth',
            'backbone_config': _BEIT,
            **_SMALL,
            'bottleneck_features': 16,
            'num_relative_features': 8,
            'bin_embedding_dim': 16,
            'bin_configurations': [
                {'name': 'nyu', 'n_bins': 8, 'min_depth': 0.001, 'max_depth': 10.0},
                {'name': 'kitti', 'n_bins': 8, 'min_depth': 0.001, 'max_depth': 80.0},
            ],
            'num_attractors': [4, 4, 2, 1],
            'num_patch_transformer_layers': 4,
            'patch_transformer_hidden_size': 128,
            'patch_transformer_intermediate_size': 32,
            'patch_transformer_num_attention_heads': 2,
        },
        (64, 96),
    ),
    'depth_pro': (
        {
            'model_type': 'depth_pro',
            'patch_size': 32,
            'use_fov_model': True,
            'fusion_hidden_size': 16,
            'intermediate_hook_ids': [1, 0],
            'intermediate_feature_dims': [8, 8],
            'scaled_images_feature_dims': [8, 8, 8],
            'num_fov_head_layers': 0,
            'merge_padding_value': 1,
            'image_model_config': _dinov2(32, 8),
            'patch_model_config': _dinov2(32, 8),
            'fov_model_config': _dinov2(32, 8),
        },
        (128, 128),
    ),
}


def save(folder, kind='depth_anything', processor=None, **changes):
    """A folder as Hugging Face lays it out, with random weights; the configuration in it."""
    configuration, (height, width) = CONFIGURATIONS[kind]
    torch.manual_seed(0)
    transformers_networks.save_random(configuration | changes, folder)
    if kind == 'depth_pro':  # a camera with no field of view sees all at infinity
        weights = load_file(folder / 'model.safetensors')
        weights['head.layers.4.bias'] += 200.0
        weights['fov_model.head.layers.0.bias'] += 60.0
        save_file(weights, folder / 'model.safetensors', {'format': 'pt'})
    said = {
        'size': {'height': height, 'width': width},
        'keep_aspect_ratio': True,
        'ensure_multiple_of': 14,
        'image_mean': [0.485, 0.456, 0.406],
        'image_std': [0.229, 0.224, 0.225],
    }
    (folder / 'preprocessor_config.json').write_text(json.dumps(said | (processor or {})))
    return folder
