# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The runtimes that a network is converted for: what is installed, where each runs."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes import onnx_session, openvino_session
from depth_estimation_ros.runtimes.base import Session

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.from_pixels import FromPixels

FP32 = ('openvino', 'onnxruntime')
INT8 = ('openvino-int8', 'onnxruntime-int8')

_ONNX = ('onnxruntime', 'onnx', 'onnxscript')
_MODULES = {'openvino': ('openvino',), 'onnxruntime': _ONNX, 'tensorrt': _ONNX}


def missing(runtime: str) -> list[str]:
    """Modules that a runtime needs and that are not installed."""
    modules = _MODULES[runtime.removesuffix('-int8')]
    return [name for name in modules if importlib.util.find_spec(name) is None]


def half(runtime: str) -> bool:
    """Whether it computes in half precision."""
    return runtime == 'tensorrt'


def check(runtime: str, device: str) -> None:
    """Refuse a runtime that is not installed or cannot run on a device.

    Raises:
        ValueError: With the cure.
    """
    lacking = missing(runtime)
    if lacking:
        raise ValueError(
            f'runtime {runtime}: {", ".join(lacking)} is not installed; '
            "pip install 'depth_estimation_ros[runtimes]', or take auto or torch"
        )
    provider = {'tensorrt': 'Tensorrt', 'onnxruntime': 'CUDA'}.get(runtime, '')
    if device == 'cpu' and runtime == 'tensorrt':
        raise ValueError('runtime tensorrt runs on an NVIDIA GPU, not on the cpu')
    if device == 'cpu':
        return
    if not provider:
        raise ValueError(f'runtime {runtime} runs on the cpu, not on {device}')
    if not onnx_session.available(provider):
        raise ValueError(
            f'runtime {runtime} on {device}: the installed onnxruntime is built without it; '
            'pip uninstall onnxruntime, then pip install onnxruntime-gpu; or take the device cpu'
        )


def check_made(runtime: str, spec: ModelSpec, width: int, height: int) -> None:
    """Refuse an int8 runtime, which is made with pictures and not when it is wanted.

    Raises:
        FileNotFoundError: With the command that makes it.
    """
    if runtime in INT8:
        form = 'onnx' if runtime.startswith('onnx') else 'openvino'
        own = f' --weights {shlex.quote(str(Path(spec.folder, spec.file)))}' if spec.folder else ''
        raise FileNotFoundError(
            f'runtime {runtime}: it was not made for {spec.name} at {width}x{height}; '
            f'depth-estimation export {spec.name}{own} --format {form} --size {width}x{height} '
            '--int8 --pictures DIR makes it'
        )


def convert(runtime: str, network: FromPixels, width: int, height: int, folder: Path) -> None:
    """Leave in a folder what `session` loads."""
    if runtime == 'openvino':
        model = openvino_session.convert(network, width, height)
        openvino_session.compile_into(folder, model)
    else:
        onnx_session.convert(network, width, height, folder / onnx_session.FILE)


def session(runtime: str, folder: Path, device: str) -> Session:
    """The network of a folder, ready to run."""
    if runtime.startswith('openvino'):
        return openvino_session.OpenVinoSession(folder, runtime)
    file = folder / onnx_session.FILE
    return onnx_session.OnnxSession(file, device, runtime)
