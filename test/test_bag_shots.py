# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a bag: image, camera and depth of the same moment."""

from __future__ import annotations

import dataclasses
import itertools

import bags
import cv2
import numpy as np
import pytest
from bags import CAMERA, START, STEP

from depth_estimation_ros import encodings
from depth_estimation_ros.bag import Serialized, Topic, open_bag, types
from depth_estimation_ros.bag.cameras import CameraTopics, find_cameras
from depth_estimation_ros.bag.shots import Shots, frames
from depth_estimation_ros.bag.writer import new_bag
from depth_estimation_ros.encodings import Raw
from depth_estimation_ros.sections import Intrinsics

ZOOMED = dataclasses.replace(CAMERA, fx=300.0)
TOPICS = CameraTopics('', '/image', False, '/info', '/depth')


def taken(path, camera=TOPICS, given=Intrinsics(), **options):  # noqa: B008
    """All shots of a camera of a bag, and the faults of others."""
    faults = []
    with open_bag(path) as source:
        return list(frames(source, [camera], given, faults.append, **options)), faults


def picture(index, stamp=None):
    return bags.image(START + index * STEP if stamp is None else stamp, bags.noise(index))


def depth(stamp, metres):
    return bags.image(stamp, np.full((120, 160), metres, np.float32), '32FC1')


def written(folder, *recorded):
    """A bag of (topic, arrival in steps, message)."""
    timed = [(topic, START + round(at * STEP), message) for topic, at, message in recorded]
    return bags.ros2(folder / 'bag', sorted(timed, key=lambda one: one[1]))


SIZES = {'8': 1, '16': 2, 'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'nv21': 1.5, 'nv24': 3}


@pytest.mark.parametrize('encoding', encodings.KNOWN)
def test_every_encoding_is_read(tmp_path, encoding):
    ending = next((one for one in ('16', '8') if encoding.endswith(one)), '16')
    size = round(SIZES.get(encoding, SIZES[ending]) * 8)
    rows = np.random.default_rng(1).integers(0, 256, (6, size), np.uint8)
    message = bags.image(START, rows, encoding)
    message.width = 8
    if encoding in {'nv21', 'nv24'}:
        message.step = 8
    path = written(tmp_path, ('/image', 0, message))
    ((shot,), faults) = taken(path, CameraTopics('', '/image', False))
    raw = Raw(rows.tobytes(), 8, 6, message.step, encoding)
    np.testing.assert_array_equal(shot.frame.image, encodings.decode(raw))
    assert (shot.frame.stamp, shot.frame.frame_id, shot.arrived) == (START, 'optical', START)
    assert (shot.frame.camera, shot.reference, faults) == (None, None, [])


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_compressed_images_are_read(tmp_path, suffix):
    data = cv2.imencode(suffix, bags.noise(1))[1].tobytes()
    path = written(
        tmp_path, ('/i', 0, bags.compressed(START, data)), ('/i', 1, bags.compressed(1, b'no'))
    )
    (shot,), faults = taken(path, CameraTopics('', '/i', True))
    np.testing.assert_array_equal(shot.frame.image, encodings.decode_compressed(data))
    assert len(faults) == 1
    assert 'neither JPEG nor PNG' in faults[0]


@pytest.mark.parametrize('late', [-0.4, 0.0, 0.4, 3.0])
def test_camera_info_is_that_of_the_stamp_however_late_it_comes(tmp_path, late):
    zoom = [CAMERA, ZOOMED] * 6
    recorded = [('/image', index, picture(index)) for index in range(12)]
    for index, camera in enumerate(zoom):
        recorded.append(('/info', index + late, bags.info(START + index * STEP, camera)))
    alone = dataclasses.replace(TOPICS, reference=None)
    shots, faults = taken(written(tmp_path, *recorded), alone)
    assert [shot.frame.camera for shot in shots] == zoom
    assert [shot.frame.stamp for shot in shots] == [START + index * STEP for index in range(12)]
    assert faults == []


def test_a_camera_info_that_came_once_serves_for_all(tmp_path):
    path = written(
        tmp_path,
        ('/info', 0, bags.info(START)),
        *(('/image', at, picture(at)) for at in range(20)),
    )
    for start in (None, START + 5 * STEP):
        shots, _ = taken(path, start=start)
        assert len(shots) == (20 if start is None else 15)
        assert {shot.frame.camera for shot in shots} == {CAMERA}


def test_a_damaged_camera_info_is_a_fault_once(tmp_path):
    path = tmp_path / 'bag'
    with new_bag(path) as bag:
        for name, kind in (('/image', bags.IMAGE), ('/info', bags.INFO)):
            bag.add(Topic(name, kind))
        bag.write(Serialized('/info', START, b'\0\1\0\0cut'))
        for at in range(3):
            bag.write(Serialized('/image', START + at * STEP, types.serialize(picture(at))))
        bag.write(Serialized('/info', START + 9 * STEP, types.serialize(bags.info(START))))
    shots, (fault,) = taken(path, dataclasses.replace(TOPICS, reference=None))
    assert [shot.frame.camera for shot in shots] == 3 * [CAMERA]
    assert 'CameraInfo cannot be decoded' in fault


def test_without_camera_info_the_camera_is_the_given_one(tmp_path):
    path = written(tmp_path, ('/image', 0, picture(0)))
    for camera in (TOPICS, CameraTopics('', '/image', False)):
        ((shot,), _) = taken(path, camera, Intrinsics(fx=200.0))
        assert (shot.frame.camera.fx, shot.frame.camera.approximate) == (200.0, True)


def test_a_camera_info_of_another_size_is_a_fault_and_not_used(tmp_path):
    other = dataclasses.replace(CAMERA, width=200)
    path = written(tmp_path, ('/info', 0, bags.info(START, other)), ('/image', 0, picture(0)))
    (shot,), (fault,) = taken(path)
    assert shot.frame.camera is None
    assert fault.startswith('camera_info: camera_info describes 200x120 pixels')


def test_depth_is_that_next_in_time(tmp_path):
    stamps = [START + index * STEP for index in range(6)]
    recorded = [('/image', index, picture(index)) for index in range(6)]
    recorded += [('/info', index, bags.info(stamps[index])) for index in range(6)]
    recorded += [
        ('/depth', 0.3, depth(stamps[0] + 30_000_000, 1.0)),
        ('/depth', 0.9, depth(stamps[1] - 10_000_000, 2.0)),
        ('/depth', 1.2, depth(stamps[1] + 20_000_000, 3.0)),
        ('/depth', 5.0, depth(stamps[2] + 49_000_000, 4.0)),
        ('/depth', 5.1, depth(stamps[3] + 51_000_000, 5.0)),
        ('/depth', 5.2, bags.image(stamps[5], bags.noise(0))),
    ]
    shots, (fault,) = taken(written(tmp_path, *recorded))
    found = [None if shot.reference is None else shot.reference[0, 0] for shot in shots]
    assert found == [1.0, 2.0, 4.0, None, 5.0, None]
    assert fault.startswith("/depth: depth image has encoding 'rgb8'")


def test_a_frame_that_cannot_be_used_does_not_end_the_others(tmp_path):
    odd, cut = picture(1), picture(2)
    odd.encoding, cut.data = '8UC7', cut.data[:1000]
    path = written(
        tmp_path,
        *(('/image', at, one) for at, one in enumerate([picture(0), odd, cut, picture(3)])),
    )
    shots, faults = taken(path)
    assert [shot.frame.stamp for shot in shots] == [START, START + 3 * STEP]
    assert [fault.partition(':')[0] for fault in faults] == [
        "unknown encoding '8UC7'",
        'data has 1000 bytes, but step=480 times height=120 is 57600',
    ]


def test_stride_looks_at_no_image_between(tmp_path):
    broken = picture(1)
    broken.data = broken.data[:10]
    recorded = [('/image', at, broken if at % 3 else picture(at)) for at in range(10)]
    shots, faults = taken(written(tmp_path, *recorded), stride=3)
    assert [(shot.frame.stamp - START) // STEP for shot in shots] == [0, 3, 6, 9]
    assert faults == []


def test_several_cameras_are_read_in_one_pass(tmp_path):
    recorded = []
    for at in range(6):
        recorded += [
            ('/left/image', at, picture(at)),
            ('/left/camera_info', at, bags.info(START + at * STEP)),
        ]
        recorded += [
            ('/right/image', at + 0.5, picture(at)),
            ('/right/camera_info', at, bags.info(1, ZOOMED)),
        ]
    with open_bag(written(tmp_path, *recorded)) as source:
        cameras = find_cameras(source, ['/left/image', '/right/image'])
        found = list(frames(source, cameras, Intrinsics(), pytest.fail, stride=2))
    for name, camera in (('left', CAMERA), ('right', ZOOMED)):
        mine = [shot.frame for shot in found if shot.camera.name == name]
        assert [frame.stamp for frame in mine] == [START + at * STEP for at in (0, 2, 4)]
        assert {frame.camera for frame in mine} == {camera}


def test_images_do_not_wait_for_what_never_comes(tmp_path):
    path = written(
        tmp_path,
        *(('/image', at, picture(at)) for at in range(40)),
        *(('/depth', at + 0.1, depth(5, 1.0)) for at in range(40)),
    )
    with open_bag(path) as source:
        shots = Shots(source, [TOPICS], Intrinsics(), pytest.fail)
        behind = 0
        for given, record in enumerate(itertools.islice(source.messages({'/image'}), 40), 1):
            behind -= len(list(shots.add(record))) - 1
            assert behind == min(given, 8)
        assert len(list(shots.end())) == 8


def test_recordings_of_real_cameras_are_read(assets):
    with open_bag(assets / 'bags' / 'redwood_5frames_compressed') as source:
        (camera,) = find_cameras(source, references=['/camera/aligned_depth_to_color/image_raw'])
        assert camera.info == '/camera/color/camera_info'
        found = list(frames(source, [camera], Intrinsics(), pytest.fail))
    assert len(found) == 5
    for shot in found:
        assert shot.frame.image.shape == (480, 640, 3)
        assert (shot.frame.camera.width, shot.frame.camera.approximate) == (640, False)
        assert 0.9 < np.nanmin(shot.reference) < np.nanmax(shot.reference) < 3.0
