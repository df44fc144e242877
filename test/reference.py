# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of official implementations whose weights were made from the names of their tensors."""

from __future__ import annotations

import ast
import importlib.util

import numpy as np
import torch


def formula(assets, name):
    """The weights, by official names, the input [1, 3, h, w] and the output of a reference."""
    folder = assets / 'reference'
    module = importlib.util.spec_from_file_location('formula', folder / 'formula_weights.py')
    weights = importlib.util.module_from_spec(module)
    module.loader.exec_module(weights)
    with np.load(folder / f'{name}_formula.npz') as file:
        shapes = {
            str(n): ast.literal_eval(str(s))
            for n, s in zip(file['names'], file['shapes'], strict=True)
        }
        network_input = torch.from_numpy(file['network_input'].astype(np.float32))
        output = torch.from_numpy(file['network_output'])
    state = {
        # Counters of batches are whole numbers.
        key: torch.tensor(0)
        if key.endswith('num_batches_tracked')
        else torch.from_numpy(np.asarray(weights.values(key, tuple(shape)), np.float32))
        for key, shape in shapes.items()
    }
    return state, network_input, output


def worst(output, expected):
    """Largest difference, relative to the mean of what is expected."""
    return float((output - expected).abs().max() / expected.abs().mean())
