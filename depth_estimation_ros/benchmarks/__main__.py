# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`python -m depth_estimation_ros.benchmarks [NAME [OPTIONS]]`; without a name, all in turn."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    'pipeline',
    'edges',
    'steady',
    'sensors',
    'calibration',
    'transport',
    'memory',
    'offline',
    'latency',
    'models',
    'presets',
    'marker',
    'video',
    'cuda',
)


def main(argv: list[str]) -> int:
    """Hand over to a benchmark; 1 when one of them missed what it promises, 2 for wrong use."""
    if not argv:
        return max([main([name]) for name in NAMES])
    name, *options = argv
    if name not in NAMES:
        print(f'benchmarks are {", ".join(NAMES)}, not {name!r}', file=sys.stderr)
        return 2
    try:
        return int(
            importlib.import_module(f'depth_estimation_ros.benchmarks.{name}').main(options)
        )
    except (ValueError, OSError) as error:
        print(f'benchmark {name}: {error}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
