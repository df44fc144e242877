# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which camera took an image: from CameraInfo, or from what the user gives.

That is a file of camera_calibration, focal lengths or a field of view.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from depth_estimation_ros import messages, sections
from depth_estimation_ros.camera import Camera

_KEPT = 10  # CameraInfo messages, to find the one with the image's stamp


class CameraInfos:
    """The last CameraInfo messages of a camera.

    Args:
        given: What the parameters say.
        on_fault: Takes a message about a CameraInfo that is refused.
    """

    def __init__(self, given: sections.Intrinsics, on_fault: Callable[[str], object]) -> None:
        self._given, self._on_fault = given, on_fault
        self._infos: collections.deque[Any] = collections.deque(maxlen=_KEPT)

    def add(self, info: Any) -> None:
        """Keep a sensor_msgs/CameraInfo."""
        self._infos.append(info)

    def camera(self, stamp: Any, width: int, height: int) -> Camera | None:
        """From the CameraInfo with this stamp, else the newest, else the parameters."""
        infos, options = list(self._infos), self._given
        same = [info for info in infos if info.header.stamp == stamp]
        info = (same or infos or [None])[-1]
        focal = 0.0 if info is None else (info.p if options.rectified else info.k)[0]
        if info is not None and (focal != 0.0 or not (options.fx or options.hfov)):
            try:
                return messages.camera_from_info(info, width, height, options.rectified)
            except ValueError as error:
                self._on_fault(f'camera_info: {error}')
                return None
        return given(options, width, height)


def told(
    file: Path | None, options: sections.Intrinsics, width: int, height: int
) -> Camera | None:
    """The camera of images of this size, from a file or else from options; None: unknown.

    Raises:
        FileNotFoundError, ValueError: It is not such a file, or for images of another size.
    """
    if file is None:
        return given(options, width, height)
    calibrated = load(file)
    if (calibrated.width, calibrated.height) != (width, height):
        raise ValueError(
            f'{file} describes images of {calibrated.width}x{calibrated.height}, not '
            f'{width}x{height}: give the one that belongs to these images'
        )
    return calibrated


def given(options: sections.Intrinsics, width: int, height: int) -> Camera | None:
    """The approximate camera that options describe, at this image size; None: unknown."""
    if options.fx:
        return Camera(
            width,
            height,
            options.fx,
            options.fy or options.fx,
            options.cx or (width - 1) / 2.0,
            options.cy or (height - 1) / 2.0,
            approximate=True,
        )
    return Camera.from_hfov(width, height, options.hfov) if options.hfov else None


def load(file: Path) -> Camera:
    """The camera of a YAML file as camera_calibration and camera_info_manager write it.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file describes no camera; the text names it.
    """
    try:
        stored = yaml.safe_load(file.read_text(encoding='utf-8'))
        info = SimpleNamespace(
            width=int(stored['image_width']),
            height=int(stored['image_height']),
            distortion_model=str(stored['distortion_model']),
            d=list(stored['distortion_coefficients']['data']),
            k=list(stored['camera_matrix']['data']),
        )
        return messages.camera_from_info(info, info.width, info.height)
    except (yaml.YAMLError, LookupError, TypeError, ValueError, OverflowError) as error:
        reason = ' '.join(str(error).split())  # YAML's own take several lines
        raise ValueError(
            f'{file} is no camera_info file ({reason}): give one as camera_calibration writes it'
        ) from error
