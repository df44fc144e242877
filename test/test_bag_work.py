# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags with depth: what is written of a recording, with which stamps, and what is refused."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import pickle

import bags
import numpy as np
import pytest
import yaml
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from depth_estimation_ros import calibration_file, messages, sections
from depth_estimation_ros.bag import Serialized, Topic, open_bag, profile, types
from depth_estimation_ros.bag.depth import Following
from depth_estimation_ros.bag.process import BagWork
from depth_estimation_ros.bag.writer import new_bag
from depth_estimation_ros.benchmarks import recording
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.fitting import factor
from depth_estimation_ros.frames import DepthKind, Frame
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.metrics import depth_errors
from depth_estimation_ros.pipeline import DepthPipeline
from depth_estimation_ros.road import Road
from depth_estimation_ros.stabilizer import Stabilizer

SIZE = 96, 72
FRAMES = 5
IMAGE, INFO, TRUTH = '/camera/image_raw', '/camera/camera_info', '/camera/depth'
DEPTH, COLOUR = '/depth_estimation/depth/image', '/depth_estimation/colorized/image'
STATUS = '/depth_estimation/status'
RANGE = 0.1, 20.0
ROAD = Road(RANGE, stabilizer=sections.Stabilizer())
BUNDLED = Network('bundled', device='cpu', runtime='torch')


@pytest.fixture(scope='module')
def estimator():
    with contextlib.closing(BUNDLED.load()) as loaded:
        yield loaded


@pytest.fixture(scope='module')
def relative():
    network = dataclasses.replace(BUNDLED, model='bundled-relative')
    with contextlib.closing(network.load()) as loaded:
        yield loaded


@pytest.fixture(scope='module')
def seen():
    return recording.views(*SIZE)


@pytest.fixture(scope='module')
def drive(tmp_path_factory, seen):
    return recording.record(tmp_path_factory.mktemp('drive') / 'drive', seen, FRAMES)


@dataclasses.dataclass(frozen=True)
class Written:
    """Messages of a bag by topic: arrival, bytes and what they say; and its connections."""

    records: dict[str, list[tuple[int, bytes, object]]]
    connections: dict[str, object]

    @classmethod
    def read(cls, path):
        records = collections.defaultdict(list)
        with AnyReader([path]) as reader:  # by the definitions in the bag alone
            for connection, arrived, data in reader.messages():
                message = reader.deserialize(data, connection.msgtype)
                records[connection.topic].append((arrived, data, message))
            return cls(dict(records), {one.topic: one for one in reader.connections})

    def said(self, topic):
        return [message for _, _, message in self.records.get(topic, [])]


def run(estimator, drive, target, **options):
    """What a work with these options says and writes."""
    work = BagWork(**{'network': BUNDLED, 'road': ROAD, 'images': (IMAGE,)} | options)
    summary = work.run(estimator, Item(drive, target), lambda _: None)
    return summary, Written.read(target)


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_depth_lies_beside_the_originals_with_their_stamps(estimator, drive, tmp_path):
    summary, written = run(estimator, drive, tmp_path / 'out')
    original = Written.read(drive)
    for topic, records in original.records.items():
        assert [record[:2] for record in written.records[topic]] == [
            record[:2] for record in records
        ]
        assert written.connections[topic].ext == original.connections[topic].ext
        assert written.connections[topic].msgdef == original.connections[topic].msgdef
    for topic in (DEPTH, COLOUR, '/depth_estimation/depth/camera_info'):
        for (arrived, _, made), (expected, _, image) in zip(
            written.records[topic], original.records[IMAGE], strict=True
        ):
            assert arrived == expected
            assert stamp_of(made) == stamp_of(image)
            assert made.header.frame_id == image.header.frame_id
    assert summary['frames'] == FRAMES
    assert set(written.records) - set(original.records) == {
        *(DEPTH, COLOUR, STATUS), '/depth_estimation/depth/camera_info'
    }  # fmt: skip


def test_depth_is_that_of_the_road_of_the_node(estimator, drive, seen, tmp_path):
    _, written = run(estimator, drive, tmp_path / 'out')
    road = DepthPipeline(estimator, RANGE, stabilizer=Stabilizer(sections.Stabilizer()))
    lens = recording.camera(*SIZE)
    for index, message in enumerate(written.said(DEPTH)):
        stamp = recording.BEGIN + index * recording.STEP
        depth = road.process(Frame(seen[index].image, stamp, 'camera_optical', lens)).depth
        np.testing.assert_array_equal(messages.decode_depth(message), depth)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_the_same_bytes_every_time(estimator, drive, tmp_path, storage):
    outputs = ('depth', 'colorized', 'points', 'compressed')
    for name in ('one', 'other'):
        run(
            estimator, drive, tmp_path / name / 'out',
            storage=storage, references=(TRUTH,), outputs=outputs,
        )  # fmt: skip
    for file in (tmp_path / 'one' / 'out').iterdir():
        assert file.read_bytes() == (tmp_path / 'other' / 'out' / file.name).read_bytes()


def test_what_opens_the_bag_finds_profiles_and_definitions(estimator, drive, tmp_path):
    run(estimator, drive, tmp_path / 'out')
    with Reader(tmp_path / 'out') as reader:
        found = {one.topic: one for one in reader.connections}
    assert all(one.msgdef.data and one.digest.startswith('RIHS01_') for one in found.values())
    assert not [one for one in found.values() if one.digest == types.UNHASHED]
    (depth,), (status,) = (found[name].ext.offered_qos_profiles for name in (DEPTH, STATUS))
    assert depth.reliability is QosReliability.RELIABLE
    assert depth.durability is QosDurability.VOLATILE
    assert status.durability is QosDurability.TRANSIENT_LOCAL


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_humble_reads_the_profiles_as_newer_ones_do(estimator, drive, tmp_path, storage):
    run(estimator, drive, tmp_path / 'out', storage=storage)
    stored = yaml.safe_load((tmp_path / 'out' / 'metadata.yaml').read_text())
    told = stored['rosbag2_bagfile_information']
    assert told['version'] == 8
    profiles = {
        one['topic_metadata']['name']: one['topic_metadata']['offered_qos_profiles']
        for one in told['topics_with_message_count']
    }
    with open_bag(tmp_path / 'out') as source:
        assert set(profiles) == set(source.topics)
    for text in profiles.values():  # Humble and Iron want text, and the numbers of rmw in it
        for one in yaml.safe_load(text):
            policies = [one[name] for name in ('history', 'reliability', 'durability')]
            assert {*map(type, policies)} == {int}
    assert yaml.safe_load(profiles[STATUS])[0]['durability'] == 1


def test_one_file_is_a_bag_too(estimator, drive, tmp_path):
    _, written = run(estimator, drive, tmp_path / 'out.mcap')
    assert (tmp_path / 'out.mcap').is_file()
    assert len(written.said(DEPTH)) == FRAMES
    with pytest.raises(ValueError, match='sqlite3: name a folder'):
        run(estimator, drive, tmp_path / 'other.mcap', storage='sqlite3')


def test_chosen_outputs_instead_of_the_originals(estimator, drive, tmp_path):
    _, written = run(
        estimator, drive, tmp_path / 'out',
        outputs=('points', 'compressed'), topics=(INFO,), namespace='mine',
    )  # fmt: skip
    assert set(written.records) == {
        *(INFO, '/mine/points', '/mine/colorized/image/compressed', '/mine/status')
    }
    (cloud, *_) = written.said('/mine/points')
    assert (cloud.width, cloud.height) == SIZE


def test_a_part_of_the_recording(estimator, drive, tmp_path):
    progress: list[Progress] = []
    work = BagWork(BUNDLED, ROAD, images=(IMAGE,), stride=2)
    summary = work.run(estimator, Item(drive, tmp_path / 'every_other'), progress.append)
    assert summary['frames'] == 3
    assert progress == [Progress(done, 3) for done in (1, 2, 3)]
    step = recording.STEP / 1e9
    _, written = run(estimator, drive, tmp_path / 'part', start=step, end=3 * step)
    wanted = [recording.BEGIN + index * recording.STEP for index in (1, 2)]
    assert [stamp_of(message) for message in written.said(DEPTH)] == wanted
    assert [stamp_of(message) for message in written.said(IMAGE)] == wanted
    with pytest.raises(ValueError, match='nothing from 5 s to the end'):
        run(estimator, drive, tmp_path / 'none', start=5.0)


def test_a_part_begins_with_what_was_latched(estimator, drive, tmp_path):
    original = Written.read(drive)
    with new_bag(tmp_path / 'latched') as bag:
        for topic, kind in ((IMAGE, 'Image'), (INFO, 'CameraInfo')):
            bag.add(Topic(topic, f'sensor_msgs/msg/{kind}', (profile(topic == INFO),)))
        ((_, other, _), (_, mine, _), *_) = original.records[INFO]
        assert mine != other
        bag.write(Serialized(INFO, recording.BEGIN, other))
        bag.write(Serialized(INFO, recording.BEGIN + 1, mine))
        for arrived, data, _ in original.records[IMAGE]:
            bag.write(Serialized(IMAGE, arrived, data))
    step = recording.STEP / 1e9
    _, written = run(estimator, tmp_path / 'latched', tmp_path / 'part', start=2 * step)
    ((arrived, data, _),) = written.records[INFO]
    assert (arrived, data) == (recording.BEGIN + round(2 * step * 1e9), mine)
    assert len(written.said('/depth_estimation/depth/camera_info')) == len(written.said(DEPTH))


def test_a_relative_network_gives_no_metres(relative, drive, tmp_path):
    _, written = run(relative, drive, tmp_path / 'out', topics=())
    inverse = '/depth_estimation/inverse_depth/image'
    assert set(written.records) == {inverse, COLOUR, STATUS}
    (status,) = written.said(STATUS)
    assert status.depth_kind == 'relative'
    assert 'no metres' in status.hint
    with pytest.raises(ValueError, match=r'no\s+metres: calibrate'):
        run(relative, drive, tmp_path / 'none', outputs=('depth',))
    assert not (tmp_path / 'none').exists()


def test_a_depth_scale_makes_metres_and_is_told(relative, drive, tmp_path):
    road = dataclasses.replace(ROAD, depth_scale=0.5)
    summary, written = run(relative, drive, tmp_path / 'out', road=road)
    assert len(written.said(DEPTH)) == FRAMES
    (status,) = written.said(STATUS)
    assert (status.depth_kind, status.scale.tolist()) == ('calibrated', [2.0])
    assert stamp_of(written.said(IMAGE)[0]) == (
        status.calibrated_at[0].sec * 10**9 + status.calibrated_at[0].nanosec
    )
    assert summary['cameras'][IMAGE]['calibration']['scale'] == 2.0


@pytest.mark.parametrize(
    ('model', 'focal', 'reason'),
    [('other', 0.0, 'for model other, not bundled'), ('bundled', 500.0, 'for another camera')],
)
def test_a_wrong_calibration_is_refused(estimator, drive, tmp_path, model, focal, reason):
    lens = Camera(*SIZE, focal, focal, 48.0, 36.0) if focal else None
    file = tmp_path / 'calibration.yaml'
    fit = factor(DepthKind.METRIC, 1.5)
    calibration_file.save(Calibration(fit, model, lens, 1), file)
    road = dataclasses.replace(ROAD, calibration_file=file)
    with pytest.raises(ValueError, match=reason):
        run(estimator, drive, tmp_path / 'out', road=road)
    assert {path.name for path in tmp_path.iterdir()} == {file.name}


def test_a_calibration_of_a_camera_that_nobody_tells_is_refused(estimator, seen, tmp_path):
    file = tmp_path / 'calibration.yaml'
    lens = recording.camera(*SIZE)
    fit = factor(DepthKind.METRIC, 1.5)
    calibration_file.save(Calibration(fit, 'bundled', lens, 1), file)
    road = dataclasses.replace(ROAD, calibration_file=file)
    with new_bag(tmp_path / 'bare') as bag:
        bag.add(Topic('/image', 'sensor_msgs/msg/Image'))
        bag.write(Serialized('/image', 5, image_of(seen[0])))
    with pytest.raises(ValueError, match='no camera_info tells'):
        run(estimator, tmp_path / 'bare', tmp_path / 'out', road=road, images=())
    told = dataclasses.replace(road, intrinsics=sections.Intrinsics(hfov=65.0))
    _, written = run(estimator, tmp_path / 'bare', tmp_path / 'out', road=told, images=())
    assert [status.depth_kind for status in written.said(STATUS)] == ['calibrated']


def image_of(view, stamp=7):
    message = recording._message('Image', 'image_raw', view)
    message.header = recording.stamped(stamp)
    return types.serialize(message)


def test_a_recorded_depth_camera_calibrates_and_compares(estimator, drive, tmp_path):
    summary, written = run(estimator, drive, tmp_path / 'out', references=(TRUTH,))
    _, uncalibrated = run(
        estimator, drive, tmp_path / 'none', references=(TRUTH,), following=Following('none')
    )
    told = summary['cameras'][IMAGE]

    def errors(bag, part):
        pairs = [*zip(bag.said(DEPTH), bag.said(TRUTH), strict=True)][part]
        each = [depth_errors(*map(messages.decode_depth, pair)) for pair in pairs]
        return {
            'AbsRel': pytest.approx(np.mean([one.abs_rel for one in each])),
            'RMSE': pytest.approx(np.mean([one.rmse for one in each])),
            'delta1': pytest.approx(np.mean([one.delta1 for one in each])),
            'frames': len(pairs),
        }

    assert told['fits'] == 1
    assert told['errors_of_fitted'] == errors(written, slice(1))
    assert told['errors'] == errors(written, slice(1, None))
    assert told['errors']['AbsRel'] < errors(uncalibrated, slice(1, None))['AbsRel'].expected
    (status,) = written.said(STATUS)
    assert status.scale.tolist() == [told['calibration']['scale']]
    assert stamp_of(status) == stamp_of(written.said(DEPTH)[0])


def test_a_reference_is_followed_as_often_as_is_said(estimator, drive, tmp_path):
    following = Following(period=2.5 * recording.STEP / 1e9)
    summary, written = run(
        estimator, drive, tmp_path / 'out', references=(TRUTH,), following=following
    )
    assert summary['cameras'][IMAGE]['fits'] == 2
    stamps = [stamp_of(status) for status in written.said(STATUS)]
    assert stamps == [recording.BEGIN + index * recording.STEP for index in (0, 3)]
    once = dataclasses.replace(following, fits='once')
    summary, _ = run(
        estimator, drive, tmp_path / 'once', references=(TRUTH,), following=once
    )  # fmt: skip
    assert summary['cameras'][IMAGE]['fits'] == 1


def test_fits_that_are_refused_are_counted_and_leave_no_metres(relative, drive, tmp_path):
    nothing = Following(options=dataclasses.replace(Following().options, nearest=9.9))
    summary, written = run(
        relative, drive, tmp_path / 'out', references=(TRUTH,), following=nothing
    )
    told = summary['cameras'][IMAGE]
    assert told['without_metres'] == FRAMES
    assert sum(told['refused'].values()) == 1  # a second has not passed
    assert written.said(DEPTH) == []


def test_several_cameras_in_one_pass(estimator, seen, tmp_path):
    both = recording.record(tmp_path / 'both', seen, 2, ('front', 'rear'))
    images = ('/front/image_raw', '/rear/image_raw')
    summary, written = run(estimator, both, tmp_path / 'out', images=images, topics=())
    assert summary['frames'] == 4
    depths = [f'/depth_estimation/{name}/depth/image' for name in ('front', 'rear')]
    for first, second in zip(*map(written.said, depths), strict=True):
        np.testing.assert_array_equal(first.data, second.data)
    assert written.said(STATUS)[0].cameras == ['front', 'rear']


def test_frames_that_cannot_be_used_are_counted_and_the_next_is_served(
    estimator, drive, seen, tmp_path
):
    images = Written.read(drive).records[IMAGE]
    with new_bag(tmp_path / 'damaged') as bag:
        bag.add(Topic(IMAGE, 'sensor_msgs/msg/Image'))
        for index, (arrived, data, _) in enumerate(images):
            encoding = b'bgrX' if index == 2 else b'rgb8'
            bag.write(Serialized(IMAGE, arrived, data.replace(b'rgb8', encoding)))
    summary, written = run(estimator, tmp_path / 'damaged', tmp_path / 'out')
    assert summary['frames'] == FRAMES - 1
    ((reason, count),) = summary['faults'].items()
    assert ('bgrX' in reason, count) == (True, 1)
    assert summary['notes'] == [f'{IMAGE} has no camera_info ({INFO}); the bag has none']
    assert len(written.said(IMAGE)) == FRAMES


@pytest.mark.parametrize('kind', ['mcap', 'sqlite3', 'ros1'])
def test_of_a_recording_that_was_cut_off_everything_readable_is_served(estimator, tmp_path, kind):
    if kind == 'ros1':
        cut = file = bags.ros1(tmp_path / 'cut.bag', bags.drive(8, bags.ROS1), 'lz4')
    else:
        cut = bags.ros2(tmp_path / 'cut', bags.drive(8), kind)
        file = bags.file_of(cut)
    bags.cut(file, file.stat().st_size * 2 // 3)
    summary, written = run(estimator, cut, tmp_path / 'out', images=())
    assert 4 <= summary['frames'] < 6
    cut_off = '3 messages of /cam/image_raw are damaged' if kind == 'sqlite3' else 'cut off after'
    assert summary['loss'][0].startswith(f'{file.name}: {cut_off}')
    pictures, depths = written.said('/cam/image_raw'), written.said(DEPTH)
    assert list(map(stamp_of, pictures)) == list(map(stamp_of, depths))
    assert len(depths) == summary['frames']


def test_where_no_frame_can_be_used_the_reason_is_told_and_nothing_written(estimator, tmp_path):
    with new_bag(tmp_path / 'damaged') as bag:
        bag.add(Topic(IMAGE, 'sensor_msgs/msg/Image'))
        message = types.empty('sensor_msgs/msg/Image')
        message.width = message.height = 4
        bag.write(Serialized(IMAGE, 1, types.serialize(message)))
    with pytest.raises(ValueError, match=f'no image of {IMAGE} could be used'):
        run(estimator, tmp_path / 'damaged', tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['damaged']


def test_a_recording_may_begin_at_zero(estimator, seen, tmp_path):
    with new_bag(tmp_path / 'zero') as bag:
        bag.add(Topic(IMAGE, 'sensor_msgs/msg/Image'))
        for arrived in (0, 1):
            bag.write(Serialized(IMAGE, arrived, image_of(seen[0], arrived)))
    _, written = run(estimator, tmp_path / 'zero', tmp_path / 'out')
    assert [(arrived, stamp_of(made)) for arrived, _, made in written.records[DEPTH]] == [
        (0, 0),
        (1, 1),
    ]
    with pytest.raises(ValueError, match='nothing from 0 s to 0 s'):
        run(estimator, tmp_path / 'zero', tmp_path / 'none', end=0.0)


def test_what_exists_is_replaced_only_when_that_is_said_and_it_is_a_bag(
    estimator, drive, tmp_path
):
    _, before = run(estimator, drive, tmp_path / 'out')
    with pytest.raises(FileExistsError, match='--overwrite'):
        run(estimator, drive, tmp_path / 'out')
    _, after = run(estimator, drive, tmp_path / 'out', overwrite=True, topics=())
    assert (len(before.records), len(after.records)) == (7, 4)
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'letter.txt').write_text('dear')
    with pytest.raises(FileExistsError, match='is no bag, and is not replaced'):
        run(estimator, drive, tmp_path / 'home', overwrite=True)
    assert (tmp_path / 'home' / 'letter.txt').read_text() == 'dear'


def test_topics_of_before_are_neither_mixed_in_nor_dropped_silently(estimator, drive, tmp_path):
    run(estimator, drive, tmp_path / 'out')
    with pytest.raises(ValueError, match='--namespace'):
        run(estimator, tmp_path / 'out', tmp_path / 'again')
    _, again = run(estimator, tmp_path / 'out', tmp_path / 'again', namespace='/again/')
    np.testing.assert_array_equal(
        again.said('/again/depth/image')[-1].data, again.said(DEPTH)[-1].data
    )
    with pytest.raises(ValueError, match='no topic /nowhere to copy'):
        run(estimator, drive, tmp_path / 'none', topics=('/nowhere',))


def test_a_work_travels_to_other_machines():
    work = BagWork(BUNDLED, ROAD, images=(IMAGE,))
    assert pickle.loads(pickle.dumps(work)) == work  # noqa: S301 (our own)
