# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera without ROS: its newest frame, and what is shown of it in a window or a terminal."""
