# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras a bag has."""

from __future__ import annotations

import re

import bags
import numpy as np
import pytest
from bags import START

from depth_estimation_ros.bag import open_bag
from depth_estimation_ros.bag.cameras import CameraTopics, find_cameras

PICTURE, MILLIMETRES = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint16)
OF_KIND = {
    'image': lambda: bags.image(START, PICTURE),
    'grey': lambda: bags.image(START, PICTURE[..., 0], 'mono8'),
    'depth': lambda: bags.image(START, MILLIMETRES, '16UC1'),
    'labels': lambda: bags.image(START, MILLIMETRES, '16SC1'),
    'compressed': lambda: bags.compressed(START, b'\xff\xd8'),
    'info': lambda: bags.info(START),
}


def found(folder, topics, *names, **options):
    """The cameras of a bag with a message on each topic, and what was said of them."""
    path = bags.ros2(folder / 'bag', [(name, START, OF_KIND[kind]()) for name, kind in topics])
    said = []
    with open_bag(path) as source:
        return find_cameras(source, *names, say=said.append, **options), said


@pytest.mark.parametrize(
    ('topics', 'image'),
    [
        ([('/image', 'image')], '/image'),
        ([('/cam/image_raw', 'grey'), ('/cam/image_raw/compressed', 'compressed')],
         '/cam/image_raw'),
        ([('/a/image/compressed', 'compressed'), ('/a/depth/compressedDepth', 'compressed')],
         '/a/image/compressed'),
        ([('/c/infra1/image', 'grey'), ('/c/color/image', 'image'), ('/c/depth/image', 'depth')],
         '/c/color/image'),
        ([('/seen', 'image'), ('/depth_estimation/colorized/image', 'image'), ('/ids', 'labels')],
         '/seen'),
    ],
)  # fmt: skip
def test_the_image_that_can_be_meant_is_found(tmp_path, topics, image):
    ((camera,), said) = found(tmp_path, topics)
    assert (camera.name, camera.image) == ('', image)
    assert camera.compressed == image.endswith('/compressed')
    assert camera.info is None
    assert said[0].startswith(f'{image} has no camera_info (')


@pytest.mark.parametrize(
    ('image', 'infos', 'expected', 'said'),
    [
        ('/cam/image_raw', ['/cam/camera_info', '/cam/other_info'], 0, 0),
        ('/cam/image_raw/compressed', ['/other/camera_info', '/cam/camera_info'], 1, 0),
        ('/image', ['/camera_info', '/cam/camera_info'], 0, 0),
        ('/cam/image_raw', ['/cam/info', '/other/camera_info'], 0, 0),
        ('/cam/image_raw', ['/cam/image_raw/camera_info', '/other/camera_info'], 0, 0),
        ('/cam/image_raw', ['/somewhere/else'], 0, 1),
        ('/cam/image_raw', ['/somewhere/else', '/or/here'], None, 1),
        ('/cam/image_raw', [], None, 1),
    ],
)
def test_camera_info_lies_beside_the_image(tmp_path, image, infos, expected, said):
    kind = 'compressed' if image.endswith('compressed') else 'image'
    topics = [(image, kind), *((info, 'info') for info in infos)]
    (camera,), heard = found(tmp_path, topics)
    assert camera.info == (None if expected is None else infos[expected])
    assert len(heard) == said
    assert all(info in heard[0] for info in infos if said)


def test_what_is_named_is_taken(tmp_path):
    topics = [
        ('/a/image', 'image'), ('/b/image', 'image'), ('/a/camera_info', 'info'),
        ('/odd', 'info'), ('/b/depth', 'depth'), ('/a/depth', 'depth'),
    ]  # fmt: skip
    (camera,), said = found(tmp_path, topics, ['/b/image'], ['/odd'], ['/b/depth'])
    assert camera == CameraTopics('', '/b/image', False, '/odd', '/b/depth')
    assert camera.topics == {'/b/image', '/odd', '/b/depth'}
    assert said == []


@pytest.mark.parametrize(
    ('images', 'names'),
    [
        (['/front/image_raw', '/rear/image_raw/compressed'], ['front', 'rear']),
        (['/robot/cam/left/image', '/robot/cam/right/image'], ['left', 'right']),
        (['/cam/image_raw', '/cam/image_rect'], ['image_raw', 'image_rect']),
        (['/cam/image', '/cam/image/compressed'], ['image', 'image_compressed']),
        (['/image_raw', '/rear/image_raw'], ['image_raw', 'rear_image_raw']),
        (['/cam/0/image', '/cam/1/image'], ['camera_0', 'camera_1']),
        (['/a/b/image', '/a/c/d/image'], ['b', 'c_d']),
    ],
)
def test_several_cameras_have_names(tmp_path, images, names):
    kinds = ['compressed' if image.endswith('compressed') else 'image' for image in images]
    cameras, _ = found(tmp_path, [*zip(images, kinds, strict=True)], images)
    assert [camera.name for camera in cameras] == names
    assert all(re.fullmatch('[a-z][a-z0-9_]*', name) for name in names)


@pytest.mark.parametrize(
    ('topics', 'names', 'words'),
    [
        ([('/info', 'info'), ('/d', 'depth')], [],
         r'no image topic with pictures .*/d \(sensor_msgs/msg/Image\), /info \(sensor_msgs'),
        ([('/a/rgb', 'image'), ('/b/rgb', 'image')], [],
         r'has 2 image topics: /a/rgb, /b/rgb; name .* --image-topic'),
        ([('/a', 'image')], [['/b']], r'has no topic /b; it has /a \(sensor_msgs/msg/Image\)'),
        ([('/a', 'info')], [['/a']], 'is of type sensor_msgs/msg/CameraInfo, not sensor_msgs'),
        ([('/a', 'image')], [['/a'], ['/a']], 'not sensor_msgs/msg/CameraInfo; there are /a'),
        ([('/a', 'image'), ('/i', 'info')], [['/a'], ['/i', '/i']], '2 topics of .*info for 1'),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_with_what_is(tmp_path, topics, names, words):
    with pytest.raises(ValueError, match=words):
        found(tmp_path, topics, *names)


def test_a_topic_that_is_missed_may_have_been_lost(tmp_path):
    path = bags.ros2(tmp_path / 'bag', [('/image', START, OF_KIND['image']())])
    bags.cut(bags.file_of(path), 60)
    with (
        open_bag(path) as source,
        pytest.raises(
            ValueError, match=r'no topic at all \(not all could be read: bag\.mcap: cut'
        ),
    ):
        find_cameras(source, ['/image'])


def test_a_bag_without_messages_has_no_camera(tmp_path):
    with open_bag(bags.ros2(tmp_path / 'none', [])) as source:
        with pytest.raises(ValueError, match='it has no topic at all'):
            find_cameras(source)
        assert (source.start, source.end, source.loss) == (0, 0, [])
        assert list(source.messages()) == []
