# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From the newest frame to what is seen of it, and snapshots."""

from __future__ import annotations

import math
import time
from collections import deque
from pathlib import Path

import numpy as np

from depth_estimation_ros import depth_files, sections
from depth_estimation_ros.distance import Status, measure
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthMap, Frame
from depth_estimation_ros.live.newest import Captured
from depth_estimation_ros.live.picture import Seen, shown_size
from depth_estimation_ros.painter import Painter
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.road import Road

_SECOND = 1.0  # over which rate and latency are averaged; over two frames, if they take longer
_SHOWN = 3.0  # seconds for which a snapshot is told
_NO_METRES = (
    'no metres: this network is relative; make a file with depth-estimation calibrate, then '
    '--calibration FILE'
)


class Session:
    """What goes on between a camera and a screen.

    Args:
        road: What is said of the camera.
        estimator: The network.
        colorize: Range and colours.
        options: The window over which distances are medians, and how many frames tell how they
            waver.

    Attributes:
        mark: Pixel whose distance is told; None: the centre.
        snapshots: Files that were written.
    """

    def __init__(
        self,
        road: Road,
        estimator: DepthEstimator,
        colorize: sections.Colorize,
        options: sections.Distance,
    ) -> None:
        self.mark: tuple[float, float] | None = None
        self.snapshots: list[Path] = []
        self._road, self._estimator, self._options = road, estimator, options
        self._painter = Painter(colorize)
        self._pipeline: DepthPipeline | None = None
        self._kept: deque[DepthMap] = deque(maxlen=options.history)
        self._served: deque[tuple[float, float]] = deque()  # when, and latency, in seconds
        self._dropped = 0
        self._seen: Seen | None = None
        self._kept_at = -math.inf  # the last snapshot

    def look(self, captured: Captured) -> Seen:
        """The depth of a frame and what is shown of it.

        Raises:
            ValueError, OSError: The camera or calibration that was told does not belong to it.
        """
        image = captured.rgb()
        height, width, _ = image.shape
        camera = self._road.camera(width, height)
        if self._pipeline is None:
            self._pipeline = self._road.pipeline(self._estimator, camera)
        depth_map = self._pipeline.process(Frame(image, captured.stamp, 'webcam', camera))
        self._road.check(depth_map)
        self._kept.append(depth_map)
        mark = self.mark or ((width - 1) // 2, (height - 1) // 2)
        colours = self._painter.paint(depth_map)
        legend = self._painter.legend(depth_map, shown_size(height, width)[0])
        lines = (self._pace(), self._distance(mark))
        self._seen = Seen(image, colours, legend, mark, lines, self._hint())
        return self._seen

    def served(self, captured: Captured, dropped: int) -> None:
        """Count a frame that is on the screen now, and tell how many never were."""
        now = time.perf_counter()
        self._dropped = dropped
        self._served.append((now, now - captured.arrived))
        while len(self._served) > 2 and now - self._served[0][0] > _SECOND:
            self._served.popleft()

    def snapshot(self, folder: Path) -> None:
        """Write the frame seen last: picture, colours with their legend, and numbers (npz).

        Before the first frame there is nothing to write.

        Raises:
            OSError: It cannot be written.
        """
        if self._seen is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        depth_map = self._kept[-1]
        seconds, rest = divmod(depth_map.frame.stamp, 10**9)
        name = time.strftime('%Y%m%d_%H%M%S', time.localtime(seconds)) + f'_{rest // 10**6:03}'
        files = [folder / f'{name}_{part}' for part in ('picture.png', 'colour.png', 'depth.npz')]
        depth_files.write_picture(self._seen.image, files[0])
        colours = np.hstack([self._seen.colours, self._painter.legend(depth_map)])
        depth_files.write_picture(colours, files[1])
        depth_files.write_npz(depth_map, files[2])
        self.snapshots += files
        self._kept_at = time.monotonic()

    def _hint(self) -> str:
        if time.monotonic() - self._kept_at < _SHOWN:
            return f'kept as {self.snapshots[-1]} and beside it'
        return 's: snapshot, q: quit'

    def _pace(self) -> str:
        """Frames per second and mean latency over the last second, and by what."""
        spec, runtime = self._estimator.spec, self._estimator.runtime
        network = f'{spec.name} ({self._kept[-1].kind.value}), {runtime.name} on {runtime.device}'
        if len(self._served) < 2:
            return network
        (first, _), (last, _) = self._served[0], self._served[-1]
        rate = (len(self._served) - 1) / max(last - first, 1e-6)
        latency = sum(latency for _, latency in self._served) / len(self._served)
        return f'{rate:.1f} frames/s, {1000 * latency:.0f} ms, {self._dropped} dropped, {network}'

    def _distance(self, mark: tuple[float, float]) -> str:
        """How far away the mark is, or what is missing to tell."""
        depth_map, (u, v) = self._kept[-1], mark
        if depth_map.depth is None:
            return _NO_METRES
        found = measure(depth_map, u, v, self._options.window, self._kept)
        status, depth, sigma = Status(found.status[0]), found.depth[0], found.std_dev[0]
        if status is not Status.OK:
            return f'({u:g}, {v:g}): {status.name}'
        text = f'({u:g}, {v:g}): depth {depth:.3f} m, std dev '
        text += 'unknown without --calibration' if math.isnan(sigma) else f'{sigma:.3f} m'
        along = found.distance[0]
        return text if math.isnan(along) else f'{text}, along the ray {along:.3f} m'
