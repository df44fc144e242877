# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag that is played in a loop with /clock: time jumps back, stands still, and all goes on."""

from __future__ import annotations

import array
import itertools

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')
tf2_msgs = pytest.importorskip('tf2_msgs.msg', reason='tf2_msgs is neither installed nor built')
rosgraph_msgs = pytest.importorskip('rosgraph_msgs.msg', reason='rosgraph_msgs is not installed')

from builtin_interfaces.msg import Time  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from geometry_msgs.msg import TransformStamped  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from rig import CAMERA, Rig, image_message, info_message, rendered  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField  # noqa: E402

from depth_estimation_interfaces.srv import CalibrateFrom, GetDistance  # noqa: E402
from depth_estimation_ros import bag, messages, synthetic  # noqa: E402

SECOND = 10**9
STEP = SECOND // 4
START = 1000 * SECOND
FRAMES = 12
KINDS = {
    '/camera_info': CameraInfo, '/reference/depth': Image, '/reference/points': PointCloud2,
    '/tf': tf2_msgs.TFMessage, '/image': Image,
}  # fmt: skip


def time_of(nanoseconds: int) -> Time:
    seconds, rest = divmod(nanoseconds, SECOND)
    return Time(sec=seconds, nanosec=rest)


def record(picture: np.ndarray, depth: np.ndarray, stamp: int) -> dict[str, object]:
    """The messages of one moment: the lidar sits where the camera is, moving with it."""
    image = image_message(picture, stamp)
    there = Image(header=image.header)
    messages.fill_image(there, depth, '32FC1')
    v, u = np.mgrid[4:240:8, 4:320:8].reshape(2, -1)
    points = np.column_stack([CAMERA.unproject(u, v), np.ones(len(u))]) * depth[v, u, None]
    cloud = PointCloud2(height=1, width=len(points), point_step=24, row_step=24 * len(points))
    cloud.header.frame_id, cloud.header.stamp = 'lidar', image.header.stamp
    cloud.fields = [
        PointField(name=name, offset=8 * i, datatype=8, count=1) for i, name in enumerate('xyz')
    ]
    cloud.data = array.array('B', points.tobytes())
    chain = [('base', 'camera_optical'), ('base', 'lidar')]
    transforms = [TransformStamped(child_frame_id=child) for _, child in chain]
    for one, (parent, _) in zip(transforms, chain, strict=True):
        one.header.frame_id, one.header.stamp = parent, image.header.stamp
        one.transform.translation.x = float(stamp - START) / SECOND
        one.transform.rotation.w = 1.0
    moved = tf2_msgs.TFMessage(transforms=transforms)
    values = (info_message(image), there, cloud, moved, image)
    return dict(zip(KINDS, values, strict=True))


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """A bag of three seconds of a drive through a rendered room."""
    path = tmp_path_factory.mktemp('bags') / 'drive'
    room = synthetic.make_room(3)
    written = []
    for index, pose in enumerate(synthetic.trajectory(room, FRAMES)):
        stamp = START + index * STEP
        moment = record(*synthetic.render(room, CAMERA, pose), stamp)
        written += [
            bag.Serialized(topic, stamp + i, serialize_message(message))
            for i, (topic, message) in enumerate(moment.items())
        ]
    kinds = {
        name: f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
        for name, kind in KINDS.items()
    }
    bag.write(path, [bag.Topic(*item) for item in kinds.items()], written)
    return path


class Player:
    """Plays a bag on a client's timer, five times as fast, without end, with its /clock."""

    def __init__(self, client, path) -> None:
        with bag.open_bag(path) as source:
            self.recorded = list(source.messages())
        self.clock = client.create_publisher(rosgraph_msgs.Clock, '/clock', 10)
        self.topics = {
            name: client.create_publisher(kind, name, 10) for name, kind in KINDS.items()
        }
        self.next = self.rounds = 0
        self.paused = False
        client.create_timer(STEP / SECOND / 5, self.step)

    def step(self) -> None:
        if self.paused:
            return
        moment = self.recorded[self.next : self.next + len(KINDS)]
        self.clock.publish(rosgraph_msgs.Clock(clock=time_of(moment[0].arrived)))
        for one in moment:
            self.topics[one.topic].publish(one.data)
        self.next += len(KINDS)
        if self.next == len(self.recorded):
            self.next, self.rounds = 0, self.rounds + 1


class Replay(Rig):
    """The node on the time of a bag."""

    def __init__(self, path, folder) -> None:
        super().__init__(
            model='bundled-relative',
            runtime='torch',
            use_sim_time=True,
            calibration__directory=str(folder),
            reference__continuous='depth',
            reference__period=0.05,
            diagnostics__period=0.1,
            distance__history=6,
        )
        assert self.node.autostart()
        self.stream = self.node.streams['']
        self.said = self.listen(DiagnosticArray, '/diagnostics')
        self.depth = self.listen(Image, '/depth_estimation/depth/image')
        self.player = Player(self.client, path)

    def stamps(self) -> list[int]:
        return [bag.stamp_of(message) for message in self.depth]

    def rounds(self, count: int) -> None:
        end = self.player.rounds + count
        self.until(lambda: self.player.rounds >= end, f'{count} rounds are played')


@pytest.fixture
def replay(ros, recording, tmp_path):
    made = Replay(recording, tmp_path)
    yield made
    made.close()


def test_a_bag_in_a_loop_is_served_round_after_round(replay):
    following = replay.stream.continuous
    replay.until(lambda: replay.stream.calibration is not None, 'a sensor calibrates')
    replay.rounds(1)
    before = following.taken, len(replay.depth)
    replay.rounds(3)
    taken, stamps = following.taken - before[0], replay.stamps()[before[1] :]
    jumps = sum(a > b for a, b in itertools.pairwise(stamps))
    assert jumps >= 2
    assert replay.stream.history.jumps >= jumps
    assert len(stamps) > FRAMES  # of the 36 that were played; the network may drop some
    assert taken >= 3
    assert following.in_a_row == 0, following.refusal
    values = [
        {pair.key: pair.value for pair in status.values}
        for message in replay.said
        for status in message.status
    ]
    assert int(values[-1]['jumps back in time']) >= jumps
    key = 'calibration checked (s ago)'
    ages = [float(one[key]) for one in values if key in one]
    assert not [age for age in ages if age < 0.0]


def test_what_was_before_a_jump_is_forgotten_and_what_is_after_it_is_kept(replay):
    replay.until(lambda: replay.stream.calibration is not None, 'a sensor calibrates')
    replay.rounds(1)
    jumps = replay.stream.history.jumps
    replay.until(lambda: replay.stream.history.jumps > jumps, 'time jumps back')
    replay.player.paused = True
    replay.spin(0.5)
    kept = [one.frame.stamp for one in replay.stream.history.kept]
    assert kept == sorted(kept)
    answer = replay.ask(GetDistance, 'get_distance', u=[160.0], v=[120.0])
    assert answer.success, answer.message
    assert bag.stamp_of(answer) == kept[-1]
    last = time_of(START + (FRAMES - 1) * STEP)  # of the round before
    refused = replay.ask(GetDistance, 'get_distance', u=[160.0], v=[120.0], stamp=last)
    assert not refused.success
    assert 'is not kept' in refused.message


def test_transforms_and_a_lidar_are_matched_in_every_round(replay):
    replay.until(lambda: replay.stream.calibration is not None, 'a sensor calibrates')
    for _ in range(3):
        answer = replay.ask(CalibrateFrom, 'calibrate_from', method='lidar')
        assert answer.success, answer.message
        assert answer.references > 100
        assert answer.rms_relative_error < 0.1
        replay.rounds(1)


def test_a_clock_that_stands_still_stops_neither_diagnostics_nor_answers(replay):
    replay.until(lambda: replay.stream.calibration is not None, 'a sensor calibrates')
    replay.player.paused = True
    replay.spin(0.5)
    replay.said.clear()
    replay.until(lambda: len(replay.said) >= 5, 'diagnostics go on')
    assert replay.said[-1].status[0].level == DiagnosticStatus.WARN
    assert 'no image arrives' in replay.said[-1].status[0].message
    stamp = replay.said[-1].header.stamp
    assert START <= stamp.sec * SECOND + stamp.nanosec < START + FRAMES * STEP
    assert replay.ask(GetDistance, 'get_distance', u=[9.0], v=[9.0]).header.frame_id


def test_a_frame_asked_for_by_its_stamp_is_not_the_one_of_before_a_reset(ros, tmp_path):
    rig = Rig(model='bundled', runtime='torch', calibration__directory=str(tmp_path))
    try:
        assert rig.node.autostart()
        rig.connect()
        picture, _ = rendered()
        answers = []
        for stamp, image in ((5, picture), (6, picture), (5, picture[:, ::-1]), (5, picture)):
            message = image_message(np.ascontiguousarray(image), stamp * SECOND)
            received = rig.node.streams[''].received
            rig.send(message, info_message(message))
            rig.until(lambda: rig.node.streams[''].received > received, 'image arrives')  # noqa: B023
            at = {'u': [40.0], 'v': [120.0], 'stamp': message.header.stamp}
            answer = rig.ask(GetDistance, 'get_distance', **at)
            assert answer.success, answer.message
            answers.append(answer.depth[0])
        assert answers[0] == pytest.approx(answers[1], rel=0.01)
        assert answers[2] != pytest.approx(answers[0], rel=0.02)
        assert answers[3] != pytest.approx(answers[2], rel=0.02)
        assert answers[3] == rig.ask(GetDistance, 'get_distance', u=[40.0], v=[120.0]).depth[0]
        assert rig.node.streams[''].history.jumps == 1
    finally:
        rig.close()
