# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation demo`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    demo = commands.add_parser('demo', help='a camera, the node and a client, and what they see')
    demo.add_argument('--bag', type=Path, help='play the frames of this bag instead of rendered')
    demo.add_argument('--weights', type=Path, help="METER's weights for --bag")
    demo.add_argument(
        '--output', type=Path, default=Path('demo_output'), help='folder (default: demo_output)'
    )
    demo.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from depth_estimation_ros.ros import transport

    transport.apply()
    from depth_estimation_ros.demo import run

    return int(run.run(options.output, options.bag, options.weights))
