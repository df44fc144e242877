# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation node`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from depth_estimation_ros.cli import view_flag

_HELP = 'the ROS 2 node; takes --ros-args'
_ABOUT = (
    'The ROS 2 node. What follows --ros-args is for ROS: -r image:=/camera/image_raw '
    '-r camera_info:=/camera/camera_info names the camera, -p model:=NAME sets a parameter, '
    '--params-file FILE all of them; config/depth.yaml lists those there are.'
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Name the subcommand in the help; `run` reads its arguments."""
    commands.add_parser('node', help=_HELP, add_help=False)


def run(arguments: Sequence[str]) -> int:
    """Serve as the ROS 2 node until it is told to stop.

    Args:
        arguments: Flags, and what is for ROS.

    Raises:
        ValueError, OSError: Nothing can be shown where --view says.
        ImportError: There is no ROS.
    """
    parser = argparse.ArgumentParser(
        'depth-estimation node', usage='%(prog)s [--view …] [--ros-args …]', description=_ABOUT
    )
    view_flag.add(parser, place='')
    begin = arguments.index('--ros-args') if '--ros-args' in arguments else len(arguments)
    options, rest = parser.parse_known_args(arguments[:begin])
    if rest:
        parser.error(
            f'unknown: {" ".join(rest)}; what is for ROS goes behind --ros-args, such as '
            '-r image:=/camera/image_raw or -p model:=NAME'
        )

    from depth_estimation_ros.ros import transport

    transport.apply()  # restarts this process once, before anything of ROS is loaded
    from depth_estimation_ros.config import Config
    from depth_estimation_ros.ros import node

    with view_flag.opened(options, Config(), live=True) as view:
        return node.main(['depth_node', *arguments[begin:]], view)
