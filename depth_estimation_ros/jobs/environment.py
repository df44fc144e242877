# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a result depends on besides its input: code, libraries, weights, and the machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import depth_estimation_ros
from depth_estimation_ros.jobs.base import Network

_LIBRARIES = (
    *('numpy', 'opencv-python', 'rosbags', 'av', 'torch', 'timm', 'transformers'),
    *('openvino', 'onnxruntime', 'onnxruntime-gpu', 'tensorrt'),
)
_OPENMP = ('OMP_NUM_THREADS', 'OMP_WAIT_POLICY')
_SHOWN = 12  # digits of a checksum


def describe(network: Network) -> dict[str, str]:
    """Names and versions of what must be the same wherever the work is shared.

    Raises:
        ValueError, FileNotFoundError: There is no such network on this machine.
    """
    from depth_estimation_ros.models.resolve import resolve
    from depth_estimation_ros.runtimes import libraries, prepared

    spec = resolve(network.model, network.weights)
    return {
        'depth_estimation_ros': depth_estimation_ros.__version__,
        "depth_estimation_ros' code": _code(),
        **{library: libraries.version(library) for library in _LIBRARIES},
        f'the weights of {spec.name}': prepared.checksum(spec)[:_SHOWN],
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What differs, for people."""
    return [
        f'{name}: {there.get(name) or "none"} there, {version or "none"} here'
        for name, version in here.items()
        if there.get(name) != version
    ]


def processors() -> str:
    """Those that this process may use: others may round differently in the last digit."""
    from depth_estimation_ros.runtimes import base, prepared

    return f'{base.cores()} cores of {prepared.processor()}'


def openmp() -> dict[str, str]:
    """How the threads of networks are counted and wait here."""
    # Those that spin starve the other workers of a machine.
    told = {name: os.environ[name] for name in _OPENMP if name in os.environ}
    return {'OMP_WAIT_POLICY': 'PASSIVE'} | told


def set_openmp(settings: Mapping[str, str]) -> None:
    """Have networks of this process use threads as those of another one: sums depend on it.

    To be called before a network is loaded.
    """
    for name in _OPENMP:
        os.environ.pop(name, None)
    os.environ.update(settings)


def _code() -> str:
    digest = hashlib.sha256()
    package = Path(depth_estimation_ros.__file__).parent
    for file in sorted(package.rglob('*.py')):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:_SHOWN]
