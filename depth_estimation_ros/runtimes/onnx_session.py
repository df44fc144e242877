# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network at one size of its input, run by ONNX Runtime: on the CPU, by CUDA or by TensorRT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.runtimes import libraries
from depth_estimation_ros.runtimes.base import cores

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.from_pixels import FromPixels

FILE = 'model.onnx'
# Weights beyond this lie beside the model: a file of ONNX itself ends at 2 GB.
_INSIDE = 1_500_000_000


class OnnxSession:
    """A network in an ONNX file.

    Attributes:
        name: `onnxruntime`, `onnxruntime-int8` or `tensorrt`.
        device: `cpu` or `cuda:0`.
    """

    def __init__(self, file: Path, device: str = 'cpu', name: str = 'onnxruntime') -> None:
        """Load a file; TensorRT builds its engine beside it the first time.

        Raises:
            ValueError: ONNX Runtime does not read it, or has no such provider.
        """
        onnxruntime = libraries.onnxruntime()
        self.name = name
        self.device = device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cores()
        # Threads that spin while they wait starve the processes they share cores with.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.log_severity_level = 3
        if name == 'tensorrt':
            libraries.tensorrt()
        providers = _providers(file.parent, device, name)
        try:
            self._session = onnxruntime.InferenceSession(
                file,
                options,
                providers=[*providers, 'CPUExecutionProvider'],
                enable_fallback=0,  # it would go on on the CPU, now or at any image, and print it
            )
        except Exception as error:  # its exceptions share no base of their own
            damaged = f'{file} is damaged, delete {file.parent}'
            unless = '' if device == 'cpu' else f'{name} does not start on {device}, or '
            raise ValueError(f'{unless}{damaged}: {error}') from error
        # Where CUDA's libraries do not load, it goes on on the CPU all the same.
        wanted = [provider for provider, _ in providers]
        if not set(wanted) <= set(self._session.get_providers()):
            raise ValueError(
                f'{name}: ONNX Runtime cannot start {wanted[0]} on {device}: libraries of CUDA, '
                'cuDNN or TensorRT that it was built for are missing; docs/gpu.md names them'
            )

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `Session.run`."""
        outputs = [self._session.run(None, {'pixels': one[np.newaxis]})[0] for one in pixels]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def close(self) -> None:
        """As `Session.close`."""
        del self._session


def convert(network: FromPixels, width: int, height: int, file: Path) -> None:
    """Write the network as ONNX: input `pixels` uint8 [1, h, w, 3], output `depth`."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    pixels = torch.zeros((1, height, width, 3), dtype=torch.uint8)
    size = sum(weight.nbytes for weight in network.state_dict().values())
    # The layout of what PyTorch's fused attention answers is not that of the graph it becomes.
    with sdpa_kernel(SDPBackend.MATH):
        torch.onnx.export(
            network,
            (pixels,),
            file,
            input_names=['pixels'],
            output_names=['depth'],
            dynamo=True,
            external_data=size > _INSIDE,
            verbose=False,
        )


def available(provider: str) -> bool:
    """Whether the installed ONNX Runtime was built with a provider, such as `CUDA`."""
    return f'{provider}ExecutionProvider' in libraries.onnxruntime().get_available_providers()


def _providers(folder: Path, device: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    if device == 'cpu':
        return []
    gpu = int(device.partition(':')[2] or 0)
    # TF32, which CUDA takes unasked, keeps ten bits of fp32's 23.
    cuda = ('CUDAExecutionProvider', {'device_id': gpu, 'use_tf32': 0})
    if name != 'tensorrt':
        return [cuda]
    engine = {
        'device_id': gpu,
        'trt_fp16_enable': True,
        'trt_engine_cache_enable': True,
        'trt_engine_cache_path': str(folder),
    }
    return [('TensorrtExecutionProvider', engine), cuda]
