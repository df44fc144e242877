# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation benchmark`."""

from __future__ import annotations

import argparse

from depth_estimation_ros.benchmarks import models


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    benchmark = commands.add_parser(
        'benchmark',
        help="how long a frame takes here, beside transformers' pipeline",
        description=models.__doc__,
    )
    models.add_options(benchmark)
    benchmark.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        models.run(options)
    except ModuleNotFoundError as error:
        raise ValueError(f'{error}: install this package with its extra benchmark') from error
    return 0
