# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A network carried by the fastest of some runtimes, each prepared on this machine once."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import cast

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
    minutes and is kept. PyTorch is loaded only where it serves itself, or meanwhile.

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
        self._with_torch = with_torch
        self._torch: Session | None = None
        self._loading = threading.Lock()
        self._beside: _Beside | None = None  # one at a time: it takes all cores
        self._closed = threading.Event()
        self._sessions: dict[tuple[int, int], Session] = {}
        self._failed: dict[tuple[int, int], str] = {}

    @property
    def hint(self) -> str:
        """As of `Runtime`, on any thread."""
        beside = self._beside
        if beside is None or not beside.running:
            return ''
        return (
            f'{beside.job.title} is being prepared for images of a new size: until then PyTorch '
            'serves them, more slowly'
        )

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
        """As `Runtime.close`; what is being prepared is given up."""
        self._closed.set()
        self._collect(wait=True)
        for session in {*self._sessions.values(), self._torch} - {None}:
            cast('Session', session).close()
        self._sessions.clear()
        self._torch = None

    def _session(self, width: int, height: int) -> Session:
        """That of a size; what failed is not tried again at every image."""
        size = width, height
        self._collect()
        if size in self._failed:
            raise ValueError(self._failed[size])
        if size not in self._sessions:
            job = Job(self._spec, self._checksum, width, height, self.device, self._gpu)
            under_way = self._beside is not None and self._beside.job == job
            if under_way or not (self.patient or self._ready(job)):
                return self._meanwhile(job)
            try:
                self._sessions[size] = self._chosen(job)
            except (ValueError, ChildProcessError) as error:
                self._failed[size] = str(error)
                raise
        return self._sessions[size]

    def _meanwhile(self, job: Job) -> Session:
        """What serves while this, or what came before it, is being prepared."""
        if self._beside is None:
            kinds.check_made(self._runtimes[0], job.spec, job.width, job.height)
            if self._torch is None:  # first: what prepares loads PyTorch, too, and takes all cores
                self._say(f'{job.title}: loading PyTorch, which serves until that is prepared')
                self._pytorch()
            self._beside = _Beside(job, self._chosen)
        return self._pytorch()

    def _collect(self, wait: bool = False) -> None:
        """Take what was prepared beside; PyTorch goes where it served only meanwhile."""
        beside = self._beside
        if beside is None or (beside.running and not wait):
            return
        size = beside.job.width, beside.job.height
        try:
            self._sessions[size] = beside.result()
        except Exception as error:  # whatever it is, images of this size have no other runtime
            self._failed[size] = str(error) or type(error).__name__
        self._beside = None
        if self._torch is not None and self._torch not in self._sessions.values():
            self._torch.close()
            self._torch = None

    def _pytorch(self) -> Session:
        with self._loading:
            if self._torch is None:
                self._torch = self._with_torch()
            return self._torch

    def _chosen(self, job: Job) -> Session:
        verdicts = self._verdicts(job)
        said = '; '.join(map(str, verdicts))
        best = _best(verdicts)
        if best is None:
            raise ValueError(f'{job.title}: {said}; the runtime torch needs no preparation')
        self._say(f'{job.title}: {best.runtime} serves ({said})')
        if best.runtime == 'torch':
            return self._pytorch()
        return kinds.session(best.runtime, job.folder(best.runtime), job.device)

    def _verdicts(self, job: Job) -> list[Verdict]:
        """How each runtime did; all are prepared where that of one, or what serves, is missing."""
        if self._ready(job):
            return self._known(job)
        try:
            with prepared.alone(job, self._say, self._closed.is_set):
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
        prepare(job, self._runtimes, self._say, self._closed.is_set)
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


class _Beside:
    """What prepares a job in a thread of its own."""

    def __init__(self, job: Job, chosen: Callable[[Job], Session]) -> None:
        self.job = job
        self._session: Future[Session] = Future()
        threading.Thread(target=self._run, args=(chosen,), name='preparing', daemon=True).start()

    @property
    def running(self) -> bool:
        return not self._session.done()

    def result(self) -> Session:
        """What carries it, as soon as it is there."""
        return self._session.result()

    def _run(self, chosen: Callable[[Job], Session]) -> None:
        try:
            self._session.set_result(chosen(self.job))
        except Exception as error:
            self._session.set_exception(error)


def _best(verdicts: Sequence[Verdict]) -> Verdict | None:
    serving = [verdict for verdict in verdicts if not verdict.refused]
    return min(serving, key=lambda verdict: verdict.milliseconds, default=None)
