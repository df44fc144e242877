# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation node`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Name the subcommand in the help; its arguments are for ROS."""
    commands.add_parser('node', help='the ROS 2 node; takes --ros-args', add_help=False)


def run(arguments: Sequence[str]) -> int:
    """Serve as the ROS 2 node until it is told to stop."""
    from depth_estimation_ros.ros import transport

    transport.apply()  # restarts this process once, before anything of ROS is loaded
    try:
        from depth_estimation_ros.ros import node
    except ImportError as error:
        print(f'depth-estimation: {error}{cure(error)}', file=sys.stderr)
        return 1
    return node.main(['depth_node', *arguments])


def cure(error: ImportError) -> str:
    """What helps where ROS cannot be imported, as the end of a line; empty otherwise."""
    known = (error.name or '').split('.')[0] != 'rclpy'
    return '' if known else ': source the setup.bash of a ROS 2, or run scripts/bootstrap'
