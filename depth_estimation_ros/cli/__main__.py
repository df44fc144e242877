# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`python -m depth_estimation_ros.cli`, the same as `depth-estimation`."""

import sys

from depth_estimation_ros.cli import main

if __name__ == '__main__':
    sys.exit(main())
