# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether work on a device stays there: what goes to main memory and back waits, and no CUDA graph
can be recorded of it. The device is `meta`, in the place of a GPU: there numbers are none."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Elsewhere(TorchDispatchMode):
    """Notes operations that read or make tensors of main memory, were they of one number."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, result)) if isinstance(t, torch.Tensor)]
        if any(tensor.device.type == 'cpu' for tensor in tensors):
            self.seen.append(str(operation))
        return result
