# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera process of any rate and size: rendered pictures, stamped as they leave."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros import messages, synthetic
from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.camera import Camera


def _pictures(camera: Camera) -> list[Image]:
    """Two messages of a rendered room, without a stamp."""
    room = synthetic.make_room(3)
    made = []
    for pose in synthetic.trajectory(room, 2):
        image, _ = synthetic.render(room, camera, pose)
        message = Image()
        messages.fill_image(message, image, 'rgb8')
        message.header.frame_id = 'camera_optical_frame'
        made.append(message)
    return made


def _publish(node: Node, camera: Camera, rate: float, frames: int) -> None:
    info = CameraInfo()
    messages.fill_camera_info(info, camera)
    info_topic = node.create_publisher(CameraInfo, '/camera/camera_info', 1)
    image_topic = node.create_publisher(Image, '/camera/image', 1)
    _wait(image_topic)
    made = _pictures(camera)
    due = time.monotonic()
    for turn in range(frames):
        if not rclpy.ok():
            return
        image = made[turn % len(made)]
        stamp = node.get_clock().now().to_msg()
        info.header.frame_id = image.header.frame_id
        info.header.stamp = image.header.stamp = stamp
        info_topic.publish(info)
        image_topic.publish(image)
        due = max(due + 1.0 / rate, time.monotonic())  # late frames are not made up for
        time.sleep(max(due - time.monotonic(), 0.0))


def _wait(publisher: Any) -> None:
    """Until node and listener are there, so that none misses the first frames."""
    while publisher.get_subscription_count() < 2 and rclpy.ok():
        time.sleep(0.02)


def main() -> int:
    """Publish so many frames, and stay until it is told to go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz')
    parser.add_argument('--size', type=command.size, default=(640, 480), help='of the pictures')
    parser.add_argument('--frames', type=int, default=300, help='how many')
    options = parser.parse_args()
    camera = synthetic.WEBCAM.scaled(*options.size)
    rclpy.init()
    node = Node('benchmark_camera')
    try:
        _publish(node, camera, options.rate, options.frames)
        while rclpy.ok():
            time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
