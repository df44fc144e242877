# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `depth-estimation`. Exit code 0: done, 1: failed, 2: wrong use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import depth_estimation_ros
from depth_estimation_ros.cli import (
    bag,
    benchmark,
    calibrate,
    camera,
    demo,
    evaluate,
    export,
    image,
    models,
    node,
    video,
    webcam,
)
from depth_estimation_ros.ros import transport

# What brings a package that only some need, as the end of a line.
_CURES = {
    'rclpy': ': source the setup.bash of a ROS 2, or run scripts/bootstrap',
    'depth_estimation_interfaces': ': colcon build it, and source install/setup.bash',
    'matplotlib': ': install this package with its extra demo',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; what fails is one line on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ['node']:  # most of what is behind it is for ROS
            return node.run(given[1:])
        parser = _parser(given[:1])
        if not given:
            parser.print_help(sys.stderr)
            return 2
        options = parser.parse_args(given)
        if os.environ.get(transport.SWITCH) != 'system':
            # PyTorch's threads else spin while they wait, and starve those that read and write.
            os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
        return int(options.run(options))
    except (ValueError, OSError) as error:
        print(f'depth-estimation: {_told(error)}', file=sys.stderr)
    except ImportError as error:
        print(f'depth-estimation: {error}{_CURES.get(error.name or "", "")}', file=sys.stderr)
    except KeyboardInterrupt as interrupt:
        print(f'depth-estimation: interrupted{interrupt}', file=sys.stderr)
    return 1


def _told(error: Exception) -> str:
    """In words; of what the system refuses, the file and why."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f'{error.filename}: {error.strerror}'
    return str(error)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; argparse puts the usage above it, which fills a screen."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f'{self.prog}: {message}; {self.prog} --help tells more\n')


def _parser(first: list[str]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        'depth-estimation', description=depth_estimation_ros.__doc__
    )
    parser.add_argument('--version', action='version', version=depth_estimation_ros.__version__)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for command in (
        node, camera, bag, image, video, webcam, evaluate, models, export, demo, benchmark
    ):  # fmt: skip
        command.add(commands)
    calibrate.add(commands, first == ['calibrate'])
    return parser
