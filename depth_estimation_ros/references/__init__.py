# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where known distances come from: pixels of an image, with their depth in metres."""

from depth_estimation_ros.references.base import References, fit_to, fit_together

__all__ = ['References', 'fit_to', 'fit_together']
