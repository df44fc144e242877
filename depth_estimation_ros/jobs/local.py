# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings one after the other, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from depth_estimation_ros.jobs.base import Item, OnProgress, Outcome, Work, attempt

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.base import Say


def run_here(
    work: Work, items: Sequence[Item], on_progress: OnProgress, say: Say | None = None
) -> Generator[Outcome, None, None]:
    """What came of each item, in their order; one network serves all.

    Args:
        work: What is to be done with each.
        items: The recordings.
        on_progress: Takes how far an item is.
        say: Takes what people may want to know meanwhile; None: the log of Python.

    Raises:
        ValueError, FileNotFoundError: The network cannot be loaded.
    """
    with contextlib.closing(work.network.load(say)) as estimator:
        for item in items:
            yield attempt(work, estimator, item, partial(on_progress, item))
