# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Outputs on a real node, heard by a real subscriber over DDS."""

import dataclasses

import numpy as np
import pytest
import rclpy
import torch
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from depth_estimation_ros import messages
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.colorize import SettlingRange, colorize, colorize_inverse
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.pointcloud import cloud
from depth_estimation_ros.ros.outputs import Outputs
from depth_estimation_ros.runtimes.device_array import DeviceArray, Uploads
from depth_estimation_ros.runtimes.torch_operations import TorchOperations

TOPICS = {
    'depth/image': Image,
    'depth/camera_info': CameraInfo,
    'inverse_depth/image': Image,
    'colorized/image': Image,
    'colorized/image/compressed': CompressedImage,
    'points': PointCloud2,
}
CAMERA = Camera(64, 48, 60.0, 61.0, 31.0, 24.0, 'plumb_bob', (-0.1, 0.02, 0.0, 0.0, 0.0))
HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id='front_optical')


class Graph:
    """A node with outputs, another that listens, and what it heard."""

    def __init__(self, spin_until):
        self.node = rclpy.create_node('depth_estimation')
        self.listener = rclpy.create_node('listener')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.listener)
        self.heard = {}
        self.latency = Latency()
        self._spin_until = spin_until

    def outputs(self, name='', **values):
        return Outputs(self.node, name, Config.from_values(values), self.latency)

    def listen(self, *topics):
        for topic in topics:
            kind = next(kind for name, kind in TOPICS.items() if topic.endswith(name))
            name = f'/depth_estimation/{topic}'
            self.listener.create_subscription(
                kind, name, lambda msg, topic=topic: self.heard.__setitem__(topic, msg), 1
            )
            self.until(lambda name=name: self.node.count_subscribers(name), f'{topic} connects')

    def until(self, condition, what):
        self._spin_until(self.executor, condition, what)

    def hear(self, outputs, depth_map, *topics):
        """Publish until all topics were heard; the newest message of each."""
        self.heard.clear()

        def complete():
            outputs.publish(depth_map, HEADER)
            return set(topics) <= set(self.heard)

        self.until(complete, f'{topics} are heard')
        return [self.heard[topic] for topic in topics]

    def silent(self, *topics):
        """Whether nothing was heard there, after time enough for it to arrive."""
        for _ in range(20):
            self.executor.spin_once(timeout_sec=0.02)
        return not set(topics) & set(self.heard)


@pytest.fixture
def graph(ros, spin_until):
    graph = Graph(spin_until)
    yield graph
    graph.executor.shutdown()
    graph.listener.destroy_node()
    graph.node.destroy_node()


def frame(camera=CAMERA):
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Frame(image, 12_000_000_345, 'front_optical', camera)


@pytest.fixture
def metric():
    depth = np.linspace(0.2, 9.0, 48 * 64, dtype=np.float32).reshape(48, 64)
    depth[:4, :12] = np.repeat([np.nan, np.inf, -np.inf], 4).astype(np.float32)
    return DepthMap(frame(), Prediction(depth, DepthKind.METRIC), depth)


@pytest.fixture
def relative():
    values = np.random.default_rng(2).uniform(100.0, 900.0, (48, 64)).astype(np.float32)
    return DepthMap(frame(), Prediction(values, DepthKind.RELATIVE), None)


def test_every_output_carries_its_values_and_the_header(graph, metric):
    outputs = graph.outputs()
    graph.listen(*TOPICS)
    heard = graph.hear(outputs, metric, *(set(TOPICS) - {'inverse_depth/image'}))
    assert all(msg.header == HEADER for msg in heard)
    depth, info, points = (graph.heard[n] for n in ('depth/image', 'depth/camera_info', 'points'))
    assert depth.encoding == '32FC1'
    np.testing.assert_array_equal(messages.decode_depth(depth), metric.depth)
    np.testing.assert_array_equal(messages.camera_from_info(info, 64, 48).rays(), CAMERA.rays())
    expected = cloud(metric.depth, CAMERA.rays(), metric.frame.image, Config().points.edges)
    received = np.frombuffer(points.data, np.float32).reshape(48, 64, 4)
    np.testing.assert_array_equal(received.view(np.uint32), expected.view(np.uint32))
    colours = colorize(metric.depth, 0.3, 8.0)
    painted = messages.decode_image(graph.heard['colorized/image'])
    np.testing.assert_array_equal(painted, colours)
    jpeg = messages.decode_compressed(graph.heard['colorized/image/compressed'])
    assert np.abs(jpeg.astype(float) - colours).mean() < 4.0


def test_answers_on_a_device_are_published_as_those_in_main_memory(graph, metric, relative):
    place = torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')

    def there(depth_map):
        depth = depth_map.depth
        values = depth_map.prediction.values
        prediction = Prediction(
            DeviceArray(torch.from_numpy(values.copy()).to(place)),
            depth_map.prediction.kind,
            TorchOperations(Uploads(place)),
        )
        if depth is not None:
            depth = prediction.operations.metres(prediction.values, None, 0.0, 100.0)
        return dataclasses.replace(depth_map, prediction=prediction, depth=depth)

    outputs = graph.outputs()
    graph.listen('depth/image', 'points', 'colorized/image', 'inverse_depth/image')
    for depth_map, topics in (
        (metric, ('depth/image', 'points', 'colorized/image')),
        (relative, ('inverse_depth/image', 'colorized/image')),
    ):
        outputs.settle_anew()
        for _ in range(2):  # a message of before may still be under way
            expected = graph.hear(outputs, depth_map, *topics)
        outputs.settle_anew()
        for _ in range(2):
            heard = graph.hear(outputs, there(depth_map), *topics)
        for ours, wanted in zip(heard, expected, strict=True):
            same = np.asarray(ours.data) == np.asarray(wanted.data)
            assert same.mean() > 0.999  # of colours a neighbour in the table, here and there


def test_a_metric_model_has_no_inverse_depth(graph, metric):
    outputs = graph.outputs()
    graph.listen('inverse_depth/image', 'depth/image')
    graph.hear(outputs, metric, 'depth/image')
    assert graph.silent('inverse_depth/image')


def test_a_relative_model_without_calibration_has_no_metres(graph, relative):
    outputs = graph.outputs()
    graph.listen(*TOPICS)
    inverse, painted, _ = graph.hear(
        outputs, relative, 'inverse_depth/image', 'colorized/image', 'colorized/image/compressed'
    )
    np.testing.assert_array_equal(messages.decode_depth(inverse), relative.prediction.values)
    low, high = SettlingRange().update(relative.prediction.values)
    expected = colorize_inverse(relative.prediction.values, low, high)
    np.testing.assert_array_equal(messages.decode_image(painted), expected)
    assert graph.silent('depth/image', 'depth/camera_info', 'points')


def test_a_calibrated_relative_model_has_both(graph, relative, metric):
    calibrated = dataclasses.replace(relative, depth=metric.depth)
    outputs = graph.outputs()
    graph.listen('inverse_depth/image', 'depth/image', 'colorized/image')
    inverse, depth, painted = graph.hear(
        outputs, calibrated, 'inverse_depth/image', 'depth/image', 'colorized/image'
    )
    np.testing.assert_array_equal(messages.decode_depth(inverse), relative.prediction.values)
    np.testing.assert_array_equal(messages.decode_depth(depth), metric.depth)
    np.testing.assert_array_equal(messages.decode_image(painted), colorize(metric.depth, 0.3, 8.0))


def test_only_what_is_subscribed_to_is_computed(graph, metric):
    outputs = graph.outputs()
    assert not outputs.wanted()
    graph.listen('depth/camera_info')
    graph.until(outputs.wanted, 'the subscription is seen')
    graph.hear(outputs, metric, 'depth/camera_info')
    for topic in outputs._topics.values():
        data = getattr(topic.message, 'data', [])
        assert len(data) == 0


def test_nobody_wants_anything_once_the_context_has_ended(ros):
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node('depth_estimation', context=context)
    outputs = Outputs(node, '', Config(), Latency())
    context.shutdown()  # as Ctrl-C does, whatever the worker is at
    assert not outputs.wanted()
    outputs.destroy()
    node.destroy_node()


def test_without_camera_there_is_depth_but_no_cloud(graph, metric):
    unknown = dataclasses.replace(metric, frame=frame(camera=None))
    outputs = graph.outputs()
    graph.listen('depth/image', 'points', 'depth/camera_info')
    graph.hear(outputs, unknown, 'depth/image')
    assert graph.silent('points', 'depth/camera_info')


def test_live_parameters_change_the_next_frame(graph, metric):
    outputs = graph.outputs()
    graph.listen('depth/image', 'colorized/image')
    graph.hear(outputs, metric, 'depth/image', 'colorized/image')
    outputs.config = Config.from_values({
        'depth.encoding': '16UC1', 'colorize.min': 1.0, 'colorize.max': 2.0,
        'colorize.colormap': 'gray',
    })  # fmt: skip
    for _ in range(2):  # a message of the old kind may still be under way
        depth, painted = graph.hear(outputs, metric, 'depth/image', 'colorized/image')
    expected = np.where(np.isfinite(metric.depth), metric.depth, np.nan)
    np.testing.assert_allclose(messages.decode_depth(depth), expected, atol=0.00051)
    np.testing.assert_array_equal(
        messages.decode_image(painted), colorize(metric.depth, 1.0, 2.0, 'gray')
    )


def test_the_mask_of_flying_points_is_live(graph, metric):
    depth = np.tile(np.linspace(1.0, 1.2, 64, dtype=np.float32), (48, 1))
    depth[:, 32:] += 2.0
    depth[:, 30:34] = np.linspace(depth[0, 29], depth[0, 34], 6, dtype=np.float32)[1:5]
    ramp = dataclasses.replace(metric, depth=depth)
    outputs = graph.outputs()
    graph.listen('points')
    known = []
    for edges in (0.5, 0.01, 0.0):
        outputs.config = Config.from_values({'points.edges': edges})
        for _ in range(2):  # a message of the old kind may still be under way
            (points,) = graph.hear(outputs, ramp, 'points')
        received = np.frombuffer(points.data, np.float32).reshape(48, 64, 4)
        known.append(int(np.isfinite(received[..., 2]).sum()))
    assert known[1] < known[0] == known[2] == 48 * 64


def test_a_named_camera_has_a_namespace(graph, metric):
    outputs = graph.outputs('front')
    graph.listen(*(f'front/{topic}' for topic in TOPICS))
    graph.hear(outputs, metric, 'front/depth/image', 'front/points')
    outputs.destroy()
    remaining = dict(graph.node.get_publisher_names_and_types_by_node('depth_estimation', '/'))
    assert not [name for name in remaining if name.startswith('/depth_estimation/front/')]


def test_quality_of_service(graph):
    outputs = graph.outputs()
    graph.listen(*TOPICS)
    for topic in TOPICS:
        (info,) = graph.node.get_publishers_info_by_topic(f'/depth_estimation/{topic}')
        assert info.qos_profile.reliability is ReliabilityPolicy.RELIABLE
        assert info.qos_profile.durability is DurabilityPolicy.VOLATILE
    assert {topic.publisher.topic_name for topic in outputs._topics.values()} == {
        f'/depth_estimation/{topic}' for topic in TOPICS
    }


def test_quality_of_service_can_be_overridden(graph):
    name = 'qos_overrides./depth_estimation/depth/image.publisher'
    graph.node.destroy_node()
    overrides = [
        Parameter(f'{name}.reliability', value='best_effort'),
        Parameter(f'{name}.depth', value=3),
    ]
    graph.node = rclpy.create_node('depth_estimation', parameter_overrides=overrides)
    graph.outputs()
    (info,) = graph.node.get_publishers_info_by_topic('/depth_estimation/depth/image')
    assert info.qos_profile.reliability is ReliabilityPolicy.BEST_EFFORT
    (other,) = graph.node.get_publishers_info_by_topic('/depth_estimation/points')
    assert other.qos_profile.reliability is ReliabilityPolicy.RELIABLE
    assert graph.node.get_parameter(f'{name}.history').value == 'keep_last'
