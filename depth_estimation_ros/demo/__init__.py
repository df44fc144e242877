# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a camera, the node and a client in three processes on a real ROS graph."""
