# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 2 and ROS 1 without a ROS installation."""

from depth_estimation_ros.bag.records import Serialized as Serialized
from depth_estimation_ros.bag.records import Topic as Topic
from depth_estimation_ros.bag.records import profile as profile
from depth_estimation_ros.bag.records import stamp_of as stamp_of
from depth_estimation_ros.bag.rgbd import rgbd as rgbd
from depth_estimation_ros.bag.rgbd import rgbd_frames as rgbd_frames
from depth_estimation_ros.bag.source import BagSource as BagSource
from depth_estimation_ros.bag.source import open_bag as open_bag
from depth_estimation_ros.bag.writer import write as write
