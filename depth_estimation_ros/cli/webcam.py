# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation webcam`: the depth of a camera as it comes, in a window or a terminal."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli import camera, depth_options

if TYPE_CHECKING:
    from depth_estimation_ros.live.newest import Newest
    from depth_estimation_ros.live.screens import Screen
    from depth_estimation_ros.live.session import Session
    from depth_estimation_ros.road import Road

_SNAPSHOT = 's'
_WAIT = 0.05  # seconds for a frame, before keys are looked at again


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    webcam = commands.add_parser(
        'webcam',
        help='the depth of a camera, live',
        description='Shows picture and depth of a camera. s: snapshot, q: quit; a click in the '
        'window tells how far away that is, the terminal how far the centre.',
    )
    webcam.add_argument(
        '--device',
        dest='source',
        default='0',
        metavar='N|PATH',
        help='number of the camera, its path, a video file or an address (default: 0)',
    )
    webcam.add_argument(
        '--size',
        type=depth_options.size,
        metavar='WxH',
        help='of the pictures that the camera is asked for',
    )
    webcam.add_argument(
        '--show',
        choices=('auto', 'window', 'terminal', 'lines'),
        default='auto',
        help='auto: a window where there is a screen, else the terminal, else a line a second',
    )
    webcam.add_argument(
        '-o',
        '--output',
        type=Path,
        default=Path('snapshots'),
        metavar='DIR',
        help='for snapshots: picture, colours and npz (default: snapshots)',
    )
    depth_options.add_colours(webcam)
    for name in ('distance.window', 'stabilizer.smooth'):
        depth_options.add_flag(webcam, depth_options.PARAMETERS[name])
    depth_options.add(webcam, device='--network-device')
    webcam.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # As Ctrl-C: a terminal must be left as it was.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    camera.settle_opencv()
    from depth_estimation_ros import sections
    from depth_estimation_ros.capture import Capture
    from depth_estimation_ros.live.newest import Newest

    road = depth_options.road(options, sections.Stabilizer(smooth=options.smooth))
    source = Capture(options.source, options.size)
    if options.size not in (None, source.size):
        depth_options.say(f'{source.name} gives {source.size[0]}x{source.size[1]}')
    with contextlib.closing(Newest(source)) as frames:
        for file in _play(options, road, source.size, frames):
            print(file)
    if frames.error:
        raise OSError(frames.error)
    return 0


def _play(
    options: argparse.Namespace, road: Road, size: tuple[int, int], frames: Newest
) -> list[Path]:
    """Show what comes; the files of the snapshots."""
    from depth_estimation_ros import sections
    from depth_estimation_ros.live.session import Session

    near, far = options.color_range
    colours = sections.Colorize(min=near, max=far, colormap=options.colormap)
    open_screen = _screen(options.show)
    with contextlib.closing(depth_options.estimator(options)) as estimator:
        estimator.warm_up(*size)  # before there is a screen, which nothing else should write on
        session = Session(road, estimator, colours, sections.Distance(window=options.window))
        with (
            contextlib.closing(open_screen()) as screen,
            contextlib.suppress(KeyboardInterrupt),  # one of the ways to end it
        ):
            _watch(frames, session, screen, options.output)
    return session.snapshots


def _watch(frames: Newest, session: Session, screen: Screen, folder: Path) -> None:
    """Show what comes until somebody quits or nothing comes any more."""
    from depth_estimation_ros.live.screens import QUIT

    while not frames.ended:
        captured = frames.take(_WAIT)
        if captured is not None:
            screen.show(session.look(captured))
            session.served(captured, frames.dropped)
        keys = screen.keys()
        if _SNAPSHOT in keys:
            session.snapshot(folder)
        if QUIT in keys:
            break
        session.mark = screen.marked() or session.mark


def _screen(wanted: str) -> Callable[[], Screen]:
    """What opens the place where frames are shown.

    Raises:
        ValueError: A window or a terminal is wanted, and there is none.
    """
    from depth_estimation_ros.live import screens

    why = screens.no_window() if wanted in ('auto', 'window') else ''
    if wanted == 'window' and why:
        raise ValueError(f'{why}; --show terminal or --show lines needs none')
    if wanted == 'window' or (wanted == 'auto' and not why):
        return screens.Window
    is_terminal = screens.is_terminal(sys.stdin, sys.stdout)
    if wanted == 'terminal' and not is_terminal:
        raise ValueError('there is no terminal: standard input or output is none; --show lines')
    if wanted == 'auto':
        depth_options.say(f'{why}: shown {"here" if is_terminal else "as a line a second"}')
    if wanted == 'lines' or not is_terminal:
        return lambda: screens.Lines(lambda line: print(line, flush=True))
    return screens.Terminal
