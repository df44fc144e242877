# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of the node over many frames, every output subscribed by another process."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.benchmarks.graph import Graph

LIMIT = 700.0  # MB resident
GROWTH = 10.0  # MB after the first 200 frames
_SETTLED = 200  # frames
_BETWEEN = 50  # frames from sample to sample
_RATE = 60.0  # Hz, more than the node works on
_ENDLESS = 2**31


@dataclasses.dataclass(frozen=True)
class Memory:
    """Resident memory in MB: of the idle node, after 200 frames, at the end, and at most."""

    frames: int
    start: float
    settled: float
    end: float
    peak: float

    @property
    def growth(self) -> float:
        """MB since the first 200 frames."""
        return self.end - self.settled

    @property
    def holds(self) -> bool:
        """Whether it stays within the limits."""
        return self.peak <= LIMIT and self.growth <= GROWTH


def measure(frames: int) -> Memory:
    """Feed the node faster than it works until it has done so many frames.

    Raises:
        TimeoutError: The node does not start, or stops to work.
    """
    with tempfile.TemporaryDirectory() as logs, Graph(Path(logs)) as graph:
        start = graph.memory()
        graph.camera(_RATE, _ENDLESS)
        graph.until_processed(_SETTLED)
        samples = [graph.memory()]
        while graph.counts()[1] < frames:
            graph.until_processed(graph.counts()[1] + _BETWEEN)
            samples.append(graph.memory())
        return Memory(graph.counts()[1], start, samples[0], samples[-1], max(samples))


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when the memory is not as promised."""
    parser = command.parser('memory', __doc__)
    parser.add_argument('--frames', type=int, default=2000, help='default: %(default)s')
    options = parser.parse_args(argv)
    memory = measure(options.frames)
    print(f'resident memory of the node, bundled network, {memory.frames} frames of 640x480')
    print(f'  idle                    {memory.start:7.1f} MB')
    print(f'  after {_SETTLED} frames        {memory.settled:7.1f} MB')
    print(f'  at the end              {memory.end:7.1f} MB   growth {memory.growth:+.1f} MB')
    print(f'  at most                 {memory.peak:7.1f} MB')
    verdict = 'holds' if memory.holds else 'MISSED'
    print(f'promised: at most {LIMIT:.0f} MB, growth at most {GROWTH:.0f} MB: {verdict}')
    figures = {**dataclasses.asdict(memory), 'growth': memory.growth, 'holds': memory.holds}
    command.write(figures, options.json)
    return int(not memory.holds)
