# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The flag --view: depth maps shown in rerun while they are made."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from depth_estimation_ros.cli import depth_options

if TYPE_CHECKING:
    from depth_estimation_ros.config import Config
    from depth_estimation_ros.view import View


def add(parser: argparse.ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument(
        '--view',
        nargs='?',
        const='',
        metavar='FILE.rrd|ADDRESS',
        help='show image, depth and cloud in rerun: a viewer on this screen, which is opened '
        'where none is; or write FILE.rrd for it; or a viewer elsewhere, at '
        'rerun+http://HOST:9876/proxy. Put it behind IN and OUT',
    )


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
