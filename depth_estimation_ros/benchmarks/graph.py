# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A node, cameras, and this process as client of every output, on a ROS graph of their own."""

from __future__ import annotations

import contextlib
from pathlib import Path

from depth_estimation_ros.demo import client as topics
from depth_estimation_ros.demo.client import Client
from depth_estimation_ros.demo.processes import Processes, free_domain

OUTPUTS = (topics.DEPTH, topics.DEPTH_INFO, topics.COLORIZED, topics.COMPRESSED, topics.POINTS)
_PERIOD = 0.25  # seconds between diagnostics
_PATIENCE = 60.0  # seconds


class Graph(contextlib.AbstractContextManager['Graph']):
    """A context around the processes.

    Args:
        logs: Folder for what they print.
        runtime: What carries the node's network.
    """

    def __init__(self, logs: Path, runtime: str = 'auto') -> None:
        self._logs, self._runtime = logs, runtime
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Graph:  # noqa: PYI034 - Self is not in Python 3.10
        domain = free_domain()
        self._processes = self._stack.enter_context(Processes(domain, self._logs))
        arguments = ['-r', 'image:=/camera/image', '-r', 'camera_info:=/camera/camera_info']
        arguments += ['-p', 'model:=bundled', '-p', f'diagnostics.period:={_PERIOD}']
        arguments += ['-p', f'runtime:={self._runtime}']
        self._processes.start('node', 'cli', 'node', '--ros-args', *arguments)
        self._client = self._stack.enter_context(Client(domain, self._processes.check))
        self._client.until(lambda: self._client.diagnostics, 'the node is ready', _PATIENCE)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def camera(self, rate: float, frames: int, size: str = '640x480') -> None:
        """Start a camera that publishes so many frames, Hz; returns when the first came out."""
        arguments = ('--rate', str(rate), '--frames', str(frames), '--size', size)
        self._processes.start(f'camera of {rate:.1f} Hz', 'benchmarks.camera', *arguments)
        self.until_processed(self.counts()[1] + 1)

    def until_processed(self, frames: int) -> None:
        """Listen until the node has worked on so many frames.

        Raises:
            TimeoutError: For a minute nothing came.
        """
        while (done := self.counts()[1]) < frames:
            self._client.until(lambda: self.counts()[1] > done, 'frames are worked on', _PATIENCE)

    def settle(self) -> None:
        """Listen until no more comes, and the node has said what it did with all that came."""
        before = None
        while (counts := self.counts()) != before:
            before = counts
            self._client.listen(4 * _PERIOD)

    def counts(self) -> tuple[int, int, int]:
        """Frames that the node received, processed and dropped, as it says in /diagnostics."""
        said = self._said()
        received, processed, dropped = (
            int(said[f'frames {what}']) for what in ('received', 'processed', 'dropped')
        )
        return received, processed, dropped

    def memory(self) -> float:
        """Resident memory of the node, MB."""
        return float(self._said()['memory (MB)'])

    def stage(self, name: str) -> float:
        """Median time of one of the node's stages over its last frames, seconds."""
        return float(self._said()[f'{name} p50/p95/p99 (ms)'].split(' / ')[0]) * 1e-3

    def _said(self) -> dict[str, str]:
        return {pair.key: pair.value for pair in self._client.diagnostics.status[0].values}

    def outputs(self, since: int) -> dict[int, int]:
        """When the last output of each frame arrived here, by stamp, in order; both in ns."""
        arrivals = [{stamp: at for at, stamp in self._client.heard[topic]} for topic in OUTPUTS]
        whole = set.intersection(*map(set, arrivals))
        return {
            stamp: max(topic[stamp] for topic in arrivals)
            for stamp in sorted(whole)
            if stamp > since
        }

    def images(self, since: int) -> dict[int, int]:
        """When each image of the cameras arrived here, by stamp, in order; both in ns."""
        arrivals = {stamp: at for at, stamp in self._client.heard[topics.IMAGE]}
        return {stamp: arrivals[stamp] for stamp in sorted(arrivals) if stamp > since}
