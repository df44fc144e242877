# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Monocular depth for robots: camera images in, metric depth, colour and point clouds out."""

__version__ = '0.1.0'
