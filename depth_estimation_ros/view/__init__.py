# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps where people see them without ROS: in rerun, or in a file for it."""

from depth_estimation_ros.view.view import View

__all__ = ['View']
