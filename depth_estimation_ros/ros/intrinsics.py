# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which camera took an image: of its CameraInfo, or as the parameters say."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from depth_estimation_ros import intrinsics, messages, sections
from depth_estimation_ros.camera import Camera

_KEPT = 10  # CameraInfo messages, to find the one with the image's stamp


class Intrinsics:
    """The last CameraInfo messages of a camera.

    Args:
        given: What the parameters say.
        on_fault: Takes a message about a CameraInfo that is refused.
    """

    def __init__(self, given: sections.Intrinsics, on_fault: Callable[[str], None]) -> None:
        self._given, self._on_fault = given, on_fault
        self._infos: collections.deque[Any] = collections.deque(maxlen=_KEPT)

    def add(self, info: Any) -> None:
        """Keep a sensor_msgs/CameraInfo."""
        self._infos.append(info)

    def camera(self, stamp: Any, width: int, height: int) -> Camera | None:
        """From the CameraInfo with this stamp, else the newest, else the parameters."""
        infos, given = list(self._infos), self._given
        same = [info for info in infos if info.header.stamp == stamp]
        info = (same or infos or [None])[-1]
        focal = 0.0 if info is None else (info.p if given.rectified else info.k)[0]
        if info is not None and (focal != 0.0 or not (given.fx or given.hfov)):
            try:
                return messages.camera_from_info(info, width, height, given.rectified)
            except ValueError as error:
                self._on_fault(f'camera_info: {error}')
                return None
        return intrinsics.given(given, width, height)
