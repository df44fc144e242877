# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far outputs lag behind a camera that is twice as fast as the node.

The newest frame is to be served: when work on a frame begins, which is when the one before is
done, no newer image has arrived. Outputs then lag by at most one period of the camera and the time
of processing, and by what messages take on their way to the node and from it. That way is measured
on the same images, which come here as well; the time of processing with a slow camera, for whose
frames nothing waits.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.benchmarks.graph import Graph

ALLOWED_LATE = 0.01  # of the frames: machines hold processes up now and then
_SLOW = 5.0  # Hz
_SIZE = '1536x96'  # half as many pixels as 640x480, for which the network takes ten times as long
Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Lag:
    """Times in ms of the frames that came out.

    Attributes:
        processing: The node's time for a frame for which nothing waits, median.
        period: Of the fast camera.
        way: Of each of its images: from the stamp to the arrival in another process.
        lag: Of each that came out: from the stamp to the arrival of its last output.
        overdue: Of each: how long the next image had been published when the work on this one
            began; below zero when it had not been. All of it was spent on the way when the
            newest image was served.
        sent: Frames of both cameras.
        received, processed, dropped: What the node says of them in /diagnostics.
    """

    processing: float
    period: float
    way: Array
    lag: Array
    overdue: Array
    sent: int
    received: int
    processed: int
    dropped: int

    @property
    def allowance(self) -> float:
        """What is granted for the way there and back: twice the 99th percentile."""
        return 2.0 * float(np.percentile(self.way, 99))

    @property
    def late(self) -> float:
        """Share of frames that a newer one that had arrived should have replaced."""
        return float(np.mean(self.overdue > self.allowance))

    @property
    def holds(self) -> bool:
        """Whether the newest is served, and what is dropped is counted."""
        counted = self.received == self.processed + self.dropped
        return self.late <= ALLOWED_LATE and counted and self.dropped > 0


def measure(slow_frames: int, fast_frames: int) -> Lag:
    """Run node, camera and client.

    Args:
        slow_frames: Of the camera for whose frames nothing waits.
        fast_frames: Of the camera that is twice as fast as the node.

    Raises:
        TimeoutError: The node does not start, or stops to work.
    """
    # PyTorch, because it needs no preparation for this odd size.
    with tempfile.TemporaryDirectory() as logs, Graph(Path(logs), 'torch') as graph:
        graph.camera(_SLOW, slow_frames, _SIZE)
        graph.settle()
        processing = graph.stage('total')
        began, rate = time.time_ns(), 2.0 / processing
        graph.camera(rate, fast_frames, _SIZE)
        graph.settle()
        received, processed, dropped = graph.counts()
        images, outputs = graph.images(began), graph.outputs(began)
    return Lag(
        processing=processing * 1e3,
        period=1e3 / rate,
        way=_ages(images),
        lag=_ages(outputs),
        overdue=_overdue(outputs, images),
        sent=slow_frames + fast_frames,
        received=received,
        processed=processed,
        dropped=dropped,
    )


def _ages(arrivals: dict[int, int]) -> Array:
    return np.array([arrived - stamp for stamp, arrived in arrivals.items()]) * 1e-6


def _overdue(outputs: dict[int, int], images: dict[int, int]) -> Array:
    """How long the next image had been published when the output before was done, ms.

    Args:
        outputs: Arrival of the last output by stamp, in order, ns.
        images: Arrival of the images by stamp, in order, ns.
    """
    published = np.array(list(images))
    begun = np.array(list(outputs.values()))[:-1]
    newer = np.searchsorted(published, list(outputs)[1:], side='right')
    exists = newer < len(published)  # the last image of all has no newer one
    return np.asarray((begun[exists] - published[newer[exists]]) * 1e-6, np.float64)


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when an old frame is served or a dropped one is not counted."""
    parser = command.parser('latency', __doc__)
    parser.add_argument('--frames', type=int, default=600, help='default: %(default)s')
    options = parser.parse_args(argv)
    lag = measure(30, options.frames)
    _print(lag)
    command.write(_figures(lag), options.json)
    return int(not lag.holds)


def _figures(lag: Lag) -> dict[str, object]:
    figures: dict[str, object] = {'load': os.getloadavg()[0]}
    for name, value in dataclasses.asdict(lag).items():
        figures[name] = _percentiles(value) if isinstance(value, np.ndarray) else value
    return {**figures, 'allowance': lag.allowance, 'late': lag.late, 'holds': lag.holds}


def _percentiles(values: Array) -> dict[str, float]:
    return {f'p{q}': float(np.percentile(values, q)) for q in (50, 90, 99, 100)}


def _print(lag: Lag) -> None:
    print(
        f'a camera of {1e3 / lag.period:.0f} Hz before a node of {1e3 / lag.processing:.0f} Hz, '
        f'every output subscribed; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores'
    )
    print(f'{"ms":<44}{"median":>8}{"90 %":>8}{"99 %":>8}{"worst":>8}')
    for name, values in (
        ('an image on its way', lag.way),
        ('from the stamp to the last output', lag.lag),
        ('a newer image was out when work began', lag.overdue),
    ):
        print(f'{name:<44}' + ''.join(f'{value:8.1f}' for value in _percentiles(values).values()))
    print(
        f'one period {lag.period:.1f} ms + processing {lag.processing:.1f} ms + ways '
        f'{lag.allowance:.1f} ms = {lag.period + lag.processing + lag.allowance:.1f} ms; '
        f'{lag.late:.1%} of {len(lag.overdue)} frames should have been newer'
    )
    print(
        f'{lag.sent} sent, {lag.received} received = {lag.processed} processed + '
        f'{lag.dropped} dropped; {"holds" if lag.holds else "MISSED"}'
    )
