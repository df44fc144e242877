# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images in, predictions at their size out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.frames import Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.models.resolve import resolve
from depth_estimation_ros.operations import FloatImage
from depth_estimation_ros.preprocessing import PRESETS, Preprocessing, check_image
from depth_estimation_ros.runtimes.base import Runtime
from depth_estimation_ros.runtimes.build import build


class DepthEstimator:
    """A network on a device. Not for two threads at once.

    When memory runs out, fewer images go through the network together, then smaller ones. This
    lasts, and is reported.

    Attributes:
        spec: What the network is.
        runtime: What carries it; `runtime.name` and `runtime.device` are for people to read.
        preset: Size of the network's input, see `preprocessing.PRESETS`; smaller than asked for
            when memory ran out.
        hint: What was cut back for lack of memory, and the cure; empty when nothing was.
        network_size: Width and height of the last input; the nominal ones before the first.
    """

    def __init__(
        self,
        spec: ModelSpec,
        runtime: Runtime,
        preset: str = 'full',
        latency: Latency | None = None,
        say: Callable[[str], object] | None = None,
    ) -> None:
        plan = Preprocessing.plan(spec, spec.width, spec.height, preset)
        self.spec = spec
        self.runtime = runtime
        self.preset = preset
        self.hint = ''
        self.network_size = (plan.network_width, plan.network_height)
        self._latency = latency or Latency()
        self._say = say or logging.getLogger('depth_estimation').warning
        self._together = sys.maxsize  # images that go through the network at once

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
            latency: Notes the stages preprocess, network and restore; on CUDA all are network.
            say: Takes messages for people, about what takes long and what memory or precision did
                not allow; None: Python's log.

        Raises:
            ValueError: Unknown name, device, runtime or preset, or the weights are of another
                network.
            FileNotFoundError: No weights; the text says where they were looked for and the cure.
        """
        spec = resolve(model, weights)
        Preprocessing.plan(spec, spec.width, spec.height, preset)  # refused before the long work
        try:
            carrier = build(spec, device, runtime, say)
        except MemoryError as error:
            raise ValueError(
                f'{spec.name} does not fit into memory: {error}. End other programs, or take a '
                'smaller model or another device'
            ) from error
        return cls(spec, carrier, preset, latency, say)

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """What the network says of each image, in their order.

        Images of one size go through the network together.

        Args:
            images: Each [H, W, 3] uint8 RGB.

        Returns:
            Values at the images' sizes, in arrays of their own, wherever the runtime keeps them.

        Raises:
            ValueError: One of them is not such an image, or there is not enough memory even for
                one image at the smallest preset; later calls may succeed.
        """
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            check_image(image)
            groups.setdefault(image.shape, []).append(index)
        predictions: dict[int, Prediction] = {}
        for indices in groups.values():
            answers = self._answers([images[i] for i in indices], self._latency)
            for index, values in zip(indices, answers, strict=True):
                predictions[index] = Prediction(
                    values, self.spec.kind, self.runtime.operations, self.preset
                )
        return [predictions[index] for index in range(len(images))]

    def warm_up(self, width: int, height: int) -> None:
        """Run the network once for an image of this size: the first run is slow."""
        self._answers([np.zeros((height, width, 3), np.uint8)], Latency())

    def close(self) -> None:
        """Free the network; nothing may be asked afterwards."""
        self.runtime.close()

    def _answers(
        self, images: Sequence[NDArray[np.uint8]], latency: Latency
    ) -> Sequence[FloatImage]:
        """Answers for images of one size, cut back until memory suffices."""
        while True:
            try:
                return self._attempt(images, latency)
            except MemoryError as error:
                reason = str(error)
            # Here and not above, where the error still holds the memory of what failed.
            self._cut_back(min(len(images), self._together), reason)

    def _attempt(
        self, images: Sequence[NDArray[np.uint8]], latency: Latency
    ) -> Sequence[FloatImage]:
        height, width, _ = images[0].shape
        plan = Preprocessing.plan(self.spec, width, height, self.preset)
        self.network_size = (plan.network_width, plan.network_height)
        answers: list[FloatImage] = []
        for first in range(0, len(images), self._together):
            part = images[first : first + self._together]
            answers += self.runtime.predict(part, plan, latency)
        return answers

    def _cut_back(self, failed: int, reason: str) -> None:
        """From now on fewer images at once than failed; when one alone failed, smaller ones.

        Raises:
            ValueError: There is nothing left to cut back.
        """
        width, height = self.network_size
        smaller = list(PRESETS)[list(PRESETS).index(self.preset) + 1 :]
        if failed > 1:
            self._together = failed // 2
        elif smaller and self.spec.fitting != 'stretch':
            self._together, self.preset = 1, smaller[0]
        else:
            raise ValueError(
                f'no memory on {self.runtime.device} for {self.spec.name}, even with one image at '
                f'a time at {width}x{height} (preset {self.preset}): {reason}. End other '
                'programs, or take a smaller model or another device'
            )
        left = f'at most {self._together} at a time, at preset {self.preset}'
        self._say(
            f'no memory on {self.runtime.device} for {failed} images at {width}x{height} '
            f'({reason}): from now on {left}'
        )
        self.hint = (
            f'memory did not suffice: images go through the network {left}; end other programs or '
            'take a smaller model, then start again'
        )
