# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images in, predictions at their size out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.models.resolve import resolve
from depth_estimation_ros.preprocessing import Preprocessing, check_image
from depth_estimation_ros.runtimes.base import Runtime
from depth_estimation_ros.runtimes.build import build


class DepthEstimator:
    """A network on a device. Not for two threads at once.

    Attributes:
        spec: What the network is.
        runtime: What carries it; `runtime.name` and `runtime.device` are for people to read.
        preset: How much of its nominal size it is given, see `preprocessing.PRESETS`.
        network_size: Width and height of the last input; the nominal ones before the first.
    """

    def __init__(
        self,
        spec: ModelSpec,
        runtime: Runtime,
        preset: str = 'full',
        latency: Latency | None = None,
    ) -> None:
        plan = Preprocessing.plan(spec, spec.width, spec.height, preset)
        self.spec = spec
        self.runtime = runtime
        self.preset = preset
        self.network_size = (plan.network_width, plan.network_height)
        self._latency = latency or Latency()

    @classmethod
    def load(
        cls,
        model: str,
        weights: str = '',
        device: str = 'auto',
        runtime: str = 'auto',
        preset: str = 'full',
        latency: Latency | None = None,
        say: Callable[[str], object] | None = None,
    ) -> DepthEstimator:
        """A model ready for images.

        Args:
            model: Its name in the catalogue, hf:<owner>/<name>, or a path: see `resolve`.
            weights: Path of the weights, file or folder; empty: the model's own.
            device: auto, cpu, cuda or cuda:N.
            runtime: What carries it; auto is the fastest that is at hand.
            preset: full, balanced or fast.
            latency: Notes the stages preprocess, network and restore.
            say: Takes what people may want to know while it takes long; None: the log of Python.

        Raises:
            ValueError: Unknown name, device, runtime or preset, or the weights are of another
                network.
            FileNotFoundError: No weights; the text says where they were looked for and the cure.
        """
        spec = resolve(model, weights)
        Preprocessing.plan(spec, spec.width, spec.height, preset)  # refused before the long work
        return cls(spec, build(spec, '', device, runtime, say), preset, latency)

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
        for (height, width, _), indices in groups.items():
            plan = self._plan(width, height)
            together = self.runtime.predict([images[i] for i in indices], plan, self._latency)
            values.update(zip(indices, together, strict=True))
        return [Prediction(values[index], self.spec.kind) for index in range(len(images))]

    def warm_up(self, width: int, height: int) -> None:
        """Run the network once for an image of this size: the first run is slow."""
        image = np.zeros((height, width, 3), np.uint8)
        self.runtime.predict([image], self._plan(width, height), Latency())

    def close(self) -> None:
        """Free the network; nothing may be asked afterwards."""
        self.runtime.close()

    def _plan(self, width: int, height: int) -> Preprocessing:
        plan = Preprocessing.plan(self.spec, width, height, self.preset)
        self.network_size = (plan.network_width, plan.network_height)
        return plan
