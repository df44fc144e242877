# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network run by PyTorch on an NVIDIA GPU, with all that lies around it."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_estimation_ros.latency import Latency
from depth_estimation_ros.operations import Operations
from depth_estimation_ros.preprocessing import Preprocessing
from depth_estimation_ros.runtimes import precision, resampling
from depth_estimation_ros.runtimes.base import DeviceMemory, OutOfMemoryError
from depth_estimation_ros.runtimes.cuda_graph import Recorder
from depth_estimation_ros.runtimes.device_array import DeviceArray, Uploads
from depth_estimation_ros.runtimes.folding import for_inference
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.memory import watched
from depth_estimation_ros.runtimes.torch_operations import TorchOperations

if TYPE_CHECKING:
    from depth_estimation_ros.models.model_spec import ModelSpec

_ROADS = 16  # sizes of batches and images kept ready: recording one takes a second


class CudaRuntime:
    """Frames go up once, as bytes; answers stay on the device until somebody wants them.

    Resizing, the network and the way back are one CUDA graph for each size of batch and image.
    The whole is one stage, `network`, which ends when the device has finished.
    """

    name = 'torch'
    patient = True  # nothing takes long
    hint = ''

    def __init__(
        self,
        network: FromPixels,
        spec: ModelSpec,
        device: torch.device,
        say: Callable[[str], object] | None = None,
        dtypes: Sequence[torch.dtype] | None = None,
    ) -> None:
        """Take over a network: it stops learning, is rebuilt for speed and moves to the device.

        Args:
            network: From pixels to metres or inverse depth.
            spec: What it is.
            device: Of type cuda; on a cpu it does the same without graphs, for tests.
            say: Takes what a user should know.
            dtypes: Half-precision formats to try before fp32; None: those the device is quick in.

        Raises:
            OutOfMemoryError: The network does not fit.
        """
        self._device, self._say = device, say or (lambda _: None)
        self._uploads = Uploads(device)
        self.operations: Operations = TorchOperations(self._uploads)
        on_gpu = device.type == 'cuda'
        self.device = f'{device} {torch.cuda.get_device_name(device)}' if on_gpu else str(device)
        dtypes = precision.formats(device) if dtypes is None else dtypes
        with watched(), precision.exact():
            self._network = precision.placed(
                for_inference(network), spec, device, dtypes, self._say
            )
        self._recording = on_gpu
        self._recorder: Recorder | None = None
        self._roads: collections.OrderedDict[tuple[int, Preprocessing], _Road] = (
            collections.OrderedDict()
        )

    @torch.inference_mode()
    def predict(
        self, images: Sequence[NDArray[np.uint8]], plan: Preprocessing, latency: Latency
    ) -> list[DeviceArray]:
        """As `Runtime.predict`, on the device."""
        for image in images:
            plan.check(image)
        try:
            with latency.stage('network'), watched():
                pixels, answers = self._road(len(images), plan).run(images)
                if answers.is_cuda:
                    torch.cuda.current_stream(self._device).synchronize()
        except OutOfMemoryError:
            self._roads.clear()
            raise
        for image, copy in zip(images, pixels, strict=True):
            self._uploads.keep(image, copy)
        return [DeviceArray(answer) for answer in answers]

    def memory(self) -> DeviceMemory | None:
        """As `Runtime.memory`."""
        if self._device.type != 'cuda':
            return None
        used = torch.cuda.memory_allocated(self._device)
        reserved = torch.cuda.memory_reserved(self._device)
        total = torch.cuda.get_device_properties(self._device).total_memory
        return DeviceMemory(used / 1e6, reserved / 1e6, total / 1e6)

    def close(self) -> None:
        """As `Runtime.close`; what it answered stays."""
        self._roads.clear()
        self._uploads.clear()
        del self._network
        if self._device.type == 'cuda':
            torch.cuda.empty_cache()

    def _road(self, count: int, plan: Preprocessing) -> _Road:
        road = self._roads.get((count, plan))
        if road is None:
            while len(self._roads) >= _ROADS:
                self._roads.popitem(last=False)
            road = _Road(self._network, count, plan, self._device)
            if self._recording:
                self._record(road)
            self._roads[count, plan] = road
        self._roads.move_to_end((count, plan))
        return road

    def _record(self, road: _Road) -> None:
        if self._recorder is None or not self._roads:
            self._recorder = Recorder(self._device)  # memory that no graph holds any more is dead
        try:
            with watched():  # in whichever words memory ends: that it did is no reason to give up
                road.work = self._recorder.record(road.work)
        except RuntimeError as error:
            self._recording = False  # what cannot be recorded once cannot at another size
            reason = str(error).strip().partition('\n')[0]
            self._say(f'no CUDA graph, so it runs kernel by kernel, which is slower: {reason}')


class _Road:
    """Images of one size on their way to depth, in memory that stays where it is.

    Attributes:
        work: From the pixels on the device to depth at their size.
    """

    def __init__(
        self, network: FromPixels, count: int, plan: Preprocessing, device: torch.device
    ) -> None:
        shape, on_gpu = (count, plan.height, plan.width, 3), device.type == 'cuda'
        # Pinned: the device reads it by itself, while the processor goes on.
        self._staged = torch.empty(shape, dtype=torch.uint8, pin_memory=on_gpu)
        self._pixels = pixels = torch.zeros(shape, dtype=torch.uint8, device=device)

        def work() -> Tensor:
            with precision.exact():
                return resampling.restore(network(resampling.resize(pixels, plan)), plan)

        self.work: Callable[[], Tensor] = work

    def run(self, images: Sequence[NDArray[np.uint8]]) -> tuple[Tensor, Tensor]:
        """The images [N, H, W, 3] and their depth [N, H, W] on the device, each a copy."""
        for image, place in zip(images, self._staged.numpy(), strict=True):
            np.copyto(place, image)
        self._pixels.copy_(self._staged, non_blocking=True)
        answer = self.work()
        return self._pixels.clone(), answer.clone()
