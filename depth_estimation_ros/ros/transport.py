# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a process that sends and takes images wants in its environment before it starts.

Fast DDS' default shared-memory segment is smaller than a camera frame; between processes, best
effort then loses most frames and reliable takes ten times as long (depth_estimation_ros.benchmarks
measures it). The profile in config/fastdds.xml has a segment of 64 MiB. It works for what its
process sends, so the camera driver wants it as well. glibc's malloc gives every buffer of a few
megabytes back to the kernel and faults it in again for the next message; its variables below make
it keep them. OpenMP threads that spin at barriers starve the processes they share cores with.

All of it is read when a process starts, so `apply` restarts the interpreter once. Other
middlewares ignore the profile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SWITCH = 'DEPTH_ESTIMATION_TRANSPORT'
"""Environment variable; `system` leaves the environment as it is."""

_PACKAGE = 'depth_estimation_ros'
_PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
_FAST_DDS_2 = ('humble', 'iron', 'jazzy')

MEMORY = {
    'MALLOC_MMAP_THRESHOLD_': str(1 << 30),
    'MALLOC_TRIM_THRESHOLD_': str(2 << 30),
    'MALLOC_TOP_PAD_': str(64 << 20),
    'OMP_WAIT_POLICY': 'PASSIVE',
}
"""Variables of glibc's malloc (bytes) and of OpenMP."""


def profile_path() -> Path:
    """The Fast DDS profile that is installed with the package, or that of the source tree.

    Raises:
        FileNotFoundError: It was not installed.
    """
    here = Path(__file__).resolve()
    source = here.parents[2] / 'config' / 'fastdds.xml'
    installed = (folder / 'share' / _PACKAGE / 'config' / 'fastdds.xml' for folder in here.parents)
    for path in (source, *installed):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f'share/{_PACKAGE}/config/fastdds.xml was not installed beside {here}: '
        'install the package again'
    )


def profile_variable(environment: Mapping[str, str]) -> str:
    """The variable that names a profile file to the Fast DDS of the sourced distribution.

    Fast DDS 2 knows the second name only; Fast DDS 3 warns when it sees it.
    """
    return _PROFILE_VARIABLES[environment.get('ROS_DISTRO', '') in _FAST_DDS_2]


def missing(environment: Mapping[str, str]) -> dict[str, str]:
    """What `environment` lacks; whatever it has already stays.

    Args:
        environment: Of this process, or of the one to be started.

    Raises:
        FileNotFoundError: The profile was not installed.
    """
    if environment.get(SWITCH) == 'system':
        return {}
    wanted = dict(MEMORY)
    if not any(name in environment for name in _PROFILE_VARIABLES):
        wanted[profile_variable(environment)] = str(profile_path())
    return {name: value for name, value in wanted.items() if name not in environment}


def apply() -> None:
    """Restart this process with what its environment lacks; nothing, when it lacks nothing.

    Call it before anything of ROS, NumPy or PyTorch is loaded.
    """
    lacking = missing(os.environ)
    if lacking:
        sys.stdout.flush()
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **lacking})  # noqa: S606
