# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One run of the bag tool in this process: what is at work when, and how much memory it takes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from depth_estimation_ros import offline, sections
from depth_estimation_ros.bag.cameras import find_cameras
from depth_estimation_ros.bag.process import BagWork
from depth_estimation_ros.bag.shots import frames
from depth_estimation_ros.bag.source import open_bag
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.road import Road

IMAGE = '/camera/image_raw'
_RANGE = 0.1, 20.0
_ALONE = 100  # frames at most
_NEAR = 8  # frames that may be read ahead, or wait to be written, and more
Span = tuple[float, float]


def work(runtime: str = 'auto', stride: int = 1) -> BagWork:
    """What the command does by default, with the bundled network."""
    road = Road(_RANGE, stabilizer=sections.Stabilizer())
    network = Network('bundled', device='cpu', runtime=runtime)
    return BagWork(network, road, images=(IMAGE,), stride=stride)


class Trace:
    """Takes the place of `offline.in_order`, and notes what runs when.

    Attributes:
        spans: Start and end of each reading, working and writing, seconds.
    """

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {'read': [], 'work': [], 'write': []}

    def in_order(
        self, items: Iterable[Any], make: Callable[[Any], Any], write: Callable[[Any], object]
    ) -> None:
        """As that does."""
        read = self._read(iter(items))
        offline.in_order(read, self._noted('work', make), self._noted('write', write))

    def _read(self, items: Iterator[Any]) -> Iterator[Any]:
        take, end = self._noted('read', lambda end: next(items, end)), object()
        while (item := take(end)) is not end:
            yield item

    def _noted(self, name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def noted(argument: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(argument)
            finally:
                self.spans[name].append((start, time.perf_counter()))

        return noted

    @property
    def overlap(self) -> float:
        """Share of the items that were worked on while a later one was read, an earlier written.

        Those at both ends, which have no such neighbours, are not asked.
        """
        read, worked, written = (self.spans[name] for name in ('read', 'work', 'write'))
        asked = range(1, len(worked) - 3)
        both = [
            any(_meet(worked[i], one) for one in read[i + 1 : i + _NEAR])
            and any(_meet(worked[i], one) for one in written[max(i - _NEAR, 0) : i])
            for i in asked
        ]
        return sum(both) / max(len(both), 1)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def traced(source: Path, target: Path, stride: int = 1) -> dict[str, Any]:
    """Run the tool on a recording; the fields of `benchmarks.offline.Offline`."""
    made, trace, process = work(stride=stride), Trace(), psutil.Process()
    memory: list[float] = []
    with contextlib.closing(made.network.load()) as estimator:
        estimator.warm_up(640, 480)

        def progress(_: Progress) -> None:
            memory.append(process.memory_info().rss / 1e6)

        started = time.perf_counter()
        with mock.patch('depth_estimation_ros.bag.run.in_order', trace.in_order):
            done = made.run(estimator, Item(source, target), progress)['frames']
        seconds = time.perf_counter() - started
        peak = _peak()
        alone = _alone(source, estimator, made.road)
    settled = len(memory) // 10
    return {
        'frames': done,
        'frame_ms': seconds / done * 1e3,
        'network_ms': sum(end - start for start, end in trace.spans['work']) / done * 1e3,
        'alone_ms': alone * 1e3,
        'overlap': trace.overlap,
        'growth': max(memory[settled:]) - memory[settled],
        'peak': peak,
    }


def _peak() -> float:
    """Resident memory at most, MB; getrusage's is that of the parent where that had more."""
    said = Path('/proc/self/status').read_text('utf-8')
    (line,) = (one for one in said.splitlines() if one.startswith('VmHWM:'))
    return int(line.split()[1]) * 1024 / 1e6


def _alone(source: Path, estimator: DepthEstimator, road: Road) -> float:
    """Seconds that the road of a frame takes where nothing is read and written beside it."""
    pipeline, seconds = road.pipeline(estimator, None), []
    with open_bag(source) as bag:
        cameras = find_cameras(bag, (IMAGE,))
        shots = frames(bag, cameras, sections.Intrinsics(), print)
        for shot, _ in zip(shots, range(_ALONE), strict=False):
            started = time.perf_counter()
            pipeline.process(shot.frame)
            seconds.append(time.perf_counter() - started)
    return sum(seconds) / len(seconds)
