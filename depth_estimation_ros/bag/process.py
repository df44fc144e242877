# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag to a bag with depth: every frame in order, with its stamps, the same answer every time."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from depth_estimation_ros.bag.depth import Following
from depth_estimation_ros.bag.run import Run
from depth_estimation_ros.bag.source import open_bag
from depth_estimation_ros.bag.writer import check_free, discard, new_bag
from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, Observer
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.road import Road


@dataclasses.dataclass(frozen=True)
class BagWork:
    """What is done with a bag.

    Attributes:
        network: Which network.
        road: What people say of the frames.
        config: How outputs look.
        images, infos, references: Topics, as for `find_cameras`.
        outputs: Names; None: colours, and depth or, where nothing makes metres, inverse depth.
        topics: Those that are copied; None: all.
        stride: Take every so many images.
        start, end: Seconds since the bag begins; None: its ends.
        namespace: Of the topics that are written.
        following: How a calibration is kept to the references.
        storage, overwrite, keep_partial: As for `new_bag`.
        observer: Sees each depth map once it is written; None: nobody does.
    """

    network: Network
    road: Road
    config: Config = dataclasses.field(default=Config())
    images: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    outputs: tuple[str, ...] | None = None
    topics: tuple[str, ...] | None = None
    stride: int = 1
    start: float | None = None
    end: float | None = None
    namespace: str = 'depth_estimation'
    following: Following = dataclasses.field(default=Following())
    storage: str = 'mcap'
    overwrite: bool = False
    keep_partial: bool = False
    observer: Observer | None = None

    def run(
        self, estimator: DepthEstimator, item: Item, progress: Callable[[Progress], None]
    ) -> dict[str, Any]:
        """Write the bag of an item; see `Work`."""
        check_free(item.target, self.overwrite)  # before the long work
        wanted = self._wanted(estimator)
        with open_bag(item.source) as source:
            run = Run(self, estimator, source, wanted)
            with (
                contextlib.closing(run),
                new_bag(item.target, self.storage, self.overwrite, self.keep_partial) as bag,
            ):
                try:
                    run.copy(bag, progress)
                except KeyboardInterrupt as interrupt:
                    raise KeyboardInterrupt(
                        self._left(item, bag.written, run.frames)
                    ) from interrupt
            return run.summary()

    def there(self, item: Item) -> bool:
        """See `Work`."""
        return item.target.exists()

    def discard(self, item: Item, finished: bool) -> None:
        """Remove what a run that was killed has left; see `Work`."""
        discard(item.target)
        if finished and item.target.is_dir():
            shutil.rmtree(item.target)
        elif finished:
            item.target.unlink(missing_ok=True)

    def _left(self, item: Item, messages: int, frames: int) -> str:
        if self.keep_partial and messages:
            return f': {item.target} holds the first {frames} frames'
        return f': nothing is left of {item.target}'

    def _wanted(self, estimator: DepthEstimator) -> Sequence[str]:
        """The outputs that there can be.

        Raises:
            ValueError: One is asked for that the network cannot give.
        """
        relative = estimator.spec.kind is DepthKind.RELATIVE
        fitted = bool(self.references) and self.following.fits != 'none'
        metres = not relative or self.road.makes_metres or fitted
        if self.outputs is None:
            return ('depth' if metres else 'inverse_depth', 'colorized')
        if not metres and {'depth', 'points'} & set(self.outputs):
            raise ValueError(
                f'{estimator.spec.name} answers inverse depth without unit, so there are no '
                'metres: calibrate (depth-estimation calibrate) and give --calibration FILE, or '
                '--depth-scale, or --reference-depth, or ask for --outputs '
                'inverse_depth,colorized'
            )
        if not relative and 'inverse_depth' in self.outputs:
            raise ValueError(
                f'{estimator.spec.name} answers metres and no inverse depth: take it from '
                '--outputs'
            )
        return self.outputs
