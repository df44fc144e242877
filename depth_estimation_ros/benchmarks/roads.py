# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The roads of a frame that the pipeline benchmark compares, each in a process of its own.

All get the same message and run the same network, whose time is not counted.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
import sensor_msgs.msg
import torch
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Header
from torch import Tensor, nn

from depth_estimation_ros import messages
from depth_estimation_ros.benchmarks.picture import picture
from depth_estimation_ros.benchmarks.pipeline import NETWORKS, TOPICS
from depth_estimation_ros.calibration import Calibration, Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import Config
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, Frame
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.models import catalog, weights
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.ros.outputs import Outputs, qos
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

_WIDTH, _HEIGHT = 640, 480
_CAMERA = Camera(
    _WIDTH, _HEIGHT, 525.0, 525.0, 319.5, 239.5, 'plumb_bob', (-0.1, 0.02, 0.001, 0.0, 0.0)
)
_FIT = Fit(DepthKind.RELATIVE, 0.042, -0.17, (0.0, 0.0, 0.0), 0.0, 0.0, 3, 3, 0.0)
_PAUSE = 0.02  # seconds between frames, in which the subscriber takes what was published

Road = Callable[[Any], None]


def serve(role: str, network: str, namespace: str) -> None:
    """Run as many frames as each line of standard input says, and print their seconds as JSON.

    A line of 0 is answered with the median milliseconds of each stage.
    """
    rclpy.init()
    node = rclpy.create_node('depth_estimation', namespace=namespace)
    height, width, multiple = NETWORKS[network]
    spec = dataclasses.replace(
        catalog.spec('bundled-relative'), height=height, width=width, multiple=multiple
    )
    clocked, latency = _Clocked(weights.load(spec)), Latency()
    runtime = TorchRuntime(FromPixels(clocked, spec))  # also folds the network
    if role == 'ours':
        road = _ours(node, DepthEstimator(spec, runtime, latency=latency), latency)
    else:
        road = _usual(node, spec, clocked, latency)
    message = _message()
    _await_listener(node)
    for line in sys.stdin:
        seconds = [_timed(road, message, clocked) for _ in range(int(line))]
        stages = {stage: p50 * 1e3 for stage, (p50, _, _) in latency.percentiles().items()}
        print(json.dumps(seconds or stages), flush=True)


def _await_listener(node: Node) -> None:
    deadline = time.monotonic() + 60.0
    topics = [f'{node.get_namespace()}/depth_estimation/{topic}' for topic in TOPICS]
    while not all(map(node.count_subscribers, topics)):
        if time.monotonic() > deadline:
            raise TimeoutError('the process that listens did not appear within 60 s')
        time.sleep(0.1)
    time.sleep(0.5)  # from discovered to connected


class _Clocked(nn.Module):
    """A network, and the time that it takes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seconds = 0.0

    def forward(self, images: Tensor) -> Tensor:
        """[1, 3, h, w] normalised in, [1, h, w] out."""
        started = time.perf_counter()
        answer: Tensor = self.network(images)
        self.seconds += time.perf_counter() - started
        return answer


def _timed(road: Road, message: Any, network: _Clocked) -> float:
    """Seconds of one frame without the network's."""
    time.sleep(_PAUSE)
    network.seconds = 0.0
    started = time.perf_counter()
    road(message)
    return time.perf_counter() - started - network.seconds


def _ours(node: Node, estimator: DepthEstimator, latency: Latency) -> Road:
    config = Config()
    pipeline = DepthPipeline(estimator, (config.range.min, config.range.max), latency)
    pipeline.calibration = Calibration(_FIT, estimator.spec.name, _CAMERA, 0)
    outputs = Outputs(node, '', config, latency)
    info = sensor_msgs.msg.CameraInfo()
    messages.fill_camera_info(info, _CAMERA)

    def road(message: Any) -> None:
        with latency.stage('decode'):
            image = messages.decode_image(message)
            camera = messages.camera_from_info(info, message.width, message.height)
            frame = Frame(image, 0, message.header.frame_id, camera)
        outputs.publish(pipeline.process(frame), message.header)

    return road


def _usual(node: Node, spec: ModelSpec, network: _Clocked, latency: Latency) -> Road:
    from depth_estimation_ros.benchmarks.usual import UsualRoad

    publishers = {
        topic: node.create_publisher(getattr(sensor_msgs.msg, message), f'~/{topic}', qos())
        for topic, message in TOPICS.items()
    }

    def publish(topic: str, message: Any) -> None:
        publishers[topic].publish(message)

    @torch.inference_mode()
    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
        return answer

    return UsualRoad(spec, run, _CAMERA, _FIT, publish, latency).process


def _message() -> Any:
    message = sensor_msgs.msg.Image(header=Header(frame_id='camera'))
    messages.fill_image(message, picture(_WIDTH, _HEIGHT), 'rgb8')
    message.encoding = 'bgr8'
    return message
