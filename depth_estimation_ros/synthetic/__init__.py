# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered rooms with exact depth: for demo, tests and the training of the bundled model."""

from depth_estimation_ros.synthetic.motion import look, random_pose, trajectory
from depth_estimation_ros.synthetic.render import WEBCAM, Pose, render
from depth_estimation_ros.synthetic.scene import Room, make_room

__all__ = ['WEBCAM', 'Pose', 'Room', 'look', 'make_room', 'random_pose', 'render', 'trajectory']
