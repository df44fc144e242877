# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The flag --view: depth maps shown in rerun while they are made."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from depth_estimation_ros.cli import depth_options

if TYPE_CHECKING:
    from depth_estimation_ros.bag.process import BagWork
    from depth_estimation_ros.config import Config
    from depth_estimation_ros.jobs.base import Item
    from depth_estimation_ros.media.process import VideoWork
    from depth_estimation_ros.view import View

Watchable = TypeVar('Watchable', 'BagWork', 'VideoWork')


def add(parser: argparse.ArgumentParser, place: str = 'Put it behind IN and OUT') -> None:
    """Add the flag; `place` is the end of its text, since it may swallow what follows it."""
    parser.add_argument(
        '--view',
        nargs='?',
        const='',
        metavar='FILE.rrd|ADDRESS',
        help='show image, depth and cloud in rerun: a viewer on this screen, which is opened '
        'where none is; or write FILE.rrd for it; or a viewer elsewhere, at '
        f'rerun+http://HOST:9876/proxy. {place}',
    )


@contextlib.contextmanager
def watched(
    options: argparse.Namespace, work: Watchable, config: Config, items: Sequence[Item]
) -> Iterator[Watchable]:
    """The work, with the view that the flag asks for as its observer.

    Args:
        options: With `view`, `engine` and `overwrite`.
        work: Is not changed.
        config: Says how colours and points are made.
        items: What it is done with.

    Raises:
        ValueError: Several recordings, or other machines; and as `opened`.
        OSError: As `opened`.
    """
    if options.view is not None and (len(items) > 1 or options.engine != 'local'):
        raise ValueError(
            f'--view shows one recording that is read here, not {len(items)} with --engine '
            f'{options.engine}: give one IN, or leave out --view'
        )
    with opened(options, config) as view:
        yield work if view is None else dataclasses.replace(work, observer=view.show)


@contextlib.contextmanager
def opened(
    options: argparse.Namespace, config: Config, live: bool = False
) -> Iterator[View | None]:
    """What the flag asks for, for the body of a `with`; None where it is not given.

    Args:
        options: With `view`, and `overwrite` where files may be replaced.
        config: Says how colours and points are made.
        live: Whether nobody may wait for it.

    Raises:
        ValueError, OSError: As `View`, and as `View.close`.
    """
    if options.view is None:
        yield None
        return
    from depth_estimation_ros.view import View

    overwrite = getattr(options, 'overwrite', False)
    view = View(options.view, config, depth_options.say, live, overwrite)
    with contextlib.closing(view):
        yield view
