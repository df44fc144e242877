# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Videos of many frames: memory stays flat, and the network waits little for pictures."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from depth_estimation_ros import sections
from depth_estimation_ros.benchmarks import command, recording
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthMap, Frame
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.media.process import VideoWork
from depth_estimation_ros.media.video_writer import new_video
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.road import Road
from depth_estimation_ros.table import table

GROWTH = 50.0  # MB from the tenth of the frames on
WAITING = 0.15  # of the time
_ENDINGS = ('.mp4', '.webm', '.avi')
_SAMPLES = 50


@dataclasses.dataclass(frozen=True)
class Run:
    """A video of one format.

    Attributes:
        frames: How many.
        ms: Of a frame, all told.
        waiting: Share of the time in which the road of a frame stood still.
        settled, most: Resident memory after a tenth of the frames, and at most, MB.
    """

    ending: str
    frames: int
    ms: float
    waiting: float
    settled: float
    most: float

    @property
    def growth(self) -> float:
        """By how much memory has grown, MB."""
        return self.most - self.settled

    @property
    def holds(self) -> bool:
        """Whether it stays within the limits."""
        return self.growth <= GROWTH and self.waiting <= WAITING


class _Timed(DepthPipeline):
    """A pipeline that knows how long it has worked."""

    seconds = 0.0

    def process(self, frame: Frame) -> DepthMap:
        """As `DepthPipeline.process`."""
        started = time.perf_counter()
        depth_map = super().process(frame)
        self.seconds += time.perf_counter() - started
        return depth_map


@dataclasses.dataclass(frozen=True)
class _Watched(Road):
    """A road whose pipelines are timed."""

    made: list[_Timed] = dataclasses.field(default_factory=list)

    def pipeline(self, estimator: DepthEstimator, camera: Camera | None) -> DepthPipeline:
        """As `Road.pipeline`."""
        road = super().pipeline(estimator, camera)
        self.made.append(_Timed(estimator, road.range, road.latency, road.stabilizer))
        return self.made[-1]


def drive(file: Path, frames: int, width: int, height: int) -> Path:
    """A video of a camera that moves to and fro in a rendered room, at 30 Hz."""
    seen = [view.image for view in recording.views(width, height)]
    rate = Fraction(30)
    with new_video(file, False, (width, height), 1 / rate, rate) as video:
        for index in range(frames):
            video.write(seen[index % len(seen)], index / rate)
    return file


def measure(source: Path, ending: str, estimator: DepthEstimator) -> Run:
    """Make depth of a video, as `depth-estimation video` does."""
    import psutil

    memory: list[float] = []
    process = psutil.Process()

    def sample(progress: Progress) -> None:
        if progress.done % max((progress.total or 0) // _SAMPLES, 1) == 0:
            memory.append(process.memory_info().rss / 1e6)

    road = _Watched((0.1, 20.0), stabilizer=sections.Stabilizer())
    work = VideoWork(Network(estimator.spec.name), road, overwrite=True)
    started = time.perf_counter()
    summary = work.run(estimator, Item(source, source.with_name(f'depth{ending}')), sample)
    seconds = time.perf_counter() - started
    waiting = 1.0 - road.made[0].seconds / seconds
    ms = 1000.0 * seconds / summary['frames']
    return Run(ending, summary['frames'], ms, waiting, memory[len(memory) // 10], max(memory))


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when it is not as promised."""
    parser = command.parser('video', __doc__)
    parser.add_argument('--frames', type=int, default=1000, help='default: %(default)s')
    parser.add_argument(
        '--size', type=command.size, default=(640, 480), metavar='WxH', help='default: 640x480'
    )
    options = parser.parse_args(argv)
    width, height = options.size
    estimator = DepthEstimator.load('bundled', device='cpu')
    estimator.warm_up(width, height)
    with tempfile.TemporaryDirectory() as folder:
        source = drive(Path(folder, 'drive.mp4'), options.frames, width, height)
        runs = [measure(source, ending, estimator) for ending in _ENDINGS]
    estimator.close()
    size = f'{width}x{height}'
    print(f'{options.frames} frames of {size}, bundled network, {estimator.runtime.name}')
    rows = [
        (run.ending, f'{run.ms:.1f}', f'{run.waiting:.0%}', f'{run.most:.0f}', f'{run.growth:.1f}')
        for run in runs
    ]
    titles = ('to', 'ms a frame', 'waiting', 'memory, MB', 'growth, MB')
    print(table(titles, rows))
    holds = all(run.holds for run in runs)
    print(
        f'promised: growth at most {GROWTH:.0f} MB, waiting at most {WAITING:.0%} of the time: '
        f'{"holds" if holds else "MISSED"}'
    )
    figures = [{**dataclasses.asdict(run), 'growth': run.growth} for run in runs]
    command.write(figures, options.json)
    return int(not holds)
