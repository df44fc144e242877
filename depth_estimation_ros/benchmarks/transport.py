# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Images from a camera process to the node's subscription in another: what arrives, and when.

bgr8 at 30 Hz, two sizes, offered best effort and reliable, with and without what
depth_estimation_ros.ros.transport sets; in turn, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from depth_estimation_ros.benchmarks import command

SIZES = {'640x480': 8.0, '1280x720': 20.0}
"""Size of the images and the median latency that must hold with the profile, ms."""

WANTED_SHARE = 0.98
_RATE = 30.0
_MODULE = 'depth_estimation_ros.benchmarks.transport'


@dataclass(frozen=True)
class Case:
    """One run: the size of images, what the camera offers, and whether the profile is set."""

    size: str
    reliability: str
    profile: bool


@dataclass(frozen=True)
class Figures:
    """A case over all rounds; latencies from publish() to the callback, ms. None: no image."""

    sent: int
    received: int
    median_ms: float | None
    p95_ms: float | None
    cpu_ms: float | None
    """CPU time of the subscriber per image received, ms."""

    def holds(self, size: str) -> bool:
        """Whether share and latency are as promised."""
        enough = self.received >= WANTED_SHARE * self.sent
        return enough and self.median_ms is not None and self.median_ms <= SIZES[size]


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when something promised with the profile does not hold."""
    options = _options(argv)
    if options.role == 'camera':
        return _camera(options)
    if options.role == 'node':
        return _node(options.topic, options.frames)
    cases = [
        Case(*values)
        for values in itertools.product(SIZES, ('best_effort', 'reliable'), (False, True))
    ]
    runs: dict[Case, list[dict[str, Any]]] = {case: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            runs[case].append(_run(case, options.frames))
    figures = {case: _figures(runs[case], options.frames) for case in cases}
    _print(figures)
    rows = [{**asdict(case), **asdict(one)} for case, one in figures.items()]
    command.write({'load': os.getloadavg()[0], 'cases': rows}, options.json)
    return int(not all(one.holds(case.size) for case, one in figures.items() if case.profile))


def _options(argv: list[str]) -> argparse.Namespace:
    parser = command.parser('transport', __doc__)
    parser.add_argument(
        '--frames', type=int, default=90, help='images a run (default: %(default)s)'
    )
    parser.add_argument(
        '--rounds', type=int, default=3, help='runs of each case (default: %(default)s)'
    )
    parser.add_argument('--role', choices=('camera', 'node'), help=argparse.SUPPRESS)
    parser.add_argument('--size', choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument('--topic', help=argparse.SUPPRESS)
    parser.add_argument('--reliability', help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _run(case: Case, frames: int) -> dict[str, Any]:
    """One camera process and one subscriber process, both with or without the profile."""
    from depth_estimation_ros.ros import transport

    settings = transport.missing({'ROS_DISTRO': os.environ.get('ROS_DISTRO', '')})
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if case.profile:
        environment |= settings
    topic = f'/benchmark_{os.getpid()}/image'
    call = [sys.executable, '-m', _MODULE, '--frames', str(frames), '--topic', topic]
    camera = [*call, '--role', 'camera', '--size', case.size, '--reliability', case.reliability]
    node = subprocess.Popen([*call, '--role', 'node'], env=environment, stdout=subprocess.PIPE)
    try:
        subprocess.run(camera, env=environment, check=True, timeout=60.0 + frames / _RATE)
        output, _ = node.communicate(timeout=60.0)
    finally:
        node.kill()
    answer: dict[str, Any] = json.loads(output.splitlines()[-1])
    return answer


def _camera(options: argparse.Namespace) -> int:
    """Publish images as a driver does, once a subscription matches."""
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import Image

    rclpy.init()
    node = rclpy.create_node('camera')
    policy = ReliabilityPolicy[options.reliability.upper()]
    publisher = node.create_publisher(
        Image, options.topic, QoSProfile(depth=1, reliability=policy)
    )
    width, height = map(int, options.size.split('x'))
    image = Image(width=width, height=height, step=3 * width, encoding='bgr8')
    image.data.frombytes(os.urandom(3 * width * height))
    deadline = time.monotonic() + 30.0
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.7)  # the subscription settles on what the camera offers
    begin = time.monotonic()
    for number in range(options.frames):
        time.sleep(max(0.0, begin + number / _RATE - time.monotonic()))
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.monotonic_ns(), 10**9)
        publisher.publish(image)
    time.sleep(0.5)
    node.destroy_node()
    rclpy.shutdown()
    return 0


def _node(topic: str, frames: int) -> int:
    """Take images as the node does until the camera goes; print latencies and CPU time."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from sensor_msgs.msg import Image

    from depth_estimation_ros.ros.subscription import AdaptiveSubscription

    rclpy.init()
    node = rclpy.create_node('subscriber')
    latencies: list[float] = []
    cpu = [0.0]

    def received(image: Image) -> None:
        stamp = image.header.stamp
        latencies.append((time.monotonic_ns() - stamp.sec * 10**9 - stamp.nanosec) * 1e-6)
        cpu.append(time.process_time())

    subscription = AdaptiveSubscription(node, Image, topic, 'auto', received, print)
    node.create_timer(0.5, subscription.check)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    seen, deadline = False, time.monotonic() + 60.0 + frames / _RATE
    while time.monotonic() < deadline and not (seen and subscription.publishers() == 0):
        executor.spin_once(timeout_sec=0.1)
        seen = seen or subscription.publishers() > 0
    spent = (cpu[-1] - cpu[1]) / (len(cpu) - 2) * 1e3 if len(cpu) > 2 else None
    print(json.dumps({'latencies_ms': latencies, 'cpu_ms': spent}))
    node.destroy_node()
    rclpy.shutdown()
    return 0


def _figures(runs: list[dict[str, Any]], frames: int) -> Figures:
    latencies = sorted(itertools.chain.from_iterable(run['latencies_ms'] for run in runs))
    spent = [run['cpu_ms'] for run in runs if run['cpu_ms'] is not None]
    return Figures(
        sent=frames * len(runs),
        received=len(latencies),
        median_ms=statistics.median(latencies) if latencies else None,
        p95_ms=latencies[int(0.95 * len(latencies))] if latencies else None,
        cpu_ms=statistics.median(spent) if spent else None,
    )


def _print(figures: dict[Case, Figures]) -> None:
    print(
        f'bgr8 images at {_RATE:g} Hz from process to process; publish to callback; '
        f'load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores'
    )
    columns = ('size', 'camera offers', 'profile', 'arrived', 'median', 'p95', 'CPU')
    row = '{:<10}{:<15}{:<9}{:>9}{:>10}{:>10}{:>10}'
    print(row.format(*columns))
    for case, one in figures.items():
        verdict = ('  holds' if one.holds(case.size) else '  MISSED') if case.profile else ''
        times = (_text(value) for value in (one.median_ms, one.p95_ms, one.cpu_ms))
        profile, share = 'yes' if case.profile else 'no', f'{one.received / one.sent:.1%}'
        print(row.format(case.size, case.reliability, profile, share, *times) + verdict)
    limits = ', '.join(f'{limit:g} ms at {size}' for size, limit in SIZES.items())
    print(f'promised with the profile: {WANTED_SHARE:.0%} arrive, median at most {limits}')


def _text(milliseconds: float | None) -> str:
    return '-' if milliseconds is None else f'{milliseconds:.2f} ms'


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
