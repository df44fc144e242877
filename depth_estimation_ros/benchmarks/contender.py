# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One way from a picture to its depth, in a process that does only this.

`python -m depth_estimation_ros.benchmarks.contender JSON` says when it is loaded, runs as many
frames as it is asked for and prints their seconds, and for none reports, see `turns`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

PICTURES = 4  # different ones, so that nothing that remembers the last one gains by it


@dataclasses.dataclass(frozen=True)
class Contender:
    """What a process runs.

    Attributes:
        side: `ours`, or what it is measured against: `pipeline` (transformers) or `eager` (plain
            PyTorch).
        model, weights: As `DepthEstimator.load` takes them; for the pipeline, a folder.
        runtime, preset: Of ours.
        device: auto, cpu, cuda or cuda:N.
        width, height: Size of the pictures.
        cores: It may use no more of them; 0: all.
    """

    side: str
    model: str
    weights: str = ''
    runtime: str = ''
    preset: str = 'full'
    device: str = 'auto'
    width: int = 640
    height: int = 480
    cores: int = 0

    @property
    def name(self) -> str:
        """For tables."""
        opponents = {'pipeline': 'transformers pipeline', 'eager': 'torch eager'}
        return opponents.get(self.side, f'{self.runtime} {self.preset}')


class Side(Protocol):
    """A loaded model."""

    def depth(self, image: Any) -> Any:
        """uint8 [H, W, 3] RGB to float32 [H, W], metres or inverse depth, in main memory."""

    def network(self) -> tuple[int, int, str]:
        """Width and height of the network's input, and what carries it; after the first frame."""


class Ours:
    """This package."""

    def __init__(self, contender: Contender) -> None:
        from depth_estimation_ros.estimator import DepthEstimator

        self._estimator = DepthEstimator.load(
            contender.model,
            contender.weights,
            device=contender.device,
            runtime=contender.runtime,
            preset=contender.preset,
        )

    def depth(self, image: Any) -> Any:
        """As `Side.depth`."""
        import numpy as np

        return np.asarray(self._estimator.predict([image])[0].values)

    def network(self) -> tuple[int, int, str]:
        """As `Side.network`."""
        runtime = self._estimator.runtime
        return *self._estimator.network_size, f'{runtime.name} on {runtime.device}'


class Pipeline:
    """transformers, as its documentation uses it."""

    def __init__(self, contender: Contender) -> None:
        from depth_estimation_ros.models.torchvision_compat import ensure_torchvision

        ensure_torchvision()
        import transformers
        from PIL import Image

        from depth_estimation_ros.runtimes.torch_runtime import resolve_device

        transformers.utils.logging.disable_progress_bar()
        device = resolve_device(contender.device)
        self._from_array = Image.fromarray
        self._pipeline = transformers.pipeline(
            'depth-estimation', model=contender.model, device=device
        )
        self._size = (contender.width, contender.height)

    def depth(self, image: Any) -> Any:
        """As `Side.depth`."""
        return self._pipeline(self._from_array(image))['predicted_depth'].cpu().numpy()

    def network(self) -> tuple[int, int, str]:
        """As `Side.network`."""
        processor = self._pipeline.image_processor
        picture = self._from_array(_smooth(*self._size))
        height, width = processor(images=picture, return_tensors='pt')['pixel_values'].shape[-2:]
        return width, height, f'{type(processor).__name__}, torch on {self._pipeline.device}'


class Eager:
    """The same network as PyTorch runs it, between the steps of the official MiDaS example."""

    def __init__(self, contender: Contender) -> None:
        from depth_estimation_ros.models import weights
        from depth_estimation_ros.models.resolve import resolve
        from depth_estimation_ros.preprocessing import Preprocessing
        from depth_estimation_ros.runtimes.torch_runtime import resolve_device

        self._device = resolve_device(contender.device)
        self._spec = resolve(contender.model, contender.weights)
        self._plan = Preprocessing.plan(self._spec, contender.width, contender.height)
        network = weights.load(self._spec)
        self._network = network.eval().to(self._device)

    def depth(self, image: Any) -> Any:
        """As `Side.depth`."""
        import cv2
        import numpy as np
        import torch

        size = (self._plan.network_width, self._plan.network_height)
        pixels = cv2.resize(image / 255.0, size, interpolation=cv2.INTER_CUBIC)
        pixels = ((pixels - self._spec.mean) / self._spec.std).transpose(2, 0, 1)
        batch = torch.from_numpy(np.ascontiguousarray(pixels, np.float32))[None]
        with torch.no_grad():
            output = self._network(batch.to(self._device))
            output = torch.nn.functional.interpolate(
                output.reshape(1, 1, *output.shape[-2:]),
                size=image.shape[:2],
                mode='bicubic',
                align_corners=False,
            )
        return output[0, 0].cpu().numpy() * self._spec.metres_per_unit

    def network(self) -> tuple[int, int, str]:
        """As `Side.network`."""
        size = (self._plan.network_width, self._plan.network_height)
        return *size, f'torch on {self._device}'


_SIDES: dict[str, Callable[[Contender], Side]] = {
    'ours': Ours,
    'pipeline': Pipeline,
    'eager': Eager,
}


def main(argv: list[str]) -> int:
    """Load, say so, and run frames; 1 when it cannot be loaded."""
    contender = Contender(**json.loads(argv[0]))
    if contender.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: contender.cores])
    try:
        side = _SIDES[contender.side](contender)
    except (ValueError, OSError, ImportError) as error:
        print(json.dumps({'error': str(error)}), flush=True)
        return 1
    print(json.dumps({}), flush=True)
    pictures = _pictures(contender.width, contender.height)
    for line in sys.stdin:
        frames = int(line)
        seconds = [_timed(side, pictures[index % PICTURES]) for index in range(frames)]
        print(json.dumps(seconds or _report(side, contender)), flush=True)
    return 0


def _pictures(width: int, height: int) -> list[Any]:
    from depth_estimation_ros.benchmarks.picture import picture

    return [picture(width, height, seed) for seed in range(PICTURES)]


def _smooth(width: int, height: int) -> Any:
    from depth_estimation_ros.benchmarks.picture import picture

    return picture(width, height, noise=0.0)


def _timed(side: Side, image: Any) -> float:
    started = time.perf_counter()
    side.depth(image)
    return time.perf_counter() - started


def _report(side: Side, contender: Contender) -> dict[str, Any]:
    """What is resident, what the network is given, and what it answers at every 16th pixel.

    That of a smooth picture: how the sides resize shall not matter.
    """
    pages = int(Path('/proc/self/statm').read_text('ascii').split()[1])
    depth = side.depth(_smooth(contender.width, contender.height))
    width, height, carrier = side.network()
    return {
        'cores': len(os.sched_getaffinity(0)),
        'memory_mb': pages * os.sysconf('SC_PAGE_SIZE') / 1e6,
        'network': f'{width}x{height}',
        'carrier': carrier,
        'depth': depth[8::16, 8::16].tolist(),
    }


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
