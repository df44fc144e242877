# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that may be missing: their versions, and how three of them are imported.

OpenVINO and ONNX Runtime send statistics of their use over the internet unless told otherwise:
OpenVINO when it converts a network, ONNX Runtime (1.29 and newer) as soon as it is imported.
Import them only here.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from typing import Any


def version(name: str) -> str:
    """The version of an installed distribution; empty where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ''


def openvino() -> Any:
    """The module."""
    # It does without this package where it is missing.
    sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
    return importlib.import_module('openvino')


def onnxruntime() -> Any:
    """The module."""
    os.environ['ORT_DISABLE_TELEMETRY'] = '1'
    return importlib.import_module('onnxruntime')


def tensorrt() -> None:
    """Load TensorRT where pip installed it, for ONNX Runtime to find.

    It looks for libnvinfer where loaders look and among what is loaded; pip puts it elsewhere, and
    only NVIDIA's module knows where. Installed by apt it needs no such help.
    """
    if importlib.util.find_spec('tensorrt'):
        importlib.import_module('tensorrt')
