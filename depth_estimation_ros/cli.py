# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `depth-estimation`. Exit code 0: done, 1: failed, 2: wrong use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import depth_estimation_ros


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; what fails is one line on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ['node']:  # everything behind it is for ROS
        return _node(given[1:])
    options = _parser().parse_args(given)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(f'depth-estimation: {error}', file=sys.stderr)
    except KeyboardInterrupt:
        print('depth-estimation: interrupted', file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser('depth-estimation', description=depth_estimation_ros.__doc__)
    parser.add_argument('--version', action='version', version=depth_estimation_ros.__version__)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    commands.add_parser('node', help='the ROS 2 node; takes --ros-args', add_help=False)
    demo = commands.add_parser('demo', help='a camera, the node and a client, and what they see')
    demo.add_argument('--bag', type=Path, help='play the frames of this bag instead of rendered')
    demo.add_argument('--weights', type=Path, help="METER's weights for --bag")
    demo.add_argument(
        '--output', type=Path, default=Path('demo_output'), help='folder (default: demo_output)'
    )
    demo.set_defaults(run=_demo)
    return parser


def _node(arguments: Sequence[str]) -> int:
    from depth_estimation_ros.ros import transport

    transport.apply()  # restarts this process once, before anything of ROS is loaded
    try:
        from depth_estimation_ros.ros import node
    except ImportError as error:
        print(f'depth-estimation: {error}{_cure(error)}', file=sys.stderr)
        return 1
    return node.main(['depth_node', *arguments])


def _cure(error: ImportError) -> str:
    known = (error.name or '').split('.')[0] != 'rclpy'
    return '' if known else ': source the setup.bash of a ROS 2, or run scripts/bootstrap'


def _demo(options: argparse.Namespace) -> int:
    from depth_estimation_ros.ros import transport

    transport.apply()
    from depth_estimation_ros.demo import run

    return int(run.run(options.output, options.bag, options.weights))


if __name__ == '__main__':
    sys.exit(main())
