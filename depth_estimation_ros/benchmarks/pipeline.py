# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a frame costs outside the network, beside the way it is usually written.

One 640x480 bgr8 message with every output subscribed to by another process: decode, resize,
normalise, restore, calibrate, colour, JPEG, cloud, fill and publish. Each road runs in a process
of its own and they take turns: ours set up as `depth-estimation node` sets its process up (malloc,
OpenMP, Fast DDS), the usual way as a process is without that, and once more with it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import Any

import numpy as np

from depth_estimation_ros.benchmarks import command, turns

BUDGET_MS = 6.0
WANTED_RATIO = 8.0
NETWORKS = {'672x512': (512, 512, 32), '256x192': (192, 256, 32)}  # height, width, multiple
TOPICS = {
    'depth/image': 'Image',
    'depth/camera_info': 'CameraInfo',
    'inverse_depth/image': 'Image',
    'colorized/image': 'Image',
    'colorized/image/compressed': 'CompressedImage',
    'points': 'PointCloud2',
}
# Name of each road, which code it runs, and whether the process is set up for large messages.
_ROADS = {'ours': ('ours', True), 'usual': ('usual', False), 'usual_set_up': ('usual', True)}
_MODULE = 'depth_estimation_ros.benchmarks.pipeline'
_FRAMES = {'ours': 5, 'usual': 1, 'usual_set_up': 1}  # a round; checked, the usual takes seconds
_SECONDS = 25.0  # for one network


def main(argv: list[str]) -> int:
    """Measure and print tables; 1 when the budget or the wanted ratio does not hold."""
    parser = command.parser('pipeline', __doc__)
    parser.add_argument(
        '--check-fields',
        action='store_true',
        help='only with ROS_PYTHON_CHECK_FIELDS=1, as older distributions behave; default: both '
        'without and with it',
    )
    parser.add_argument('--rounds', type=int, default=60, help='default: %(default)s')
    parser.add_argument('--role', choices=('listen', 'ours', 'usual'), help=argparse.SUPPRESS)
    parser.add_argument('--network', choices=NETWORKS, help='only for this size of its input')
    parser.add_argument('--namespace', default=f'/benchmark_{os.getpid()}', help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.role == 'listen':
        _listen(options.namespace)
    elif options.role:
        from depth_estimation_ros.benchmarks import roads

        roads.serve(options.role, options.network, options.namespace)
    else:
        results = []
        for check in (True,) if options.check_fields else (False, True):
            results.append(_measure(check, options))
            _print(results[-1])
        command.write(results, options.json)
        return int(not all(map(_holds, results)))
    return 0


def _measure(check_fields: bool, options: argparse.Namespace) -> dict[str, Any]:
    from depth_estimation_ros.ros import transport

    plain = {
        **os.environ,
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'ROS_PYTHON_CHECK_FIELDS': str(int(check_fields)),
    }
    set_up = {**plain, **transport.missing(plain)}
    with turns.process(_MODULE, set_up, '--role', 'listen', '--namespace', options.namespace):
        names = [options.network] if options.network else list(NETWORKS)
        networks = {name: _compare(name, plain, set_up, options) for name in names}
    return {
        'image': '640x480 bgr8',
        'check_fields': check_fields,
        'load': os.getloadavg()[0],
        'networks': networks,
    }


def _compare(
    network: str, plain: dict[str, str], set_up: dict[str, str], options: argparse.Namespace
) -> dict[str, Any]:
    """All roads in turn, for one size of the network's input."""
    with contextlib.ExitStack() as stack:
        processes = {
            road: stack.enter_context(
                turns.process(
                    _MODULE,
                    set_up if is_set_up else plain,
                    *('--role', role, '--network', network),
                    *('--namespace', f'{options.namespace}/{road}'),
                )
            )
            for road, (role, is_set_up) in _ROADS.items()
        }
        for road, process in processes.items():
            turns.ask(process, _FRAMES[road])  # first ones load and allocate, and are not counted
        seconds = turns.in_turn(processes, _FRAMES, range(options.rounds), _SECONDS)
        stages = {road: turns.ask(process, 0) for road, process in processes.items()}
    milliseconds = {road: float(np.median(values)) * 1e3 for road, values in seconds.items()}
    return {
        'frames': {road: len(values) for road, values in seconds.items()},
        'ms': milliseconds,
        'fastest_tenth_ms': {
            road: float(np.percentile(values, 10)) * 1e3 for road, values in seconds.items()
        },
        'stages_ms': stages,
        'ratio': milliseconds['usual'] / milliseconds['ours'],
        'ratio_set_up': milliseconds['usual_set_up'] / milliseconds['ours'],
    }


def _listen(namespace: str) -> None:
    """Take every output of every road, as it comes off the wire."""
    import rclpy
    import sensor_msgs.msg

    rclpy.init()
    node = rclpy.create_node('listener', namespace=namespace)
    for road in _ROADS:
        for topic, message in TOPICS.items():
            kind = getattr(sensor_msgs.msg, message)
            name = f'{namespace}/{road}/depth_estimation/{topic}'
            node.create_subscription(kind, name, lambda _: None, 1, raw=True)
    with contextlib.suppress(rclpy.executors.ExternalShutdownException, KeyboardInterrupt):
        while rclpy.ok():  # rclpy.spin may sleep through a signal that comes just before its wait
            rclpy.spin_once(node, timeout_sec=0.5)


def _holds(result: dict[str, Any]) -> bool:
    return all(
        figures['ms']['ours'] <= BUDGET_MS and figures['ratio'] >= WANTED_RATIO
        for figures in result['networks'].values()
    )


def _print(result: dict[str, Any]) -> None:
    checks = 'with' if result['check_fields'] else 'without'
    print(
        f'\n{result["image"]}, every output subscribed to, {checks} field checks; medians in ms '
        f'outside the network; load {result["load"]:.1f} on {os.cpu_count()} cores'
    )
    for network, figures in result['networks'].items():
        title = f'network input {network}'
        print(f'\n{title:<28}{"ours":>8}{"usual way":>12}{"usual, set up":>16}')
        stages = figures['stages_ms']
        for stage in stages['usual']:
            if stage != 'network':
                values = (stages[road].get(stage, 0.0) for road in _ROADS)
                print('  {:<26}{:>8.2f}{:>12.2f}{:>16.2f}'.format(stage, *values))
        print('  {:<26}{:>8.2f}{:>12.2f}{:>16.2f}'.format('together', *figures['ms'].values()))
        fastest = figures['fastest_tenth_ms'].values()
        print('  {:<26}{:>8.2f}{:>12.2f}{:>16.2f}'.format('the fastest tenth', *fastest))
        kept = 'kept' if figures['ms']['ours'] <= BUDGET_MS else 'exceeded'
        print(
            f'  {figures["ratio"]:.1f} times faster than the usual way (wanted {WANTED_RATIO:g}), '
            f'{figures["ratio_set_up"]:.1f} times when that has our settings; '
            f'budget of {BUDGET_MS:g} ms {kept}'
        )


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
