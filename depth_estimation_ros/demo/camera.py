# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A depth camera as a ROS process: pictures, their intrinsics, and depth to judge others by.

The node under demonstration sees the pictures only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros import bag, messages, synthetic
from depth_estimation_ros.frames import Frame

RATE = 10.0  # Hz
FRAMES = 40
_ROOM = 20017

RgbdFrame = tuple[Frame, NDArray[np.float32]]


def rendered(count: int = FRAMES) -> list[RgbdFrame]:
    """A drive through a rendered room: frames, and the exact depth of every pixel in metres."""
    room = synthetic.make_room(_ROOM)
    frames = []
    for pose in synthetic.trajectory(room, count):
        image, depth = synthetic.render(room, synthetic.WEBCAM, pose)
        frames.append((Frame(image, 0, 'camera_optical_frame', synthetic.WEBCAM), depth))
    return frames


class CameraNode(Node):  # type: ignore[misc]
    """Publishes frames to and fro without end, stamped with the time of publication.

    Topics under /camera: image (bgr8), camera_info, and depth (32FC1, metres).
    """

    def __init__(self, frames: list[RgbdFrame]) -> None:
        super().__init__('camera', namespace='camera')
        prepared = [_messages(frame, depth) for frame, depth in frames]
        self._messages = prepared + prepared[-2:0:-1]
        self._next = 0
        reliable = QoSProfile(depth=5)
        self._topics = [
            self.create_publisher(kind, name, reliable)
            for kind, name in ((CameraInfo, 'camera_info'), (Image, 'depth'), (Image, 'image'))
        ]
        self.create_timer(1.0 / RATE, self._publish)

    def _publish(self) -> None:
        stamp = self.get_clock().now().to_msg()
        for publisher, message in zip(self._topics, self._messages[self._next], strict=True):
            message.header.stamp = stamp
            publisher.publish(message)
        self._next = (self._next + 1) % len(self._messages)


def _messages(frame: Frame, depth: NDArray[np.float32]) -> tuple[Any, Any, Any]:
    if frame.camera is None:
        raise ValueError('a camera publishes its intrinsics, and this frame has none')
    info, distance, picture = CameraInfo(), Image(), Image()
    messages.fill_camera_info(info, frame.camera)
    messages.fill_image(distance, depth, '32FC1')
    messages.fill_image(picture, frame.image[..., ::-1], 'rgb8')
    picture.encoding = 'bgr8'  # laid out alike; the channels were turned round above
    for message in (info, distance, picture):
        message.header.frame_id = frame.frame_id
    return info, distance, picture


def main() -> int:
    """Run the camera until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--bag', type=Path, help='play the frames of this bag, not rendered ones')
    options = parser.parse_args()
    frames = bag.rgbd_frames(options.bag, FRAMES) if options.bag else rendered()
    rclpy.init()
    node = CameraNode(frames)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
