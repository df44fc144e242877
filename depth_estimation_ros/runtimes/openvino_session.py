# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network at one size of its input, run by OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.runtimes import libraries
from depth_estimation_ros.runtimes.base import cores

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.from_pixels import FromPixels

_COMPILED = 'compiled.blob'


class OpenVinoSession:
    """A compiled network.

    Attributes:
        name: `openvino` or `openvino-int8`.
        device: `cpu`.
    """

    def __init__(self, folder: Path, name: str = 'openvino') -> None:
        """Load what `compile_into` left in a folder.

        Raises:
            ValueError: OpenVINO does not read it.
        """
        self.name = name
        self.device = 'cpu'
        file = folder / _COMPILED
        try:
            compiled = (
                libraries.openvino().Core().import_model(file.read_bytes(), 'CPU', _options())
            )
        except RuntimeError as error:
            raise ValueError(f'{file} is damaged, delete {folder}: {error}') from error
        self._request = compiled.create_infer_request()

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `Session.run`."""
        if len(pixels) == 1:
            return self._infer(pixels)
        # A batch on a CPU takes as long as its images one after the other.
        return np.concatenate([self._infer(one[np.newaxis]).copy() for one in pixels])

    def _infer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        outputs = self._request.infer([pixels], share_inputs=True, share_outputs=True)
        output: NDArray[np.float32] = outputs[0]
        return output

    def close(self) -> None:
        """As `Session.close`."""
        del self._request


def convert(network: FromPixels, width: int, height: int) -> Any:
    """The network as an `openvino.Model`, straight from PyTorch, without ONNX between."""
    import torch

    shape = [1, height, width, 3]
    openvino = libraries.openvino()
    model = openvino.convert_model(
        network,
        example_input=torch.zeros(shape, dtype=torch.uint8),
        input=[openvino.PartialShape(shape)],
    )
    model.input(0).get_tensor().set_names({'pixels'})
    model.output(0).get_tensor().set_names({'depth'})
    return model


def compile_into(folder: Path, model: Any) -> None:
    """Compile an `openvino.Model`, or a file that OpenVINO reads, for this machine."""
    compiled = libraries.openvino().Core().compile_model(model, 'CPU', _options())
    (folder / _COMPILED).write_bytes(compiled.export_model().getvalue())


def _options() -> dict[str, object]:
    return {
        # Unasked, it takes bfloat16 on processors that have it.
        'INFERENCE_PRECISION_HINT': 'f32',
        'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_NUM_THREADS': cores(),
        # A thread bound to one core waits there while another process has it.
        'ENABLE_CPU_PINNING': False,
    }
