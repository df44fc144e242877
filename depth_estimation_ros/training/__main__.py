# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Command that makes the bundled model.

In the repository:
python -m depth_estimation_ros.training --output depth_estimation_ros/models/bundled.safetensors
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from depth_estimation_ros.training.loop import TrainingConfig, train


def _report(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (this is a door)


def main() -> None:
    """Read the command line and train; every field of `TrainingConfig` is a flag."""
    parser = argparse.ArgumentParser(
        prog='python -m depth_estimation_ros.training',
        description='Train the bundled model on rendered rooms.',
    )
    parser.add_argument('--output', type=Path, required=True, help='safetensors file to write')
    for field in dataclasses.fields(TrainingConfig):
        if field.name != 'output':
            parser.add_argument(
                f'--{field.name.replace("_", "-")}',
                default=field.default,
                type=type(field.default),
                help='default: %(default)s',
            )
    config = TrainingConfig(**vars(parser.parse_args()))
    path = train(config, _report)
    _report(f'wrote {path}')


if __name__ == '__main__':
    main()
