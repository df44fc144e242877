# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A part of a bag begins with what publishers keep for whom comes late."""

from __future__ import annotations

import dataclasses

import bags
import pytest
from bags import START, STEP, TYPES

from depth_estimation_ros.bag import Serialized, Topic, open_bag, profile, types
from depth_estimation_ros.bag.latched import kept
from depth_estimation_ros.bag.writer import new_bag

TEXT, TRANSFORMS = 'std_msgs/msg/String', 'tf2_msgs/msg/TFMessage'
LATCHED = {'/robot_description': TEXT, '/tf_static': TRANSFORMS, '/info': bags.INFO}


def text(said):
    return TYPES.types[TEXT](said)


def transforms(**places):
    """Of frames, that lie so far before `base`."""
    message = types.empty(TRANSFORMS)
    for name, place in places.items():
        one = types.empty('geometry_msgs/msg/TransformStamped')
        one.header, one.child_frame_id = bags.header(START, 'base'), name
        one.transform.translation.x = place
        message.transforms.append(one)
    return message


@pytest.fixture
def path(tmp_path):
    recorded = [
        ('/tf_static', 0, transforms(camera=1.0, lidar=2.0)),
        ('/robot_description', 1, text('old')),
        ('/said', 1, text('once')),
        ('/tf_static', 2, transforms(camera=3.0)),
        ('/robot_description', 2, text('new')),
        ('/info', 2, bags.info(START)),
        ('/robot_description', 5, text('newest')),
    ]
    with new_bag(tmp_path / 'bag') as bag:
        for name, kind in {**LATCHED, '/said': TEXT}.items():
            bag.add(Topic(name, kind, (profile(name in LATCHED),)))
        for topic, at, message in recorded:
            bag.write(Serialized(topic, START + at * STEP, types.serialize(message)))
    return tmp_path / 'bag'


def test_the_last_of_each_topic_comes_at_the_beginning_and_transforms_of_all(path):
    with open_bag(path) as source:
        found = kept(source, source.topics, START + 4 * STEP)
        assert {one.arrived for one in found} == {START + 4 * STEP}
        told = {one.topic: source.decode(one) for one in found}
    assert set(told) == set(LATCHED)
    assert told['/robot_description'].data == 'new'
    places = {
        one.child_frame_id: one.transform.translation.x for one in told['/tf_static'].transforms
    }
    assert places == {'camera': 3.0, 'lidar': 2.0}
    assert told['/info'].header.stamp.sec == START // 10**9


def test_what_comes_later_or_is_not_wanted_is_none_of_it(path):
    with open_bag(path) as source:
        assert kept(source, source.topics, START) == []
        (found,) = kept(source, {'/robot_description', '/said'}, START + 6 * STEP)
        assert source.decode(found).data == 'newest'


def test_static_transforms_are_latched_where_a_bag_does_not_tell():
    topic = Topic('/robot/tf_static', TRANSFORMS)
    assert topic.latched
    assert not dataclasses.replace(topic, name='/tf').latched
    assert not dataclasses.replace(topic, qos=(profile(),)).latched
