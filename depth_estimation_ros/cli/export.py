# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation export`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    export = commands.add_parser('export', help='a network as ONNX or OpenVINO; in int8')
    export.add_argument('model', metavar='MODEL', help='a name, hf:<id> or a path')
    export.add_argument('--format', choices=('onnx', 'openvino'), required=True)
    export.add_argument('--weights', default='', help='path of its weights')
    export.add_argument('--preset', default='full', help='full, balanced or fast (default: full)')
    size = export.add_mutually_exclusive_group()
    size.add_argument(
        '--image',
        type=_size,
        metavar='WxH',
        help="size of the camera's images: the input gets their aspect",
    )
    size.add_argument(
        '--size', type=_size, metavar='WxH', help="size of the network's input, instead"
    )
    export.add_argument('-o', '--output', type=Path, default=Path('exported'), metavar='DIR')
    export.add_argument('--overwrite', action='store_true', help='replace what is there')
    export.add_argument('--int8', action='store_true', help='8-bit integers; needs --pictures')
    export.add_argument(
        '--pictures', type=Path, metavar='DIR', help='of what the camera will see, for --int8'
    )
    export.set_defaults(run=_run)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r'(\d+)x(\d+)', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'a size is such as 640x480, not {text!r}')
    return int(match[1]), int(match[2])


def _run(options: argparse.Namespace) -> int:
    if options.int8 != (options.pictures is not None):
        raise ValueError('--int8 and --pictures go together')
    from depth_estimation_ros.models.resolve import resolve
    from depth_estimation_ros.preprocessing import Preprocessing
    from depth_estimation_ros.runtimes import export, kinds

    runtimes = {'onnx': ['onnxruntime'], 'openvino': ['openvino']}[options.format]
    for runtime in runtimes + ['onnxruntime'] * options.int8:  # which makes int8 for both
        kinds.check(runtime, 'cpu')
    spec = resolve(options.model, options.weights)
    width, height = options.image or (spec.width, spec.height)
    plan = Preprocessing.plan(spec, width, height, options.preset)
    width, height = options.size or (plan.network_width, plan.network_height)
    what = export.Export(spec, width, height, options.format, options.pictures)
    for file in export.export(what, options.output, _say, options.overwrite):
        print(file)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)
