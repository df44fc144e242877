# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One camera of the node: its topics, its newest image, its last depth maps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_estimation_ros import messages
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.faults import Faults
from depth_estimation_ros.frames import DepthMap, Frame
from depth_estimation_ros.intrinsics import CameraInfos
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.mailbox import Mailbox
from depth_estimation_ros.models import store
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.ros.calibrations import Calibrations, identity, unfit
from depth_estimation_ros.ros.continuous import Continuous
from depth_estimation_ros.ros.history import History
from depth_estimation_ros.ros.outputs import Outputs
from depth_estimation_ros.ros.sensors import Sensors
from depth_estimation_ros.ros.subscription import AdaptiveSubscription
from depth_estimation_ros.ros.transforms import TransformListener
from depth_estimation_ros.stabilizer import Stabilizer
from depth_estimation_ros.view import View


class Taken(NamedTuple):
    """A frame that the worker has: with the header for what comes of it, and when it arrived."""

    frame: Frame
    header: Any
    arrived: float  # perf_counter


class CameraStream:
    """Callbacks only leave messages here; the worker takes them and brings back what came of them.

    Args:
        node: Owner of topics and logger.
        name: Name of the camera; empty for a single one.
        config: The configuration.
        estimator: The network, shared by all cameras.
        latency: Takes the durations.
        wake: Called when there may be something to serve.
        transforms: Where frames lie to each other.
        view: As for `Outputs`.

    Raises:
        ValueError: A sensor to follow cannot be listened to.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        config: Config,
        estimator: DepthEstimator,
        latency: Latency,
        wake: Callable[[], None],
        transforms: TransformListener,
        view: View | None = None,
    ) -> None:
        self.name = name
        self.received = self.processed = 0
        self.size = (640, 480)  # of the last image; a good guess before the first
        self._used = 0  # images received before the network was changed
        self.active = False  # whether the worker serves this camera
        self.arrived = 0  # stamp of the newest image, ns
        self.unfit = ''  # why the calibration in force was not applied to the last image
        self.faults = Faults(node.get_logger().error)
        self._identity = identity(estimator)
        self.stabilizer = Stabilizer(config.stabilizer)
        self.pipeline = DepthPipeline(
            estimator, (config.range.min, config.range.max), latency, self.stabilizer
        )
        self.outputs = Outputs(node, name, config, latency, view)
        self._node, self.config, self._latency, self._wake = node, config, latency, wake
        self._mailbox: Mailbox[tuple[Any, float]] = Mailbox()
        self._intrinsics = CameraInfos(config.camera, self.faults.add)
        waiting, wanted = lambda: self.active and bool(self._mailbox), self.outputs.wanted
        size, why_none = config.distance.history, self._why_none
        self.history = History(size, waiting, wanted, wake, why_none)
        self._calibrations = Calibrations(name, config.calibration, self.faults.add)
        self.subscriptions = self._subscribe()
        self.sensors = Sensors(node, name, config, transforms, self.faults.add)
        self.continuous = Continuous(self)
        self.continuous.configure(config.reference)

    def _subscribe(self) -> list[AdaptiveSubscription]:
        prefix = f'{self.name}/' if self.name else ''
        compressed = self.config.image_transport == 'compressed'
        image = (CompressedImage, 'image/compressed') if compressed else (Image, 'image')
        topics: tuple[tuple[type[Any], str, Callable[[Any], None]], ...] = (
            (*image, self._on_image),
            (CameraInfo, 'camera_info', self._intrinsics.add),
        )
        qos, report = self.config.qos.image, self.faults.add
        return [
            AdaptiveSubscription(self._node, message, prefix + topic, qos, callback, report)
            for message, topic, callback in topics
        ]

    @property
    def dropped(self) -> int:
        """Images that a newer one replaced before the network was free."""
        return self._mailbox.overwritten

    @property
    def calibration(self) -> Calibration | None:
        """The calibration in force."""
        return self.pipeline.calibration

    def reconfigure(self, config: Config) -> None:
        """Take the live parameters of a changed configuration.

        Raises:
            ValueError: A sensor to follow cannot be listened to, or not with these options.
        """
        self.continuous.configure(config.reference)
        self.config = self.outputs.config = config
        self.stabilizer.options = config.stabilizer
        with self.history.lock:
            if self.pipeline.range != (config.range.min, config.range.max):
                self.pipeline.range = (config.range.min, config.range.max)
                self._measure_again()

    def rest(self) -> None:
        """The worker serves this camera no more: who waits for it is told so."""
        self.active = False
        self.history.abandon()

    def destroy(self) -> None:
        """End the topics."""
        self.rest()
        self.continuous.end()
        self.sensors.destroy()
        for subscription in self.subscriptions:
            subscription.destroy()
        self.outputs.destroy()

    def _on_image(self, message: Any) -> None:
        self.received += 1
        self.arrived = Time.from_msg(message.header.stamp).nanoseconds
        # What nobody waited for is not a dropped frame.
        self._mailbox.put((message, time.perf_counter()), missed=self.due())
        self._wake()

    def due(self) -> bool:
        """Whether there is an image and somebody who wants what comes of it."""
        waits = self.active and bool(self._mailbox)
        return waits and (self.history.asked or self.outputs.wanted())

    def take(self) -> Taken | None:
        """The newest image, decoded, with its camera; None when there is none that can be used.

        What it gives must come back to `finish` or `fail`.
        """
        with self.history.lock:
            waiting = self._mailbox.take()
            if waiting is None:
                return None
            self.history.begin()
        message, arrived = waiting
        try:
            with self._latency.stage('decode'):
                return Taken(self._frame(message), message.header, arrived)
        except Exception as error:  # whatever a frame does, the next one is served
            self.fail(error)
            return None

    def finish(self, taken: Taken, depth_map: DepthMap) -> None:
        """Keep and publish what came of the frame that was taken; faults are counted."""
        try:
            with self.history.lock:
                self._follow()
                if depth_map.calibration is not self.pipeline.calibration:  # changed meanwhile
                    depth_map = self.pipeline.again(depth_map)
                self.history.add(depth_map)
                self.unfit = unfit(self.calibration, depth_map.frame.camera)
            if self.unfit:
                self.faults.add(self.unfit)
            self.outputs.publish(depth_map, taken.header)
        except Exception as error:
            self.fail(error)
            return
        self.processed += 1
        self._latency.add('total', time.perf_counter() - taken.arrived)
        self.history.end()

    def fail(self, error: Exception) -> None:
        """Count that nothing comes of the frame that was taken."""
        if self._node.context.ok():  # else shutting down: the topics are gone, and so is the log
            self.faults.add(f'{type(error).__name__}: {error}' if not str(error) else str(error))
        self.history.end(failed=True)

    def _frame(self, message: Any) -> Frame:
        decode = (
            messages.decode_compressed
            if self.config.image_transport == 'compressed'
            else messages.decode_image
        )
        image = decode(message)
        stamp = Time.from_msg(message.header.stamp).nanoseconds
        height, width, _ = image.shape
        self.size = width, height
        camera = self._intrinsics.camera(message.header.stamp, width, height)
        with self.history.lock:
            saved = self._calibrations.find(self.pipeline.estimator, camera)
            if saved is not None:
                self.calibrate(saved)
                self._node.get_logger().info(f'calibration of {self.calibration_file()} in force')
        return Frame(image, stamp, message.header.frame_id, camera)

    def _why_none(self) -> str:
        topic = self.subscriptions[0].topic
        if not self.active:
            return 'the node was cleaned up or deactivated meanwhile: activate it and call again'
        if not self.received:
            return f'no image has arrived on {topic}: is the camera running, and remapped to it?'
        if self.received == self._used:
            return f'no image has arrived on {topic} since the model was changed'
        return f'no image of {topic} could be used: {self.faults.latest or "still working"}'

    def at(self, stamp: Any) -> DepthMap:
        """The kept depth map with this stamp; the newest one for a stamp of zero.

        Raises:
            ValueError: It is not kept.
        """
        return self.history.at(Time.from_msg(stamp).nanoseconds, self.arrived)

    def calibrate(self, calibration: Calibration | None, basis: DepthMap | None = None) -> None:
        """Put a calibration in force, for the kept depth maps too; None takes it away.

        Args:
            calibration: It, or None.
            basis: The depth map that it was fitted to just now, whose scale is kept then.
        """
        with self.history.lock:
            self._calibrations.settle()
            self.pipeline.calibrate(calibration, basis)
            self._measure_again()

    def adopt(self, calibration: Calibration, basis: DepthMap) -> None:
        """Put a new calibration in force, if it belongs to the network as it is now.

        Args:
            calibration: Made of references in this depth map, or a plain factor.
            basis: The depth map.

        Raises:
            ValueError: It does not: the model was changed, or memory has cut its preset.
            OSError: The network's weights are there no more.
        """
        with self.history.lock:
            estimator = self.pipeline.estimator
            weights = store.weights_of(estimator.spec)
            calibration.check(estimator.spec.name, calibration.camera, estimator.preset, weights)
            self.calibrate(calibration, basis if calibration.fit.references else None)

    def _measure_again(self) -> None:
        self.history.change(self.pipeline.again)

    def calibration_file(self) -> Path:
        """Where this camera's calibration is kept."""
        return self._calibrations.file(self.pipeline.estimator)

    def use(self, estimator: DepthEstimator) -> None:
        """Go on with another network, while the worker rests."""
        with self.history.lock:
            self.pipeline.estimator = estimator
            self._follow()

    def _follow(self) -> None:
        """Take the calibration that belongs to the network, and forget what came of another one.

        Or of the same at another preset, which a want of memory may have changed.
        """
        old, new = self._identity, identity(self.pipeline.estimator)
        if old == new:
            return
        self._identity, in_force = new, self.pipeline.calibration
        self.pipeline.calibration = self._calibrations.exchange(old, in_force, new)
        self.history.clear()
        self._used = self.received
        self.outputs.settle_anew()
