# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images in, predictions at their size out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models import catalog
from depth_estimation_ros.preprocessing import Preprocessing, check_image

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime


class DepthEstimator:
    """A network on a device. Not for two threads at once.

    Attributes:
        spec: What the network is.
        runtime: What carries it; `runtime.name` and `runtime.device` are for people to read.
        network_size: Width and height of the last input; the nominal ones before the first.
    """

    def __init__(
        self, spec: catalog.ModelSpec, runtime: TorchRuntime, latency: Latency | None = None
    ) -> None:
        self.spec = spec
        self.runtime = runtime
        self.network_size = (spec.width, spec.height)
        self._latency = latency or Latency()
        self._input = np.empty(0, np.float32)

    @classmethod
    def load(
        cls, name: str, weights: str = '', device: str = 'auto', latency: Latency | None = None
    ) -> DepthEstimator:
        """The model of this name, ready for images.

        Args:
            name: Its name in the catalogue.
            weights: Path of the weights file; empty: where the catalogue says.
            device: auto, cpu, cuda or cuda:N.
            latency: Notes the stages preprocess, network and restore.

        Raises:
            ValueError: Unknown name or device, or the weights are of another network.
            FileNotFoundError: No weights; the text says where they were looked for and the cure.
        """
        # Here, because torch takes a second and 200 MB that a listing of models need not spend.
        from depth_estimation_ros.models import weights as weights_file
        from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

        spec = catalog.spec(name)
        return cls(spec, TorchRuntime(weights_file.load(spec, weights), device), latency)

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """What the network says of each image, in their order.

        Images of one size go through the network together.

        Args:
            images: Each [H, W, 3] uint8 RGB.

        Returns:
            Values of the images' sizes, in arrays of their own.

        Raises:
            ValueError: One of them is no such image.
        """
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            check_image(image)
            groups.setdefault(image.shape, []).append(index)
        values: dict[int, NDArray[np.float32]] = {}
        for indices in groups.values():
            values.update(zip(indices, self._batch([images[i] for i in indices]), strict=True))
        return [Prediction(values[index], self.spec.kind) for index in range(len(images))]

    def warm_up(self, width: int, height: int) -> None:
        """Run the network once at the size that such images take: the first run is slow."""
        plan = Preprocessing.plan(self.spec, width, height)
        network_input = self._reserve(1, plan)
        network_input.fill(0.0)
        self.runtime(network_input)

    def _batch(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        height, width, _ = images[0].shape
        plan = Preprocessing.plan(self.spec, width, height)
        with self._latency.stage('preprocess'):
            network_input = self._reserve(len(images), plan)
            for image, out in zip(images, network_input, strict=True):
                plan.apply(image, out)
        with self._latency.stage('network'):
            outputs = self.runtime(network_input)
        with self._latency.stage('restore'):
            return [plan.restore(output) for output in outputs]

    def _reserve(self, count: int, plan: Preprocessing) -> NDArray[np.float32]:
        """[count, 3, h, w] in the buffer that every call uses again."""
        self.network_size = (plan.network_width, plan.network_height)
        shape = (count, 3, plan.network_height, plan.network_width)
        if self._input.size < math.prod(shape):
            self._input = np.empty(math.prod(shape), np.float32)
        return self._input[: math.prod(shape)].reshape(shape)
