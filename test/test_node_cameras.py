# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras before one network: together through it, fairly, no fault but its own."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rig import CAMERA, Rig, image_message, info_message, rendered
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_interfaces.msg import DepthStatus
from depth_estimation_interfaces.srv import CalibrateScale, GetDistance
from depth_estimation_ros import messages

NAMES = ['front', 'rear']


class Cameras(Rig):
    """The rig with a camera of each name, and a record of what goes through the network."""

    def __init__(self, **parameters: object) -> None:
        super().__init__(cameras=NAMES, **parameters)
        assert self.node.autostart()
        self.rounds: list[list[tuple[int, ...]]] = []  # shapes of the images of each call
        self.images = {n: self.client.create_publisher(Image, f'{n}/image', 5) for n in NAMES}
        self.infos = {
            n: self.client.create_publisher(CameraInfo, f'{n}/camera_info', 5) for n in NAMES
        }
        for topic in (*self.images.values(), *self.infos.values()):
            self.until(topic.get_subscription_count, 'node subscribes')
        self.depths = {n: self.listen(Image, f'/depth_estimation/{n}/depth/image') for n in NAMES}

    def before(self, act) -> None:
        """Call `act` with the images before each run of the network."""
        predict = self.node.estimator.predict

        def watched(images):
            self.rounds.append([image.shape for image in images])
            act(images)
            return predict(images)

        self.node.estimator.predict = watched

    def send_together(self, **messages: Image) -> None:
        """Leave an image of each camera where they wait together."""
        self.node.trigger_deactivate()
        received = {name: self.node.streams[name].received for name in messages}
        for name, message in messages.items():
            self.images[name].publish(message)
            self.until(
                lambda name=name: self.node.streams[name].received > received[name], 'arrival'
            )
        self.node.trigger_activate()


@pytest.fixture
def cameras(ros, request):
    rig = Cameras(**{'model': 'bundled', **getattr(request, 'param', {})})
    yield rig
    rig.close()


@pytest.fixture(scope='module')
def scene():
    return rendered()


def small(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[::2, ::2])


def test_frames_that_wait_together_go_through_the_one_network_in_one_call(cameras, scene):
    streams = cameras.node.streams
    assert streams['front'].pipeline.estimator is streams['rear'].pipeline.estimator
    cameras.before(lambda _: None)
    front, rear = image_message(scene[0], 11), image_message(small(scene[0]), 22)
    rear.header.frame_id = 'rear_optical'
    cameras.send_together(front=front, rear=rear)
    cameras.until(lambda: all(cameras.depths.values()), 'depth of both')
    assert cameras.rounds == [[(240, 320, 3), (120, 160, 3)]]
    for sent, name in ((front, 'front'), (rear, 'rear')):
        (depth,) = cameras.depths[name]
        assert depth.header == sent.header
        (alone,) = cameras.node.estimator.predict([messages.decode_image(sent)])
        np.testing.assert_allclose(messages.decode_depth(depth), alone.values, rtol=1e-4)


@pytest.mark.parametrize('cameras', [{'model': 'bundled-relative'}], indirect=True)
def test_each_camera_has_its_own_calibration_and_intrinsics(cameras, scene):
    statuses = cameras.listen(DepthStatus, '/depth_estimation/status', latched=True)
    for name, message in (('front', image_message(scene[0])), ('rear', image_message(scene[0]))):
        if name == 'rear':
            cameras.infos[name].publish(info_message(message))
            cameras.until(lambda: cameras.node.streams['rear']._intrinsics._infos, 'camera_info')
        cameras.images[name].publish(message)
        cameras.until(lambda name=name: cameras.node.streams[name].received, 'arrival')
    spots = {'u': [40.0, 160.0, 280.0], 'v': [60.0, 120.0, 200.0]}
    known = [float(scene[1][int(v), int(u)]) for u, v in zip(*spots.values(), strict=True)]
    fitted = cameras.ask(CalibrateScale, 'calibrate_scale', camera='rear', **spots, distance=known)
    assert fitted.success, fitted.message
    sensors = cameras.node.streams['rear'].sensors
    with sensors.held('depth'):
        assert [one.topic for one in sensors.subscriptions] == ['/rear/reference/depth']
    rear = cameras.ask(GetDistance, 'get_distance', camera='rear', **spots)
    assert rear.success
    assert rear.distance[0] == pytest.approx(
        rear.depth[0] * np.linalg.norm([*CAMERA.unproject(40.0, 60.0)[0], 1.0])
    )
    front = cameras.ask(GetDistance, 'get_distance', camera='front', **spots)
    assert 'not calibrated' in front.message
    unknown = cameras.ask(GetDistance, 'get_distance', camera='left', u=[5.0], v=[5.0])
    assert "'front', 'rear'" in unknown.message
    cameras.until(lambda: any(statuses[-1].calibrated), 'status')
    assert (statuses[-1].cameras, statuses[-1].calibrated) == (NAMES, [False, True])
    assert statuses[-1].depth_kind == 'relative'


def test_a_bad_image_of_one_camera_is_its_own_fault_alone(cameras, scene):
    bad = image_message(scene[0], 1)
    bad.encoding = 'xyz12'
    cameras.send_together(front=bad, rear=image_message(scene[0], 2))
    cameras.until(lambda: cameras.depths['rear'], 'depth of the other')
    front, rear = (cameras.node.streams[name] for name in NAMES)
    assert 'xyz12' in front.faults.latest
    assert (front.processed, rear.processed) == (0, 1)
    assert not rear.faults.counts


def test_of_frames_that_fail_together_those_that_do_not_fail_alone_come_out(cameras, scene, capfd):
    def refuse(images):
        if any(image.shape[0] == 120 for image in images):
            raise RuntimeError('the network chokes on 120 rows')

    cameras.before(refuse)
    cameras.send_together(front=image_message(scene[0], 1), rear=image_message(small(scene[0]), 2))
    cameras.until(lambda: cameras.depths['front'], 'depth of the good one')
    front, rear = (cameras.node.streams[name] for name in NAMES)
    cameras.until(lambda: rear.faults.counts, 'the fault')
    assert [len(shapes) for shapes in cameras.rounds] == [2, 1, 1]
    assert rear.faults.counts == {'the network chokes on 120 rows': 1}
    assert not front.faults.counts
    refused = cameras.ask(GetDistance, 'get_distance', camera='rear', u=[5.0], v=[5.0])
    assert 'chokes' in refused.message
    cameras.send_together(front=image_message(scene[0], 3), rear=image_message(small(scene[0]), 4))
    cameras.until(lambda: rear.faults.counts.total() == 2, 'the fault again')
    assert capfd.readouterr().err.count('2 frames failed together') == 1  # at most every 5 s


@pytest.mark.parametrize('cameras', [{'diagnostics__period': 0.1}], indirect=True)
def test_where_one_camera_holds_up_the_others_diagnostics_say_so(cameras, scene):
    heard = cameras.listen(DiagnosticArray, '/diagnostics')
    free = threading.Event()
    cameras.before(lambda _: free.wait(20.0))
    told = 'no frame has come out for'
    try:
        cameras.send_together(front=image_message(scene[0], 1))
        cameras.until(lambda: cameras.rounds, 'the network is at it')
        for stamp in range(2, 80):
            cameras.images['rear'].publish(image_message(scene[0], stamp))
            cameras.spin(0.05)
        front, rear = heard[-1].status
        assert told not in front.message  # the image that it sent is under way
        assert told in rear.message
        assert rear.level == DiagnosticStatus.WARN
    finally:
        free.set()
    cameras.until(lambda: told not in heard[-1].status[1].message, 'it goes on')


@pytest.mark.alone
def test_a_fast_camera_does_not_starve_a_slow_one(cameras, scene):
    """The network takes 50 ms, one camera sends every 16 ms, the other every 200 ms."""
    cameras.before(lambda _: time.sleep(0.05))
    front, rear = image_message(scene[0]), image_message(small(scene[0]))
    streams = cameras.node.streams
    sent = dict.fromkeys(NAMES, 0)
    lateness = []
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < 3.0:
        if elapsed > 0.016 * sent['front']:
            sent['front'] += 1
            cameras.images['front'].publish(front)
        if elapsed > 0.2 * sent['rear']:
            sent['rear'] += 1
            rear.header.stamp.sec = sent['rear']
            cameras.images['rear'].publish(rear)
            lateness.append(len(cameras.rounds))
        cameras.executor.spin_once(timeout_sec=0.002)
    cameras.until(lambda: streams['rear'].processed == sent['rear'], 'every slow image')
    assert [depth.header.stamp.sec for depth in cameras.depths['rear']] == sorted(
        range(1, sent['rear'] + 1)
    )
    assert streams['rear'].dropped == 0
    assert streams['front'].dropped > 0
    assert streams['front'].processed > 0.8 * len(cameras.rounds)  # however slow the machine
    served = [index for index, shapes in enumerate(cameras.rounds) if (120, 160, 3) in shapes]
    # In the round that was under way, or in the next one; one more for what DDS takes.
    assert all(at <= seen + 2 for seen, at in zip(lateness, served, strict=True))
