# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A process on some machine of a cluster that holds a network and works on an item at a time."""

from __future__ import annotations

import dataclasses
import os
import platform
import queue
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.jobs import environment
from depth_estimation_ros.jobs.base import Item, Network, Outcome, Progress, Work, attempt

if TYPE_CHECKING:
    from depth_estimation_ros.estimator import DepthEstimator

_TEMPORARY = 'depth-estimation-worker-'


@dataclasses.dataclass(frozen=True)
class Assignment:
    """What every worker is told once.

    Attributes:
        work: What is to be done with each item.
        network: That of `work`, on the device that the workers have.
        environment: The driver's, see `environment.describe`.
        openmp: The driver's, see `environment.openmp`.
        sizes: Of all files that must be seen, in bytes, by path; None: it is a folder.
    """

    work: Work
    network: Network
    environment: Mapping[str, str]
    openmp: Mapping[str, str]
    sizes: Mapping[Path, int | None]


@dataclasses.dataclass(frozen=True)
class Ready:
    """How a worker found its machine.

    Attributes:
        machine: Name and process, for people.
        computes_on: What rounds its sums.
        fault: Why it cannot work; empty when it can.
    """

    machine: str
    computes_on: str = ''
    fault: str = ''


class Worker:
    """Runs in a process of its own; `news` may be called while `run` is at work."""

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._progress: tuple[Item, Progress] | None = None
        self._machine = f'{platform.node()} (process {os.getpid()})'

    def prepare(self, assignment: Assignment) -> Ready:
        """Load the network, where all is as it is where the items come from."""
        self._assignment = assignment
        environment.set_openmp(assignment.openmp)
        _own_temporary_folder()
        try:
            fault = self._fault()
            if not fault:
                self._estimator: DepthEstimator = assignment.network.load(self._said.put)
        except (ValueError, OSError) as error:
            fault = str(error)
        if fault:
            return Ready(self._machine, fault=fault)
        device = self._estimator.runtime.device
        return Ready(self._machine, environment.processors() if device == 'cpu' else device)

    def run(self, item: Item) -> Outcome:
        """What comes of an item."""
        environment.set_openmp(self._assignment.openmp)  # Ray sets its own before every call

        def note(progress: Progress) -> None:
            self._progress = item, progress

        return attempt(self._assignment.work, self._estimator, item, note)

    def news(self) -> tuple[tuple[Item, Progress] | None, list[str]]:
        """How far which item is, and what was said since the last time."""
        said = []
        while not self._said.empty():
            said.append(self._said.get())
        return self._progress, said

    def _fault(self) -> str:
        unseen = _unseen(self._assignment.sizes)
        if unseen:
            return (
                f'it does not see {unseen}: recordings and results lie in a folder that every '
                'machine mounts at the same path'
            )
        there = environment.describe(self._assignment.network)
        different = environment.differences(self._assignment.environment, there)
        return f'{"; ".join(different)}. Install the same on every machine' if different else ''


def _own_temporary_folder() -> None:
    """Have this process put temporary files where the next worker finds them if it is killed."""
    common = Path(tempfile.gettempdir())
    for left in common.glob(f'{_TEMPORARY}*'):
        if not Path('/proc', left.name.removeprefix(_TEMPORARY)).exists():
            shutil.rmtree(left, ignore_errors=True)
    own = common / f'{_TEMPORARY}{os.getpid()}'
    own.mkdir()
    tempfile.tempdir = str(own)


def seen(items: Sequence[Item]) -> dict[Path, int | None]:
    """The files of recordings with their sizes, and the folders, were it of a pattern."""
    sources = (item.source for item in items)
    paths = (source if source.exists() else source.parent for source in sources)
    return {path: None if path.is_dir() else path.stat().st_size for path in paths}


def _unseen(sizes: Mapping[Path, int | None]) -> str:
    for path, size in sizes.items():
        if size is None and not path.is_dir():
            return f'the folder {path}'
        if size is not None and not (path.is_file() and path.stat().st_size == size):
            return f'the file {path}'
    return ''
