# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera, video file or stream as ROS topics, for machines without a camera driver."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros import capture, messages
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.capture import Capture

_QOS = QoSProfile(depth=10)  # reliable, as drivers offer: matches every subscription
_LOOK_AGAIN = 1.0  # seconds between looks for a camera that was lost
_LISTEN_AGAIN = 0.2  # seconds between looks for somebody who listens
_USUAL_RATE = 30.0  # images per second of a file that does not say


class CameraPublisher(Node):  # type: ignore[misc]
    """Publishes image_raw and camera_info, stamped with the time when the image came.

    A file waits until somebody listens.

    Args:
        source: The images.
        frame_id: Optical frame that they are in.
        intrinsics: The camera for images of a width and height; None: nobody knows it, and K is 0.
        rate: Images per second at most; 0: as the source has them.
        loop: A file begins again at its end.
    """

    def __init__(
        self,
        source: Capture,
        frame_id: str,
        intrinsics: Callable[[int, int], Camera | None],
        rate: float = 0.0,
        loop: bool = False,
    ) -> None:
        super().__init__('camera_publisher')
        self._source, self._intrinsics, self._loop = source, intrinsics, loop
        self._period = 1.0 / (rate or source.rate or _USUAL_RATE)
        self._every = source.live and not rate
        self._waits = not source.live
        self._due = time.monotonic()
        self._lost = ''
        self._image, self._info = Image(), CameraInfo()
        overridable = QoSOverridingOptions.with_default_policies()
        self._topics = [
            self.create_publisher(kind, name, _QOS, qos_overriding_options=overridable)
            for kind, name in ((CameraInfo, 'camera_info'), (Image, 'image_raw'))
        ]
        self._info.header.frame_id = self._image.header.frame_id = frame_id
        self._describe(*source.size)

    def step(self) -> float | None:
        """Publish the next image, if it is due.

        Returns:
            Seconds until there is more to do; None: the file has ended.
        """
        if self._waits:
            self._waits = not self._topics[-1].get_subscription_count()
            return _LISTEN_AGAIN
        early = self._due - time.monotonic()
        if early > 0.0 and not self._source.live:
            return early
        image = None if self._lost else self._source.read()
        if image is None:
            return self._begin_again()
        if early <= 0.0 or self._every:
            self._due = max(self._due, time.monotonic() - self._period) + self._period
            self._publish(image)
        return 0.0

    def _publish(self, image: capture.Image) -> None:
        stamp = self.get_clock().now().to_msg()
        height, width, _ = image.shape
        if (self._info.width, self._info.height) != (width, height):
            self._describe(width, height)
        self._info.header.stamp = self._image.header.stamp = stamp
        messages.fill_image(self._image, image, 'bgr8')
        for topic, message in zip(self._topics, (self._info, self._image), strict=True):
            topic.publish(message)

    def _begin_again(self) -> float | None:
        """Where a file has ended, or a camera was lost."""
        if not (self._source.live or self._loop):
            self.get_logger().info(f'{self._source.name} has ended')
            return None
        try:
            self._source.open()
        except OSError as error:
            if str(error) != self._lost:
                self.get_logger().error(f'lost, and looked for every second: {error}')
            self._lost = str(error)
            return _LOOK_AGAIN
        if self._lost:
            self.get_logger().info(f'{self._source.name} is back')
        self._lost = ''
        return 0.0

    def _describe(self, width: int, height: int) -> None:
        """What camera_info says of images of this size.

        Raises:
            ValueError: The intrinsics are those of another size.
        """
        camera = self._intrinsics(width, height)
        rate = f', {self._source.rate:g} images per second' if self._source.rate else ''
        self.get_logger().info(f'{self._source.name}: {width}x{height}{rate}')
        self._info.width, self._info.height = width, height
        if camera is None:
            self.get_logger().warning(
                'the intrinsics are not known, K of camera_info is 0: calibrate the camera '
                '(ros2 run camera_calibration cameracalibrator) and give the file'
            )
        else:
            messages.fill_camera_info(self._info, camera)
            if camera.approximate:
                self.get_logger().warning(
                    'the intrinsics are a guess, which camera_info cannot say: calibrate it'
                )


def serve(make: Callable[[], CameraPublisher], args: Sequence[str]) -> None:
    """Publish until told to stop, or a file has ended.

    Args:
        make: Makes the publisher, once ROS is there.
        args: For ROS.

    Raises:
        OSError, ValueError: As `Capture`, where intrinsics do not fit, or ROS cannot read `args`.
    """
    try:
        rclpy.init(args=['camera_publisher', *args])
    except RuntimeError as error:
        raise ValueError(f'{type(error).__name__}: {error}') from error
    try:
        node, executor = make(), SingleThreadedExecutor()
        executor.add_node(node)
        while rclpy.ok() and (pause := node.step()) is not None:
            executor.spin_once(timeout_sec=pause)
        node.destroy_node()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except rclpy_implementation.RCLError:
        if rclpy.ok():  # else it was told to stop while it waited for an image
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # launch repeats them
            signal.signal(number, signal.SIG_IGN)
        rclpy.try_shutdown()
