# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The machine that figures are from."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

from depth_estimation_ros.runtimes import libraries

_PACKAGES = ('torch', 'transformers', 'openvino', 'onnxruntime', 'numpy', 'opencv-python')


def machine() -> dict[str, Any]:
    """Processor, cores that may be used, load average of a minute, versions of what computes."""
    return {
        'cpu': _processor(),
        'cores': len(os.sched_getaffinity(0)),
        'load': os.getloadavg()[0],
        'python': platform.python_version(),
        'packages': {name: found for name in _PACKAGES if (found := libraries.version(name))},
    }


def described(facts: dict[str, Any]) -> str:
    """In one line."""
    packages = ', '.join(f'{name} {version}' for name, version in facts['packages'].items())
    return (
        f'{facts["cpu"]}, {facts["cores"]} cores, load {facts["load"]:.1f}; '
        f'Python {facts["python"]}, {packages}'
    )


def _processor() -> str:
    named = re.search(
        r'^model name\s*: (.+)$', Path('/proc/cpuinfo').read_text('utf-8'), re.MULTILINE
    )
    return named[1] if named else platform.machine()  # ARM kernels name none
