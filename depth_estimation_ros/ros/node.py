# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node: a lifecycle around the road of a frame."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos_overriding_options import QoSOverridingOptions

from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.ros import parameters
from depth_estimation_ros.ros.worker import Worker
from depth_estimation_ros.view import View

try:
    from depth_estimation_interfaces.msg import DepthStatus
    from depth_estimation_ros.ros.diagnostics import Diagnostics
    from depth_estimation_ros.ros.services import Services
    from depth_estimation_ros.ros.status import StatusTopic, depth_status
    from depth_estimation_ros.ros.stream import CameraStream
    from depth_estimation_ros.ros.switch import ModelSwitch
    from depth_estimation_ros.ros.transforms import TransformListener
except ImportError as error:
    if not str(error).startswith("No module named 'depth_estimation_interfaces"):
        raise
    raise ImportError(
        'the package depth_estimation_interfaces is not built: run colcon build --base-paths src '
        'src/depth_estimation_ros/depth_estimation_interfaces and source install/setup.bash'
    ) from error

_SETTLE = 0.5  # seconds between looks at who publishes
_PATIENCE = 2.0  # seconds for the frames at hand when the process is told to end
_SWITCHED = ('model', 'weights', 'preset', 'runtime')  # parameters that set_model may change
_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class DepthNode(LifecycleNode):  # type: ignore[misc]
    """Camera images in; depth, colour, clouds, distances and calibration out.

    Args:
        view: Where depth is shown besides, or None.
        options: Of rclpy's nodes.
    """

    def __init__(self, view: View | None = None, **options: Any) -> None:
        # First: the context destroys also a node whose parameters are refused. And names of their
        # own: rclpy's Node keeps _services and _timers itself.
        self._depth_worker = Worker(
            lambda text: self.get_logger().warning(text, throttle_duration_sec=5.0)
        )
        self.streams: dict[str, CameraStream] = {}
        self.estimator: DepthEstimator | None = None
        self._clockwork: list[Any] = []
        self._latency = Latency()
        self._view = view
        super().__init__('depth_estimation', **options)
        self.config = parameters.declare(self)
        self._status_topic = StatusTopic(self)
        self._diagnostics_topic = self.create_publisher(
            DiagnosticArray,
            '/diagnostics',
            1,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self.transforms = TransformListener(
            self, lambda text: self.get_logger().error(text, throttle_duration_sec=5.0)
        )
        self._requests = Services(
            self,
            self.streams,
            lambda: self.config.distance.window,
            self.publish_status,
            lambda: self._depth_worker.running,
        )
        self.switch = ModelSwitch(self)
        self.add_on_set_parameters_callback(
            parameters.on_change(
                lambda: self.config, lambda: self.estimator is not None, self._reconfigure
            )
        )

    def autostart(self) -> bool:
        """Configure and activate; False when that failed, with the reason in the log."""
        return bool(self.trigger_configure() == _SUCCESS and self.trigger_activate() == _SUCCESS)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and open the topics."""
        try:
            self._open()
        except Exception as error:  # rclpy would swallow it without a word
            self._close()
            self.get_logger().error(f'cannot configure: {error}')
            return _FAILURE
        return super().on_configure(state)

    def _open(self) -> None:
        config, latency, wake = self.config, self._latency, self._depth_worker.wake
        self.estimator = self.load(config)
        for name in config.cameras:  # one after the other: _close ends those before a failure
            self.streams[name] = CameraStream(
                self, name, config, self.estimator, latency, wake, self.transforms, self._view
            )
        diagnostics = Diagnostics(self.get_name(), latency)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # runs also where /clock does not
        self._clockwork = [
            self.create_timer(_SETTLE, self._look, clock=steady),
            self.create_timer(
                config.diagnostics.period, lambda: self._diagnose(diagnostics), clock=steady
            ),
        ]
        self.get_logger().info(f'{config.model}: {self.estimator.spec.description}')
        topics = [one.topic for stream in self.streams.values() for one in stream.subscriptions]
        self.get_logger().info(f'listens to {", ".join(topics)}')
        self.publish_status()

    def load(self, config: Config) -> DepthEstimator:
        """The network that a configuration asks for, warm; takes its time, on any thread."""
        estimator = DepthEstimator.load(
            config.model,
            config.weights,
            config.device,
            config.runtime,
            config.preset,
            self._latency,
            lambda text: self.get_logger().info(text),
        )
        sizes = [stream.size for stream in list(self.streams.values())] or [(640, 480)]
        for width, height in set(sizes):
            estimator.warm_up(width, height)
        estimator.runtime.patient = False  # from now on frames of all cameras would wait
        return estimator

    def use(self, estimator: DepthEstimator, config: Config) -> None:
        """Go on with another network, between two frames, and free the present one."""
        present, self.estimator = self.estimator, estimator
        with self._depth_worker.resting():
            for stream in self.streams.values():
                stream.use(estimator)
            self._latency.clear()
            if present is not None:
                present.close()
        self._put_in_force(config.replaced({'preset': estimator.preset}))
        self.get_logger().info(f'{config.model}: {estimator.spec.description}')
        self.publish_status()

    def _put_in_force(self, config: Config) -> None:
        """Let configuration and parameters say what the node works with."""
        self.config = config  # first: that a parameter is what is in force is never refused
        self.set_parameters([Parameter(name, value=getattr(config, name)) for name in _SWITCHED])

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work."""
        for stream in self.streams.values():
            stream.active = True
        self._depth_worker.start(list(self.streams.values()))
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish the frame at hand; the model stays."""
        self._depth_worker.stop()
        for stream in self.streams.values():
            stream.rest()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and close the topics."""
        self._close()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop whatever runs."""
        self._depth_worker.stop()
        self._close()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave nothing of a transition that went wrong."""
        self._depth_worker.stop()
        self._close()
        return super().on_error(state)

    def _close(self) -> None:
        for timer in self._clockwork:
            self.destroy_timer(timer)
        for stream in self.streams.values():
            stream.destroy()
        if self.estimator is not None:
            self.estimator.close()
        self._latency.clear()
        self.streams.clear()
        self._clockwork, self.estimator = [], None

    def idle(self, within: float) -> bool:
        """Stop to work; whether no other thread is at it any more after so many seconds."""
        for stream in self.streams.values():
            stream.continuous.end()
        following = any(stream.continuous.running for stream in self.streams.values())
        others = self.switch.running or self._requests.running or following
        return self._depth_worker.stop(within) and not others

    def destroy_node(self) -> None:
        """End the threads before what they use goes."""
        self._depth_worker.stop()
        self._close()
        super().destroy_node()

    def status(self) -> DepthStatus:
        """What the node is, without a stamp; empty when it is not configured."""
        return depth_status(list(self.streams.values())) if self.streams else DepthStatus()

    def publish_status(self) -> None:
        """Say on ~/status what the node is, where that is new."""
        self._status_topic.publish(self.status())

    def _reconfigure(self, config: Config) -> None:
        for stream in self.streams.values():
            stream.reconfigure(config)
        self.config = config

    def _look(self) -> None:
        """What changes without a word: publishers, a calibration loaded, a preset cut back."""
        if self.estimator is not None and self.estimator.preset != self.config.preset:
            self._put_in_force(self.config.replaced({'preset': self.estimator.preset}))
        self.publish_status()
        for stream in self.streams.values():
            for subscription in [*stream.subscriptions, *stream.sensors.subscriptions]:
                subscription.check()

    def _diagnose(self, diagnostics: Diagnostics) -> None:
        now = self.get_clock().now().to_msg()
        self._diagnostics_topic.publish(diagnostics.message(list(self.streams.values()), now))


def _spin_once(executor: SingleThreadedExecutor, node: DepthNode) -> None:
    try:
        executor.spin_once(timeout_sec=0.5)
    except rclpy_implementation.RCLError as error:
        # rclpy of Humble and Jazzy lets a transition escape that is not possible from here.
        if not rclpy.ok():
            return
        node.get_logger().error(f'{error}: ros2 lifecycle get {node.get_fully_qualified_name()}')


def main(args: Sequence[str] | None = None, view: View | None = None) -> int:
    """Run the node, which shows depth in `view`, until told to stop; 1: it could not start."""
    # As Ctrl-C: it must not wait for a model that is being prepared, either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rclpy.init(args=args)
        node = DepthNode(view)
    except (ValueError, RuntimeError) as error:  # rclpy's: of arguments that ROS cannot read
        kind = '' if isinstance(error, ValueError) else f'{type(error).__name__}: '
        rclpy.logging.get_logger('depth_estimation').error(f'{kind}{error}')
        rclpy.try_shutdown()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.config.autostart and not node.autostart():
            return 1
        # Not executor.spin(): a signal just before its endless wait would be slept through.
        while rclpy.ok():
            _spin_once(executor, node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # launch repeats them
            signal.signal(number, signal.SIG_IGN)
        idle = node.idle(_PATIENCE)
        if idle:
            node.destroy_node()
        rclpy.try_shutdown()
    if not idle:
        # Inside torch, say: an interpreter that ends around it aborts.
        sys.stderr.flush()
        os._exit(0)
    return 0


if __name__ == '__main__':
    sys.exit(main())
