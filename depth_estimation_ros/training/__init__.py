# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains the bundled model on rendered rooms: `python -m depth_estimation_ros.training`."""
