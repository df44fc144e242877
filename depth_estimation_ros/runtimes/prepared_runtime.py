# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network carried by the fastest of some runtimes, each prepared on this machine once."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes import kinds, prepared
from depth_estimation_ros.runtimes.base import HostRuntime, Say, Session
from depth_estimation_ros.runtimes.prepare import prepare
from depth_estimation_ros.runtimes.prepared import Job, Verdict


class PreparedRuntime(HostRuntime):
    """Runs a network as it was converted for the size of its input.

    A size that comes for the first time on this machine is prepared, which takes from seconds to
    minutes and is kept. PyTorch is loaded only where it serves itself.

    Attributes:
        name: The runtime that served last; before the first input, the only one there is to
            choose from, or `auto`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        device: str,
        runtimes: tuple[str, ...],
        say: Say,
        with_torch: Callable[[], Session],
    ) -> None:
        """Prepare nothing yet; sizes are not known.

        Args:
            spec: The model.
            device: `cpu` or `cuda:N`.
            runtimes: What to choose from.
            say: Takes what people may want to know while it takes long.
            with_torch: Loads PyTorch's runtime, which takes every size.
        """
        super().__init__()
        self.name = runtimes[0] if len(runtimes) == 1 else 'auto'
        self.device = device
        self._gpu = _name(device)
        self._spec = spec
        self._checksum = prepared.checksum(spec)
        self._runtimes = runtimes
        self._say = say
        self._with_torch = functools.cache(with_torch)
        self._sessions: dict[tuple[int, int], Session] = {}
        self._failed: dict[tuple[int, int], str] = {}

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `HostRuntime.run`; the answer is valid until the next call.

        Raises:
            ValueError: None of the runtimes may serve at this size, or the weights do not fit.
            ChildProcessError: Preparing one failed, and PyTorch is none of them.
            FileNotFoundError: It was not made, and is none that is made when it is wanted.
        """
        _, height, width, _ = pixels.shape
        session = self._session(width, height)
        self.name, self.device = session.name, session.device
        return session.run(pixels)

    def close(self) -> None:
        """As `Runtime.close`."""
        for session in set(self._sessions.values()):
            session.close()
        self._sessions.clear()

    def _session(self, width: int, height: int) -> Session:
        """That of a size; what failed is not tried again at every image."""
        size = width, height
        if size in self._failed:
            raise ValueError(self._failed[size])
        if size not in self._sessions:
            job = Job(self._spec, self._checksum, width, height, self.device, self._gpu)
            try:
                self._sessions[size] = self._chosen(job)
            except (ValueError, ChildProcessError) as error:
                self._failed[size] = str(error)
                raise
        return self._sessions[size]

    def _chosen(self, job: Job) -> Session:
        verdicts = self._verdicts(job)
        said = '; '.join(map(str, verdicts))
        best = _best(verdicts)
        if best is None:
            raise ValueError(f'{job.title}: {said}; the runtime torch needs no preparation')
        self._say(f'{job.title}: {best.runtime} serves ({said})')
        if best.runtime == 'torch':
            return self._with_torch()
        return kinds.session(best.runtime, job.folder(best.runtime), job.device)

    def _verdicts(self, job: Job) -> list[Verdict]:
        """How each runtime did; all are prepared where that of one, or what serves, is missing."""
        try:
            with prepared.alone(job, self._say):
                if not self._ready(job):
                    self._prepare(job)
                return self._known(job)
        except (ValueError, ChildProcessError) as error:
            if 'torch' not in self._runtimes:
                raise
            self._say(str(error))
            return [Verdict('torch', math.inf)]

    def _known(self, job: Job) -> list[Verdict]:
        known = [prepared.verdict(job, name) for name in self._runtimes]
        return [verdict for verdict in known if verdict]

    def _ready(self, job: Job) -> bool:
        verdicts = self._known(job)
        best = _best(verdicts)  # None: refused, and what stood in the way may be mended
        if best is None or len(verdicts) < len(self._runtimes):
            return False
        return best.runtime == 'torch' or prepared.made(job, best.runtime)

    def _prepare(self, job: Job) -> None:
        kinds.check_made(self._runtimes[0], job.spec, job.width, job.height)
        self._say(
            f'{job.title}: preparing {", ".join(self._runtimes)}, once on this machine; '
            'this takes a while'
        )
        prepare(job, self._runtimes, self._say)
        best = _best(self._known(job))
        for runtime in self._runtimes:
            if best is None or runtime != best.runtime:
                prepared.strip(job, runtime)


def _name(device: str) -> str:
    """What a GPU is called; empty for the processor."""
    if device == 'cpu':
        return ''
    from torch import cuda

    return cuda.get_device_name(device)


def _best(verdicts: Sequence[Verdict]) -> Verdict | None:
    serving = [verdict for verdict in verdicts if not verdict.refused]
    return min(serving, key=lambda verdict: verdict.milliseconds, default=None)
