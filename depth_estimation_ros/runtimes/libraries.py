# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO and ONNX Runtime, imported so that they report to nobody.

Both send statistics of their use over the internet unless told otherwise: OpenVINO when it
converts a network, ONNX Runtime (1.29 and newer) from its import on. Import them nowhere else.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any


def openvino() -> Any:
    """The module."""
    # It does without this package where it is missing.
    sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
    return importlib.import_module('openvino')


def onnxruntime() -> Any:
    """The module."""
    os.environ['ORT_DISABLE_TELEMETRY'] = '1'
    return importlib.import_module('onnxruntime')
