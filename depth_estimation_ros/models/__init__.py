# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: what there is, where their weights lie, and the architectures no library ships."""
