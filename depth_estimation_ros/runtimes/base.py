# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a runtime is, and what all those that compute in main memory share."""

from __future__ import annotations

import abc
import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.latency import Latency
from depth_estimation_ros.operations import HOST, FloatImage, Operations
from depth_estimation_ros.preprocessing import Preprocessing

Say = Callable[[str], object]
"""Takes a line for people to read while something takes long."""


class OutOfMemoryError(MemoryError):
    """There is not enough memory for a network's input; a smaller one may fit."""


class DeviceMemory(NamedTuple):
    """Memory of a GPU in 10^6 bytes: in use and kept by this process, and of the whole card."""

    used: float
    reserved: float
    total: float


class Runtime(Protocol):
    """Carries one network on one device.

    Attributes:
        name: For people and parameters: `torch`, `openvino`, ...
        device: For people, `cpu` or `cuda:0 NVIDIA ...`.
        operations: What can be done with its answers where they lie.
        patient: Whether an image waits where something is to be prepared for its size, which may
            take minutes; otherwise it is served more slowly meanwhile, if it can be.
    """

    name: str
    device: str
    operations: Operations
    patient: bool

    @property
    def hint(self) -> str:
        """Why it is slower just now than it will be; empty when it is not."""

    def predict(
        self, images: Sequence[NDArray[np.uint8]], plan: Preprocessing, latency: Latency
    ) -> Sequence[FloatImage]:
        """What the network says of images of one size.

        Args:
            images: Each [H, W, 3] uint8 RGB, of the size that was planned for.
            plan: How they go into the network.
            latency: Takes the stages preprocess, network and restore, or all in network.

        Returns:
            [H, W] each, in arrays of their own, as `Preprocessing.restore` says.

        Raises:
            OutOfMemoryError: A smaller batch or input may fit.
        """

    def memory(self) -> DeviceMemory | None:
        """The memory of the device; None where that is main memory."""

    def close(self) -> None:
        """Free the network; nothing may be asked afterwards."""


class Session(Protocol):
    """Carries one network at one size of its input; `name` and `device` as of `Runtime`."""

    name: str
    device: str

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `HostRuntime.run`; the answer may be overwritten by the next call."""

    def close(self) -> None:
        """As `Runtime.close`."""


def cores() -> int:
    """How many processors this process may use: what OMP_NUM_THREADS allows of those there are.

    PyTorch heeds that variable by itself.
    """
    allowed = os.environ.get('OMP_NUM_THREADS', '')
    here = len(os.sched_getaffinity(0))
    return min(here, int(allowed)) if allowed.isdecimal() and int(allowed) else here


class HostRuntime(abc.ABC):
    """Resizing before the network and after it on the CPU, around `run`."""

    name: str
    device: str
    operations: Operations = HOST
    patient = True

    def __init__(self) -> None:
        self._pixels = np.empty(0, np.uint8)

    @property
    def hint(self) -> str:
        """As of `Runtime`."""
        return ''

    @abc.abstractmethod
    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network alone: [N, h, w, 3] RGB in, [N, h', w'] out, metres or inverse depth."""

    def predict(
        self, images: Sequence[NDArray[np.uint8]], plan: Preprocessing, latency: Latency
    ) -> list[NDArray[np.float32]]:
        """As `Runtime.predict`."""
        with latency.stage('preprocess'):
            pixels = self._reserve(len(images), plan)
            for image, out in zip(images, pixels, strict=True):
                plan.apply(image, out)
        with latency.stage('network'):
            outputs = self.run(pixels)
        with latency.stage('restore'):
            return [plan.restore(output) for output in outputs]

    def memory(self) -> DeviceMemory | None:
        """As `Runtime.memory`."""
        return None

    @abc.abstractmethod
    def close(self) -> None:
        """As `Runtime.close`."""

    def _reserve(self, count: int, plan: Preprocessing) -> NDArray[np.uint8]:
        """[count, h, w, 3] in the buffer that every call uses again."""
        shape = (count, plan.network_height, plan.network_width, 3)
        if self._pixels.size < math.prod(shape):
            self._pixels = np.empty(math.prod(shape), np.uint8)
        return self._pixels[: math.prod(shape)].reshape(shape)
