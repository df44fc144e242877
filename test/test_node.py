# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node on a real ROS graph: what it publishes, answers and lets change."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest
import torch

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import ReliabilityPolicy  # noqa: E402
from rig import CAMERA, Rig, image_message, info_message, rendered  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, PointCloud2  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from depth_estimation_interfaces.msg import DepthStatus  # noqa: E402
from depth_estimation_interfaces.srv import (  # noqa: E402
    CalibrateScale,
    GetDistance,
)
from depth_estimation_ros import messages  # noqa: E402
from depth_estimation_ros.edges import flying  # noqa: E402


@pytest.fixture
def start(ros):
    rigs = []

    def begin(**options) -> Rig:
        rig = Rig(**options)
        rigs.append(rig)
        assert rig.node.autostart()
        rig.connect()
        return rig

    yield begin
    for rig in rigs:
        rig.close()


@pytest.fixture(scope='module')
def scene():
    return rendered()


def pixels(depth: np.ndarray, count: int = 12) -> tuple[list[float], list[float], list[float]]:
    """Pixels spread over the range of depths, away from borders, with their depth."""
    inner = depth[20:-20, 20:-20]
    order = np.argsort(inner, axis=None)
    chosen = order[np.linspace(order.size * 0.05, order.size * 0.95, count).astype(int)]
    v, u = (index + 20 for index in np.unravel_index(chosen, inner.shape))
    return u.astype(float).tolist(), v.astype(float).tolist(), depth[v, u].astype(float).tolist()


def test_a_metric_model_publishes_depth_colour_and_cloud_under_the_images_header(start, scene):
    rig = start(model='bundled')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    infos = rig.listen(CameraInfo, '/depth_estimation/depth/camera_info')
    colours = rig.listen(Image, '/depth_estimation/colorized/image')
    clouds = rig.listen(PointCloud2, '/depth_estimation/points')
    message = image_message(scene[0], 123_000_000_456)
    rig.send(message, info_message(message))
    rig.until(lambda: depths and infos and colours and clouds, 'all outputs')
    for output in (depths[0], infos[0], colours[0], clouds[0]):
        assert output.header == message.header
    depth = messages.decode_depth(depths[0])
    assert depths[0].encoding == '32FC1'
    error = np.abs(depth - scene[1]) / scene[1]
    assert np.nanmedian(error) < 0.3
    camera = messages.camera_from_info(infos[0], 320, 240)
    assert camera == CAMERA
    points = np.frombuffer(clouds[0].data, np.float32).reshape(240, 320, 4)
    expected = np.dstack([CAMERA.rays() * depth[..., None], depth])
    gone = flying(depth, rig.node.config.points.edges)
    assert 0.0 < gone.mean() < 0.1
    expected[gone] = np.nan
    np.testing.assert_allclose(points[..., :3], expected, rtol=1e-5)


def test_a_relative_model_publishes_no_metres_until_it_is_calibrated(start, scene):
    rig = start(model='bundled-relative')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    clouds = rig.listen(PointCloud2, '/depth_estimation/points')
    inverse = rig.listen(Image, '/depth_estimation/inverse_depth/image')
    statuses = rig.listen(DepthStatus, '/depth_estimation/status', latched=True)
    for stamp in (1, 2, 3):
        message = image_message(scene[0], stamp * 10**9)
        rig.send(message, info_message(message))
        rig.until(lambda stamp=stamp: len(inverse) >= stamp, 'inverse depth')
    rig.spin(0.3)
    assert not depths
    assert not clouds
    refused = rig.ask(GetDistance, 'get_distance', u=[10.0], v=[10.0])
    assert not refused.success
    assert 'calibrate_scale' in refused.message
    assert not refused.depth
    assert statuses[-1].depth_kind == 'relative'
    assert 'calibrate_scale' in statuses[-1].hint
    u, v, z = pixels(scene[1])
    fitted = rig.ask(CalibrateScale, 'calibrate_scale', u=u, v=v, distance=z)
    assert fitted.success, fitted.message
    assert fitted.references == len(u)
    rig.send(image_message(scene[0], 4 * 10**9))
    rig.until(lambda: depths and clouds, 'metres after calibration')
    rig.until(lambda: statuses[-1].depth_kind == 'calibrated', 'status says calibrated')
    assert statuses[-1].hint == ''
    assert statuses[-1].scale[0] == fitted.scale
    error = np.abs(messages.decode_depth(depths[-1]) - scene[1]) / scene[1]
    assert np.nanmedian(error) < 0.25


def test_a_calibration_is_not_applied_to_another_lens_that_camera_info_tells_meanwhile(
    start, scene
):
    rig = start(model='bundled-relative')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    inverse = rig.listen(Image, '/depth_estimation/inverse_depth/image')
    statuses = rig.listen(DepthStatus, '/depth_estimation/status', latched=True)
    zoomed = dataclasses.replace(CAMERA, fx=1.5 * CAMERA.fx, fy=1.5 * CAMERA.fy)

    def see(stamp, camera):
        message = image_message(scene[0], stamp * 10**9)
        rig.send(message, info_message(message, camera))
        rig.until(lambda: len(inverse) == stamp, 'inverse depth')

    see(1, CAMERA)
    u, v, z = pixels(scene[1])
    assert rig.ask(CalibrateScale, 'calibrate_scale', u=u, v=v, distance=z).success
    see(2, CAMERA)
    rig.until(lambda: len(depths) == 1, 'metres')
    see(3, zoomed)
    rig.until(lambda: 'of another lens' in statuses[-1].hint, 'the status says why')
    answer = rig.ask(GetDistance, 'get_distance', u=u, v=v)
    assert not answer.success
    assert len(depths) == 1
    see(4, CAMERA)
    rig.until(lambda: len(depths) == 2, 'metres again')
    rig.until(lambda: not statuses[-1].hint, 'the status says nothing')
    assert rig.ask(GetDistance, 'get_distance', u=u, v=v).success


def test_distances_agree_with_the_published_depth_and_the_lens(start, scene):
    rig = start(model='bundled')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    message = image_message(scene[0])
    rig.send(message, info_message(message))
    rig.until(lambda: depths, 'depth')
    u, v, _ = pixels(scene[1])
    u.append(320.0)  # one column too far
    v.append(10.0)
    answer = rig.ask(GetDistance, 'get_distance', u=u, v=v, window=1, stamp=message.header.stamp)
    assert answer.success, answer.message
    assert answer.header == message.header
    depth = messages.decode_depth(depths[0])
    for i in range(len(u) - 1):
        assert answer.depth[i] == depth[int(v[i]), int(u[i])]
        ray = np.append(CAMERA.unproject(u[i], v[i])[0], 1.0)
        assert answer.distance[i] == pytest.approx(answer.depth[i] * np.linalg.norm(ray))
        assert answer.points[i].z == answer.depth[i]
    assert list(answer.status) == [GetDistance.Response.OK] * 12 + [
        GetDistance.Response.OUTSIDE_IMAGE
    ]
    assert np.isnan(answer.depth[-1])
    unknown = rig.ask(
        GetDistance, 'get_distance', u=u, v=v, stamp=rclpy.time.Time(seconds=77).to_msg()
    )
    assert not unknown.success
    assert 'distance.history' in unknown.message


def test_without_subscribers_the_network_runs_only_when_a_service_asks(start, scene):
    rig = start(model='bundled')
    nothing = rig.ask(GetDistance, 'get_distance', u=[1.0], v=[1.0])
    assert not nothing.success
    assert '/image' in nothing.message
    for stamp in range(1, 6):
        rig.send(image_message(scene[0], stamp))
        rig.until(
            lambda stamp=stamp: rig.node.streams[''].received == stamp, f'image {stamp} arrives'
        )
    assert rig.node.streams[''].processed == 0
    assert rig.node.streams[''].dropped == 0
    answer = rig.ask(GetDistance, 'get_distance', u=[100.0], v=[100.0])
    assert answer.success
    assert answer.header.stamp.nanosec == 5
    assert rig.node.streams[''].processed == 1
    assert 'camera_info' in answer.message
    assert np.isnan(answer.distance[0])
    assert answer.depth[0] > 0


def test_a_calibration_is_saved_found_again_and_cleared(start, scene, tmp_path):
    options = {'model': 'bundled-relative', 'calibration__directory': str(tmp_path / 'kept')}
    rig = start(**options)
    message = image_message(scene[0])
    info = info_message(message)
    rig.send(message, info)
    rig.until(lambda: rig.node.streams[''].received, 'image arrives')
    refused = rig.ask(Trigger, 'save_calibration')
    assert not refused.success
    u, v, z = pixels(scene[1])
    rays = np.sqrt(1 + (CAMERA.unproject(u, v) ** 2).sum(axis=1))
    fitted = rig.ask(
        CalibrateScale,
        'calibrate_scale',
        u=u,
        v=v,
        distance=(z * rays).tolist(),
        along_ray=True,
        save=True,
    )
    assert fitted.success, fitted.message
    again = rig.ask(CalibrateScale, 'calibrate_scale', u=u, v=v, distance=z)
    assert again.scale == pytest.approx(fitted.scale)
    rig.close()
    rig = start(**options)
    statuses = rig.listen(DepthStatus, '/depth_estimation/status', latched=True)
    rig.until(lambda: statuses, 'status')
    rig.send(message, info)
    rig.until(lambda: rig.node.streams[''].received, 'image arrives')
    found = rig.ask(GetDistance, 'get_distance', u=u, v=v)
    rig.until(lambda: statuses[-1].depth_kind == 'calibrated', 'status tells', timeout=3.0)
    assert statuses[-1].hint == ''
    assert found.success, found.message
    assert np.median(np.abs(np.array(found.depth) - z) / z) < 0.2
    assert all(deviation > 0 for deviation in found.std_dev)
    assert rig.ask(Trigger, 'clear_calibration').success
    assert not rig.ask(GetDistance, 'get_distance', u=u, v=v).success


def test_parameters_are_described_checked_and_live_ones_take_effect(start, scene):
    rig = start(model='bundled')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    rig.send(image_message(scene[0]))
    rig.until(lambda: depths, 'depth')
    assert rig.node.describe_parameter('range.max').description
    (taken,) = rig.node.set_parameters([Parameter('range.max', value=1)])
    assert taken.successful, taken.reason
    (taken,) = rig.node.set_parameters([Parameter('depth.encoding', value='16UC1')])
    assert taken.successful, taken.reason
    rig.send(image_message(scene[0], 5))
    rig.until(lambda: len(depths) == 2, 'depth again')
    assert depths[1].encoding == '16UC1'
    metres = messages.decode_depth(depths[0])
    again = messages.decode_depth(depths[1])
    assert np.isnan(again[metres > 1.001]).all()
    for name, value, reason in (
        ('model', 'meter-nyu-xxs', 'configured'),
        ('range.min', 2.0, 'below'),
        ('depth.encoding', 'bgr8', 'one of'),
        ('colorize.jpeg_quality', 101, ''),
        ('range.max', 'far', ''),
    ):
        (refused,) = rig.node.set_parameters([Parameter(name, value=value)])
        assert not refused.successful
        assert reason in refused.reason


def test_the_lifecycle_stops_and_resumes_work(start, scene):
    rig = start(model='bundled')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    rig.node.trigger_deactivate()
    rig.send(image_message(scene[0], 1))
    rig.spin(0.5)
    assert not depths
    refused = rig.ask(GetDistance, 'get_distance', u=[1.0], v=[1.0])
    assert 'not active' in refused.message
    rig.node.trigger_activate()
    rig.until(lambda: depths, 'depth once active')
    rig.node.trigger_deactivate()
    rig.node.trigger_cleanup()
    assert rig.node.estimator is None
    (taken,) = rig.node.set_parameters([Parameter('model', value='bundled-relative')])
    assert taken.successful, taken.reason
    assert rig.node.autostart()
    assert rig.node.estimator.spec.name == 'bundled-relative'


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_the_subscription_takes_the_reliability_of_the_camera(start, scene, reliability):
    rig = start(model='bundled', reliability=reliability)
    rig.until(
        lambda: (
            rig.node.streams[''].subscriptions[0].reliability
            is getattr(ReliabilityPolicy, reliability.upper())
        ),
        'reliability decided',
    )
    rig.connect()
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    for stamp in range(1, 20):
        rig.send(image_message(scene[0], stamp))
        rig.spin(0.2)
        if depths:
            return
    pytest.fail('no image got through')


def test_diagnostics_tell_rate_latency_memory_and_calibration(start, scene):
    rig = start(model='bundled-relative', diagnostics__period=0.2)
    said = rig.listen(DiagnosticArray, '/diagnostics')
    rig.listen(Image, '/depth_estimation/colorized/image')
    message = image_message(scene[0])
    rig.send(message, info_message(message))
    rig.until(lambda: rig.node.streams[''].processed, 'frame processed')
    u, v, z = pixels(scene[1])
    assert rig.ask(CalibrateScale, 'calibrate_scale', u=u, v=v, distance=z).success
    seen = len(said)
    rig.until(lambda: len(said) > seen + 1, 'diagnostics')
    values = {pair.key: pair.value for pair in said[-1].status[0].values}
    assert values['frames received'] == values['frames processed'] == '1'
    assert values['frames dropped'] == '0'
    assert (values['model'], values['preset']) == ('bundled-relative', 'full')
    assert values['runtime'] == rig.node.status().runtime
    assert float(values['memory (MB)']) > 50
    assert ('VRAM used / reserved / total (MB)' in values) == torch.cuda.is_available()
    assert float(values['calibration residual']) >= 0
    for stage in ('decode', 'preprocess', 'network', 'restore', 'total'):
        assert f'{stage} p50/p95/p99 (ms)' in values
    key = 'calibration against known depths'
    assert values[key] == 'not checked'
    rig.send(image_message(scene[0], 2_000_000_000))
    rig.until(
        lambda: any(
            pair.value.startswith('holds') for pair in said[-1].status[0].values if pair.key == key
        ),
        'the anchors are checked',
    )


def test_diagnostics_tell_a_camera_that_fell_silent_after_frames_nobody_wanted(start, scene):
    rig = start(model='bundled', diagnostics__period=0.2)
    said = rig.listen(DiagnosticArray, '/diagnostics')
    rig.send(image_message(scene[0]))
    rig.until(lambda: rig.node.streams[''].received, 'image arrives')
    rig.until(lambda: said and said[-1].status[0].message == 'working', 'working')
    rig.until(lambda: 'no image arrives on /image' in said[-1].status[0].message, 'silence', 3.0)


def test_a_calibration_that_comes_while_a_frame_is_under_way_holds_for_it(start, scene):
    rig = start(model='bundled-relative')
    stream = rig.node.streams['']
    rig.send(image_message(scene[0], 1))
    rig.until(lambda: stream.received, 'image arrives')
    u, v, z = pixels(scene[1])
    assert rig.ask(CalibrateScale, 'calibrate_scale', u=u, v=v, distance=z).success
    calibration = stream.calibration
    stream.calibrate(None)
    finish = stream.finish

    def interrupted(taken, depth_map):
        stream.calibrate(calibration)
        finish(taken, depth_map)

    stream.finish = interrupted
    rig.send(image_message(scene[0], 2))
    rig.until(lambda: stream.received == 2, 'image arrives')
    answer = rig.ask(GetDistance, 'get_distance', u=u, v=v)
    assert answer.success, answer.message
    assert answer.header.stamp.nanosec == 2


def test_a_question_during_the_first_frame_waits_for_it(start, scene):
    rig = start(model='bundled')
    predict, entered = rig.node.estimator.predict, threading.Event()

    def slow(images):
        entered.set()
        time.sleep(1.0)
        return predict(images)

    rig.node.estimator.predict = slow
    rig.listen(Image, '/depth_estimation/depth/image')
    rig.send(image_message(scene[0]))
    rig.until(entered.is_set, 'the frame is under way')
    answer = rig.ask(GetDistance, 'get_distance', u=[100.0], v=[100.0])
    assert answer.success, answer.message


def test_a_changed_range_holds_for_the_frames_that_are_kept(start, scene):
    rig = start(model='bundled')
    rig.send(image_message(scene[0]))
    rig.until(lambda: rig.node.streams[''].received, 'image arrives')
    u, v, _ = pixels(scene[1])
    found = rig.ask(GetDistance, 'get_distance', u=u, v=v)
    limit = float(np.median(found.depth))
    assert rig.node.set_parameters([Parameter('range.max', value=limit)])[0].successful
    again = rig.ask(GetDistance, 'get_distance', u=u, v=v)
    far = np.array(found.depth) > limit * 1.01
    assert far.any()
    assert (np.array(again.status)[far] == GetDistance.Response.TOO_FAR).all()


def test_reliability_is_decided_and_diagnostics_are_told_also_before_the_clock_runs(start):
    rig = start(model='bundled', reliability='best_effort', use_sim_time=True)
    said = rig.listen(DiagnosticArray, '/diagnostics')
    image = rig.node.streams[''].subscriptions[0]
    rig.until(lambda: image.reliability is ReliabilityPolicy.BEST_EFFORT, 'decided', timeout=4.0)
    rig.until(lambda: said, 'diagnostics', timeout=4.0)


def test_quality_of_service_of_every_published_topic_can_be_overridden(start):
    rig = start(model='bundled')
    for topic in ('/diagnostics', '/depth_estimation/status', '/depth_estimation/points'):
        assert rig.node.has_parameter(f'qos_overrides.{topic}.publisher.depth')


def test_the_stamp_of_an_image_that_just_came_can_be_asked_for(start, scene):
    rig = start(model='bundled')
    for stamp in (7, 8):
        rig.send(image_message(scene[0], stamp))
        rig.until(lambda stamp=stamp: rig.node.streams[''].received == stamp - 6, 'image arrives')
    wanted = rclpy.time.Time(nanoseconds=8).to_msg()
    answer = rig.ask(GetDistance, 'get_distance', u=[100.0], v=[100.0], stamp=wanted)
    assert answer.success, answer.message
    assert answer.header.stamp == wanted
    exact = rclpy.time.Time(nanoseconds=1795234032_123456789).to_msg()
    refused = rig.ask(GetDistance, 'get_distance', u=[100.0], v=[100.0], stamp=exact)
    assert '1795234032.123456789' in refused.message
    assert '0.000000008' in refused.message


def test_images_of_an_inactive_node_are_no_drops_and_diagnostics_say_it_is_inactive(start, scene):
    rig = start(model='bundled', diagnostics__period=0.1)
    said = rig.listen(DiagnosticArray, '/diagnostics')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    rig.node.trigger_deactivate()
    for stamp in range(1, 5):
        rig.send(image_message(scene[0], stamp))
        rig.until(lambda stamp=stamp: rig.node.streams[''].received == stamp, 'image arrives')
    inactive = 'diagnostics say it'
    rig.until(lambda: said and 'not active' in said[-1].status[0].message, inactive, 3.0)
    rig.node.trigger_activate()
    rig.until(lambda: depths, 'the newest image once active')
    assert depths[0].header.stamp.nanosec == 4
    assert rig.node.streams[''].dropped == 0
