# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation camera`."""

from __future__ import annotations

import argparse
import os
from functools import partial

from depth_estimation_ros.cli import depth_options


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'camera',
        help='publish a USB camera, a video file or a stream as ROS topics',
        description='Publishes image_raw and camera_info, for machines without a camera driver.',
    )
    parser.add_argument(
        '--device',
        default='0',
        metavar='N|FILE|URL',
        help='number or device of a camera, a video file, or a stream (default: %(default)s)',
    )
    parser.add_argument(
        '--size',
        type=depth_options.size,
        metavar='WxH',
        help='size to ask a camera for; it may give another',
    )
    parser.add_argument(
        '--rate',
        type=_rate,
        default=0.0,
        help='images per second (default: all)',
    )
    parser.add_argument(
        '--frame-id',
        default='camera_optical_frame',
        help='frame of the images: x right, y down, z forward (default: %(default)s)',
    )
    parser.add_argument('--loop', action='store_true', help='begin a file again at its end')
    depth_options.add_camera(parser)
    parser.add_argument(
        '--ros-args',
        nargs=argparse.REMAINDER,
        default=[],
        help='all that follows is for ROS: -r image_raw:=/camera/image_raw',
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Publish until told to stop, or a file has ended."""
    settle_opencv()
    from depth_estimation_ros.ros import transport

    transport.apply()  # restarts this process once; it is the sender who needs it
    from depth_estimation_ros.capture import Capture
    from depth_estimation_ros.ros import camera_publisher

    def make() -> camera_publisher.CameraPublisher:
        return camera_publisher.CameraPublisher(
            Capture(options.device, options.size, options.rate),
            options.frame_id,
            partial(depth_options.camera, options),
            options.rate,
            options.loop,
        )

    camera_publisher.serve(make, ['--ros-args', *options.ros_args])
    return 0


def settle_opencv() -> None:
    """Before OpenCV is loaded: how it opens cameras.

    One that was unplugged may not hold up the end, and what OpenCV says on the way to an error is
    no help.
    """
    os.environ.setdefault('OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT', '4')
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'ERROR')


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= 1000.0:
        raise argparse.ArgumentTypeError(f'a rate is such as 30 images per second, not {text!r}')
    return rate
