# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration from markers, the ground and sensors on a real ROS graph, and what is refused.

One node serves all tests of this file; each begins with the calibration that it needs.
"""

from __future__ import annotations

import array
import sys
import time

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')
tf2_msgs = pytest.importorskip('tf2_msgs.msg', reason='tf2_msgs is neither installed nor built')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from geometry_msgs.msg import TransformStamped  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile  # noqa: E402
from rig import CAMERA, Rig, image_message, info_message, rendered  # noqa: E402
from sensor_msgs.msg import Image, PointCloud2, PointField  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from depth_estimation_interfaces.srv import CalibrateFrom, GetDistance  # noqa: E402
from depth_estimation_ros import messages, synthetic  # noqa: E402
from depth_estimation_ros.synthetic.card import Card, hold_up, tag, turned  # noqa: E402

SECOND = 10**9
OPTICAL = 'camera_optical'


def transform(parent: str, child: str, rotation, translation, stamp: int = 0) -> TransformStamped:
    """What takes points of the child to the parent."""
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND)
    turn = cv2.Rodrigues(np.asarray(rotation, float))[0].ravel()
    angle = float(np.linalg.norm(turn))
    quaternion = message.transform.rotation
    if angle:
        quaternion.x, quaternion.y, quaternion.z = (np.sin(angle / 2) * turn / angle).tolist()
    quaternion.w = float(np.cos(angle / 2))
    moved = message.transform.translation
    moved.x, moved.y, moved.z = map(float, translation)
    return message


class Scene(Rig):
    """The node before a rendered room, with a depth camera and a lidar that publish at 20 Hz."""

    def __init__(self, folder) -> None:
        super().__init__(
            model='bundled-relative',
            runtime='torch',
            calibration__directory=str(folder),
            reference__period=0.05,
            diagnostics__period=0.1,
        )
        assert self.node.autostart()
        self.connect()
        self.stream = self.node.streams['']
        self.picture, self.depth = rendered()
        room = synthetic.make_room(3)
        self.pose = synthetic.trajectory(room, 1)[0]
        self.stamp = 100 * SECOND
        self.late = 0.0  # seconds by which the sensors' stamps are behind
        self.reading: np.ndarray | None = None  # what the sensor says; None: it is off
        self.sensors = {
            2: self.client.create_publisher(Image, 'reference/depth', 5),
            3: self.client.create_publisher(PointCloud2, 'reference/points', 5),
        }
        self.frame = OPTICAL
        static = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.tf = self.client.create_publisher(tf2_msgs.TFMessage, '/tf_static', static)
        self.moving_tf = self.client.create_publisher(tf2_msgs.TFMessage, '/tf', 5)
        self.moving: list[TransformStamped] = []
        self.client.create_timer(0.05, self._sense)
        self.said = self.listen(DiagnosticArray, '/diagnostics')

    def _sense(self) -> None:
        self.moving_tf.publish(tf2_msgs.TFMessage(transforms=self.moving))
        if self.reading is None:
            return
        shape = self.reading.ndim
        message = Image() if self.reading.dtype == np.float32 else PointCloud2()
        message.header.frame_id = self.frame
        stamp = self.stamp - int(self.late * SECOND)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND)
        if isinstance(message, Image):
            messages.fill_image(message, self.reading, '32FC1')
        else:
            message.fields = [
                PointField(name=name, offset=8 * i, datatype=8, count=1)
                for i, name in enumerate('xyz')
            ]
            message.height, message.width, message.point_step = 1, len(self.reading), 24
            message.row_step = 24 * len(self.reading)
            message.data = array.array('B', self.reading.tobytes())
        assert shape == 2
        self.sensors[2 if isinstance(message, Image) else 3].publish(message)

    def show(self, picture: np.ndarray) -> None:
        """Let the camera see a picture."""
        self.stamp += SECOND // 10
        before = self.stream.received
        message = image_message(picture, self.stamp)
        self.send(message, info_message(message))
        self.until(lambda: self.stream.received > before, 'image arrives')

    def calibrate(self, method: str, value: float = 0.0, options: str = '', save: bool = False):
        return self.ask(
            CalibrateFrom,
            'calibrate_from',
            method=method,
            value=value,
            options=options,
            save=save,
        )

    def error(self) -> float:
        """Median relative error of the newest depth map."""
        depth = np.asarray(self.stream.history.kept[-1].depth)
        return float(np.nanmedian(np.abs(depth - self.depth) / self.depth))

    def told(self) -> str:
        """What diagnostics say now."""
        seen = len(self.said)
        self.until(lambda: len(self.said) > seen + 1, 'diagnostics')
        status = self.said[-1].status[0]
        return ' '.join([status.message, *(f'{v.key}: {v.value}' for v in status.values)])


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    from conftest import domain_of_its_own

    with pytest.MonkeyPatch.context() as patch, domain_of_its_own() as domain:
        home = tmp_path_factory.mktemp('home')
        for name in ('XDG_STATE_HOME', 'XDG_CACHE_HOME', 'ROS_LOG_DIR'):
            patch.setenv(name, str(home / name))
        patch.setattr('depth_estimation_ros.ros.services._WITHIN', 1.0)
        rclpy.init(domain_id=domain)
        scene = Scene(home / 'calibrations')
        yield scene
        scene.close()
        rclpy.try_shutdown()


@pytest.fixture
def scene(shared):
    shared.reading, shared.late, shared.frame, shared.moving = None, 0.0, OPTICAL, []
    assert shared.ask(Trigger, 'clear_calibration').success
    shared.show(shared.picture)
    yield shared
    parameters = {'reference.continuous': 'none', 'reference.options': ''}
    shared.node.set_parameters_atomically([Parameter(k, value=v) for k, v in parameters.items()])


@pytest.fixture
def calibrated(scene):
    """With a calibration that what is refused must leave as it is."""
    assert scene.calibrate('factor', 20.0).success
    return scene


def refused(scene, *words: str, method: str, **fields) -> None:
    before = scene.stream.calibration
    answer = scene.calibrate(method, **fields)
    assert not answer.success
    assert all(word in answer.message for word in words), answer.message
    assert 'the calibration stays as it was' in answer.message
    assert scene.stream.calibration is before


def with_tag(scene, number: int = 7) -> np.ndarray:
    picture, sides = tag('DICT_APRILTAG_36H11', number)
    card = Card(picture, sides * 0.3, turned(15.0, -10.0, 5.0), np.array([0.1, 0.0, 1.0]))
    return hold_up(card, CAMERA, scene.picture, scene.depth)[0]


def test_a_marker_calibrates_and_is_saved(scene):
    scene.show(with_tag(scene))
    answer = scene.calibrate('marker', 0.3, '{dictionary: apriltag_36h11}', save=True)
    assert answer.success, answer.message
    assert answer.references > 50
    assert answer.scale == scene.stream.calibration.fit.scale
    assert scene.stream.calibration_file().exists()
    u, v = CAMERA.project(np.array([[0.1, 0.0, 1.0]]))[0]
    found = scene.ask(GetDistance, 'get_distance', u=[float(u)], v=[float(v)])
    assert found.depth[0] == pytest.approx(1.0, rel=0.05)


def test_a_factor_is_taken_as_it_is_with_unknown_uncertainty(scene):
    answer = scene.calibrate('factor', 20.0)
    assert answer.success, answer.message
    assert answer.scale == pytest.approx(1 / 20.0)
    assert np.isnan(answer.rms_relative_error)
    assert 'calibration residual: unknown' in scene.told()
    found = scene.ask(GetDistance, 'get_distance', u=[160.0], v=[120.0])
    assert found.success
    assert np.isnan(found.std_dev[0])


@pytest.mark.parametrize(
    ('method', 'value', 'options', 'words'),
    [
        ('tape', 1.0, '', ("'tape'", 'marker, object, ground, depth, lidar, factor')),
        ('marker', 0.2, '{colour: red}', ('colour', 'dictionary', 'board')),
        ('marker', 0.2, '{dictionary: [', ('YAML',)),
        ('marker', 0.2, '3', ('mapping',)),
        ('marker', 0.0, '', ('takes a value', 'side of the marker')),
        ('ground', 0.0, '', ('height of the camera', 'ground_frame')),
        ('depth', 2.0, '', ('takes no value',)),
        ('factor', -1.0, '', ('positive', '-1')),
        ('object', 1.7, '{box: [100, 20, 90, 200]}', ('box', '100')),
    ],
)
def test_what_nobody_knows_is_refused_with_what_is_known(
    calibrated, method, value, options, words
):
    refused(calibrated, *words, method=method, value=value, options=options)


def test_no_marker_and_a_wrong_dictionary_are_refused(calibrated):
    refused(calibrated, 'marker', method='marker', value=0.3)
    calibrated.show(with_tag(calibrated))
    refused(calibrated, '5x5', method='marker', value=0.3, options='{dictionary: 5x5_50}')


def stand(scene, height: float) -> None:
    """Let /tf_static say that the camera stands so high."""
    mast = transform('floor', 'mast', np.eye(3), (3.0, -2.0, height))
    camera = transform('mast', OPTICAL, scene.pose.rotation, (0.0, 0.0, 0.0))
    scene.tf.publish(tf2_msgs.TFMessage(transforms=[mast, camera]))


def test_the_ground_calibrates_with_the_height_and_gravity_of_transforms(scene):
    stand(scene, scene.pose.position[2])
    answer = scene.calibrate('ground', 0.0, '{ground_frame: floor}')
    assert answer.success, answer.message
    assert scene.error() < 0.2


def test_without_ground_without_its_frame_and_upside_down_it_is_refused(calibrated):
    wall = np.random.default_rng(0).integers(0, 255, calibrated.picture.shape, np.uint8)
    refused(calibrated, "'nowhere'", 'known', method='ground', options='{ground_frame: nowhere}')
    calibrated.show(wall)
    refused(calibrated, 'ground', method='ground', value=1.0, options='{pitch: 5.0}')


def test_a_depth_camera_calibrates(scene):
    scene.reading = scene.depth
    answer = scene.calibrate('depth')
    assert answer.success, answer.message
    assert 'pixels of the depth camera' in answer.message
    assert answer.inliers > 0.8 * answer.references
    assert scene.error() < 0.06
    assert not scene.stream.sensors.subscriptions  # listened to no longer than needed


def points_of(scene) -> np.ndarray:
    """What a lidar 20 cm above the camera, turned by 90 degrees, would measure."""
    v, u = (grid.ravel() for grid in np.mgrid[4:236:4, 4:316:4])
    z = scene.depth[v, u].astype(float)[:, None]
    optical = np.hstack([CAMERA.unproject(u, v), np.ones((len(u), 1))]) * z
    in_mast = optical @ scene.pose.rotation.T
    return np.ascontiguousarray((in_mast - (0.0, 0.0, 0.2)) @ cv2.Rodrigues(QUARTER)[0])


QUARTER = np.array([0.0, 0.0, np.pi / 2])


def carry_lidar(scene) -> None:
    scene.tf.publish(
        tf2_msgs.TFMessage(
            transforms=[
                transform('mast', OPTICAL, scene.pose.rotation, (0.0, 0.0, 0.0)),
                transform('mast', 'lidar', cv2.Rodrigues(QUARTER)[0], (0.0, 0.0, 0.2)),
            ]
        )
    )


def test_a_lidar_calibrates_through_transforms_that_move(scene):
    """The mast has moved 4 cm when the image is taken, 8 cm 100 ms later; the lidar stays."""
    carry_lidar(scene)
    for late, along in ((-0.1, 0.0), (0.1, 0.08)):
        stamp = scene.stamp + int(late * SECOND)
        scene.moving.append(transform('base', 'mast', np.eye(3), (along, 0.0, 0.0), stamp))
        lidar = transform('base', 'swivel', cv2.Rodrigues(QUARTER)[0], (0.04, 0.0, 0.2), stamp)
        scene.moving.append(lidar)
    scene.reading, scene.frame = points_of(scene), 'swivel'
    answer = scene.calibrate('lidar')
    assert answer.success, answer.message
    assert answer.references > 500
    assert scene.error() < 0.06
    scene.late = 0.15
    refused(scene, '0.050 s older than the oldest', 'mast in base', method='lidar')


def test_without_the_messages_of_transforms_it_says_which_package_lacks(calibrated, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', None)
    refused(calibrated, 'tf2_msgs', 'install', method='lidar')


def test_sensors_that_are_silent_stale_empty_or_contradict_are_refused(calibrated):
    refused(calibrated, '/reference/depth', 'within 1 s', method='depth')
    calibrated.reading, calibrated.late = calibrated.depth, 3.0
    refused(calibrated, 'stale', '3.000 s older', method='depth')
    calibrated.late = 0.0
    calibrated.reading = np.ascontiguousarray(calibrated.depth[::-1, ::-1])
    refused(calibrated, 'check the transform from the sensor', method='depth')
    calibrated.reading, calibrated.frame = calibrated.depth, 'lens_of_the_depth_camera'
    refused(calibrated, 'lens_of_the_depth_camera', OPTICAL, 'registered', method='depth')
    carry_lidar(calibrated)
    calibrated.reading, calibrated.frame = np.empty((0, 3)), 'lidar'
    refused(calibrated, 'no point', method='lidar')
    calibrated.reading, calibrated.frame = points_of(calibrated), 'mars'
    refused(calibrated, "'mars'", 'known frames are', method='lidar')


def test_a_depth_camera_is_followed_and_what_it_contradicts_leaves_the_last_good_fit(scene):
    scene.listen(Image, '/depth_estimation/inverse_depth/image')
    scene.reading = scene.depth
    parameters = [
        Parameter('reference.continuous', value='depth'),
        Parameter('reference.options', value='{patience: 1000}'),
    ]
    assert scene.node.set_parameters_atomically(parameters).successful
    following = scene.stream.continuous
    scene.until(lambda: (scene.show(scene.picture), following.taken > 1)[1], 'fits')
    assert scene.error() < 0.06
    pixel = {'u': [160.0], 'v': [120.0]}
    sure = scene.ask(GetDistance, 'get_distance', **pixel)
    assert sure.success
    assert 'drifted' not in sure.message
    scene.reading = scene.depth * np.float32(1.5)
    scene.until(lambda: (scene.show(scene.picture), following.refused > 0)[1], 'refused')
    good = scene.stream.calibration
    scene.until(lambda: (scene.show(scene.picture), following.refused > 3)[1], 'refused again')
    assert scene.stream.calibration is good
    told = scene.told()
    assert 'last fit to the sensor refused: the fit changes depths by 50%' in told
    for text in ('the calibration stays as it was', 'drifted', 'too near by depth'):
        assert text in scene.node.status().hint
    unsure = scene.ask(GetDistance, 'get_distance', **pixel)
    assert 'the calibration has drifted' in unsure.message
    assert unsure.std_dev[0] > 1.5 * sure.std_dev[0]
    assert 'calibration checked (s ago): ' in told
    scene.reading = None
    scene.until(lambda: (scene.show(scene.picture), 'stale' in following.refusal)[1], 'silence')
    (refused_,) = scene.node.set_parameters([Parameter('reference.options', value='{far: 1}')])
    assert not refused_.successful
    assert 'farthest' in refused_.reason
    assert following.running
    assert scene.calibrate('factor', 20.0).success
    assert not following.running
    for parameter, again in ((Parameter('range.max', value=50.0), False), (parameters[0], True)):
        assert scene.node.set_parameters_atomically([parameter]).successful
        assert following.running == again


def test_the_ground_is_followed_and_tells_that_a_calibration_has_drifted(scene):
    scene.listen(Image, '/depth_estimation/inverse_depth/image')
    stand(scene, scene.pose.position[2])
    options = '{ground_frame: floor, continuous: true, patience: 1000}'
    assert scene.calibrate('ground', 0.0, options).success
    following = scene.stream.continuous
    scene.until(lambda: (scene.show(scene.picture), following.taken > 1)[1], 'fits')
    assert 'drifted' not in scene.node.status().hint
    stand(scene, 1.5 * scene.pose.position[2])
    scene.until(lambda: (scene.show(scene.picture), following.refused > 3)[1], 'refused')
    assert 'the fit changes depths by 50%' in following.refusal
    hint = scene.node.status().hint  # anchors are looked at, too, and may have the last word
    for text in ('the calibration stays as it was', 'the calibration has drifted', 'too near by'):
        assert text in hint


def test_calibrate_from_may_follow_the_lidar_until_the_calibration_is_cleared(scene):
    scene.listen(Image, '/depth_estimation/inverse_depth/image')
    carry_lidar(scene)
    scene.reading, scene.frame = points_of(scene), 'lidar'
    answer = scene.calibrate('lidar', options='{continuous: true}')
    assert answer.success, answer.message
    first = scene.stream.calibration
    scene.until(
        lambda: (scene.show(scene.picture), scene.stream.calibration is not first)[1], 'a fit'
    )
    assert scene.ask(Trigger, 'clear_calibration').success
    scene.show(scene.picture)
    time.sleep(0.2)
    assert scene.stream.calibration is None
    assert not scene.stream.sensors.subscriptions


@pytest.mark.parametrize('served', [True, False])
def test_a_node_that_is_cleaned_up_while_it_calibrates_lives_on(scene, served):
    if not served:  # the frame that is waited for does not get its turn before the end
        worker = scene.node._depth_worker
        worker._stopped.set()
        worker.wake()
        worker._thread.join()
    client = scene.client.create_client(CalibrateFrom, '/depth_estimation/calibrate_from')
    scene.until(client.service_is_ready, 'calibrate_from is there')
    answer = client.call_async(CalibrateFrom.Request(method='depth'))
    sensors = scene.stream.sensors
    scene.until(lambda: sensors.subscriptions, 'listening')
    scene.node.trigger_deactivate()
    scene.node.trigger_cleanup()
    assert not sensors.subscriptions
    scene.until(answer.done, 'calibrate_from answers', timeout=5.0)
    assert 'the node was cleaned up' in answer.result().message
    assert 'not active' in scene.calibrate('factor', 1.0).message
    assert scene.node.autostart()
    scene.stream = scene.node.streams['']
