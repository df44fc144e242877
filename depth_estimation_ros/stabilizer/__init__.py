# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the answers of a network in one scale while camera and things move."""

from depth_estimation_ros.stabilizer.stabilizer import Stabilizer, Steadied

__all__ = ['Stabilizer', 'Steadied']
