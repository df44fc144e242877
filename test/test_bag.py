# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags: RGB-D frames out, messages in, without ROS."""

from __future__ import annotations

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros import bag, messages
from depth_estimation_ros.camera import Camera

TYPES = get_typestore(Stores.LATEST)
CAMERA = Camera(8, 6, 10.0, 11.0, 3.5, 2.5)
COLOUR, DEPTH, INFO = '/cam/color/image_raw', '/cam/depth/image_raw', '/cam/color/camera_info'
KINDS = {COLOUR: 'Image', DEPTH: 'Image', INFO: 'CameraInfo'}


def header(stamp: int):
    time = TYPES.types['builtin_interfaces/msg/Time'](*divmod(stamp, 10**9))
    return TYPES.types['std_msgs/msg/Header'](time, 'optical')


def image(stamp: int, pixels: np.ndarray, encoding: str):
    return TYPES.types['sensor_msgs/msg/Image'](
        header=header(stamp),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=pixels.strides[0],
        data=np.frombuffer(pixels.tobytes(), np.uint8),
    )


def info(stamp: int):
    roi = TYPES.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return TYPES.types['sensor_msgs/msg/CameraInfo'](
        header=header(stamp),
        height=CAMERA.height,
        width=CAMERA.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=CAMERA.matrix.ravel(),
        r=np.eye(3).ravel(),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


def written(path, recorded):
    topics = [bag.Topic(name, f'sensor_msgs/msg/{kind}') for name, kind in KINDS.items()]
    serialized = [
        bag.Serialized(
            topic, stamp, bytes(TYPES.serialize_cdr(message, f'sensor_msgs/msg/{KINDS[topic]}'))
        )
        for topic, stamp, message in recorded
    ]
    bag.write(path, topics, serialized)
    return path


def frame(index: int, depth_shape: tuple[int, int] = (6, 8)):
    """Messages of a frame 100 ms after the one before; its depth comes 10 ms late."""
    stamp = 10**18 + index * 100_000_000
    picture = np.full((6, 8, 3), 10 * index, np.uint8)
    picture[..., 0] = 200
    depth = np.full(depth_shape, 1000 + index, np.uint16)
    depth[0, 0] = 0
    late = stamp + 10_000_000
    return [
        (COLOUR, stamp, image(stamp, picture, 'rgb8')),
        (INFO, stamp, info(stamp)),
        (DEPTH, late, image(late, depth, '16UC1')),
    ]


def test_frames_come_with_the_depth_next_to_them_in_time(tmp_path):
    path = written(tmp_path / 'bag', [*frame(2), *frame(1), *frame(3)])
    frames = bag.rgbd_frames(path, limit=2)
    assert len(frames) == 2
    for index, (found, depth) in enumerate(frames, 1):
        assert found.camera == CAMERA
        assert found.frame_id == 'optical'
        assert found.stamp == 10**18 + index * 100_000_000
        np.testing.assert_array_equal(found.image[2, 3], [200, 10 * index, 10 * index])
        assert np.isnan(depth[0, 0])
        np.testing.assert_allclose(depth[1:], 1.0 + index / 1000, rtol=1e-6)


@pytest.mark.parametrize('first', [COLOUR, DEPTH])
def test_a_topic_may_begin_long_before_the_other(tmp_path, first):
    early = [one for index in range(3) for one in frame(index) if one[0] == first]
    path = written(tmp_path / 'bag', [*early, *frame(7), *frame(8)])
    found = bag.rgbd_frames(path, limit=2)
    assert [one.stamp - 10**18 for one, _ in found] == [700_000_000, 800_000_000]


def test_a_camera_info_without_messages_is_named(tmp_path):
    colour, _, depth = frame(1)
    with pytest.raises(ValueError, match=f'no camera_info {INFO}'):
        bag.rgbd_frames(written(tmp_path / 'bag', [colour, depth]), 1)


def test_a_written_bag_tells_types_and_counts_and_keeps_the_bytes(tmp_path):
    recorded = frame(1)
    path = written(tmp_path / 'bag', recorded)
    with AnyReader([path]) as reader:
        assert {topic: one.msgcount for topic, one in reader.topics.items()} == dict.fromkeys(
            KINDS, 1
        )
        (connection,) = reader.topics[DEPTH].connections
        assert 'uint32 height' in connection.msgdef.data
        ((_, arrived, data),) = reader.messages([connection])
        assert arrived == recorded[2][1]
        np.testing.assert_array_equal(
            messages.decode_depth(reader.deserialize(data, connection.msgtype)),
            messages.decode_depth(recorded[2][2]),
        )


def test_what_a_bag_lacks_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no bag .*nowhere'):
        bag.rgbd_frames(tmp_path / 'nowhere', 5)
    colour, camera_info, depth = frame(1)
    without_depth = written(tmp_path / 'colour', [colour, camera_info])
    with pytest.raises(
        ValueError, match=f'has no depth .*it has {INFO} .*, {COLOUR} .*, {DEPTH} '
    ):
        bag.rgbd_frames(without_depth, 5)
    far_away = written(tmp_path / 'late', [colour, camera_info, frame(4)[2]])
    with pytest.raises(ValueError, match='within 50 ms'):
        bag.rgbd_frames(far_away, 5)
    unregistered = written(tmp_path / 'small', frame(1, depth_shape=(3, 4)))
    with pytest.raises(ValueError, match='must be registered'):
        bag.rgbd_frames(unregistered, 5)
    assert depth[0] == DEPTH


def test_compressed_recordings_are_read(assets):
    frames = bag.rgbd_frames(assets / 'bags' / 'redwood_5frames_compressed', 10)
    assert len(frames) == 5
    found, depth = frames[0]
    assert found.image.shape == (480, 640, 3)
    assert 0.9 < np.nanmin(depth) < np.nanmax(depth) < 3.0
