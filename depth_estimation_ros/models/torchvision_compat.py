# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes torchvision (and so timm) importable beside a torch that it was not built for.

The torchvision wheel on PyPI is built against CUDA. Beside a CPU torch, or a vendor's torch as on
Jetson, its C++ library does not load, and the import ends with "operator torchvision::nms does not
exist", because torchvision registers fake kernels for operators that nobody declared. Declaring
their schemas is enough: we use timm's Python networks and none of those operators.
"""

from __future__ import annotations

import importlib

import torch

_SCHEMAS = (
    'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
)
# Registrations live as long as their library object does.
_libraries: list[torch.library.Library] = []


def ensure_torchvision() -> None:
    """Import torchvision; where its operators are missing, declare them and import again.

    Call this before the first `import timm`. Does nothing when torchvision imports as it is, or is
    not installed at all.

    Raises:
        RuntimeError: torchvision fails for another reason than its missing operators.
    """
    try:
        importlib.import_module('torchvision')
    except ModuleNotFoundError as error:
        if error.name != 'torchvision':
            raise
    except RuntimeError as error:
        if 'torchvision::nms does not exist' not in str(error):
            raise
        _declare_operators()
        importlib.import_module('torchvision')


def _declare_operators() -> None:
    library = torch.library.Library('torchvision', 'DEF')  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _libraries.append(library)
