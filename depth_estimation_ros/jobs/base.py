# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Work to be done with recordings, and its outcome, on whatever machine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.runtimes.base import Say


@dataclasses.dataclass(frozen=True)
class Network:
    """The arguments of `DepthEstimator.load`, to be loaded where the work is done."""

    model: str
    weights: str = ''
    device: str = 'auto'
    runtime: str = 'auto'
    preset: str = 'full'

    def load(self, say: Say | None = None) -> DepthEstimator:
        """The network, ready for images; raises as `DepthEstimator.load`."""
        from depth_estimation_ros.estimator import DepthEstimator

        return DepthEstimator.load(
            self.model, self.weights, self.device, self.runtime, self.preset, say=say
        )


@dataclasses.dataclass(frozen=True)
class Item:
    """A recording, a file or a folder, and where what is made of it goes."""

    source: Path
    target: Path


@dataclasses.dataclass(frozen=True)
class Progress:
    """Frames done, out of a total; None where the total is unknown."""

    done: int
    total: int | None = None


OnProgress = Callable[[Item, Progress], None]


class Work(Protocol):
    """What is done with a recording. It can be pickled: other machines do it, too.

    Paths in it are absolute.
    """

    @property
    def network(self) -> Network:
        """Which network it needs."""

    def run(
        self, estimator: DepthEstimator, item: Item, progress: Callable[[Progress], None]
    ) -> dict[str, Any]:
        """Do it.

        Args:
            estimator: Of `network`; the items before this one had it, too.
            item: Which recording.
            progress: To be called after each frame, from any thread.

        Returns:
            What came of it, for JSON; `frames`: how many there were.

        Raises:
            ValueError, OSError: This item failed; the text says why and what to do.
        """

    def there(self, item: Item) -> bool:
        """Whether something stands where a run of this item puts what it makes."""

    def discard(self, item: Item, finished: bool) -> None:
        """Remove what a run of this item left when its process was killed.

        Args:
            item: Nobody is at it.
            finished: What has taken its place, too; otherwise only what is half done.
        """


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of an item.

    Attributes:
        summary: As `Work.run` says; empty when it failed.
        error: Why it failed; empty when it did not.
        seconds: How long it took.
    """

    item: Item
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)
    error: str = ''
    seconds: float = 0.0


def attempt(
    work: Work, estimator: DepthEstimator, item: Item, progress: Callable[[Progress], None]
) -> Outcome:
    """Do the work with an item; if it fails, the outcome says so."""
    started = time.monotonic()
    summary: dict[str, Any] = {}
    fault = ''
    try:
        summary = work.run(estimator, item, progress)
    except (ValueError, OSError) as error:
        fault = str(error) or type(error).__name__
    return Outcome(item, summary, fault, time.monotonic() - started)
