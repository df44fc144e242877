# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 2 and ROS 1 without a ROS installation."""

from depth_estimation_ros.bag.records import Serialized, Topic, profile, stamp_of
from depth_estimation_ros.bag.rgbd import rgbd, rgbd_frames
from depth_estimation_ros.bag.source import open_bag
from depth_estimation_ros.bag.writer import write

__all__ = [
    'Serialized',
    'Topic',
    'open_bag',
    'profile',
    'rgbd',
    'rgbd_frames',
    'stamp_of',
    'write',
]
