# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Intrinsics that people give: a file of camera_calibration, focal lengths, a field of view."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import yaml

from depth_estimation_ros import messages, sections
from depth_estimation_ros.camera import Camera


def given(options: sections.Intrinsics, width: int, height: int) -> Camera | None:
    """The approximate camera that options describe, at this size of the image; None: nothing."""
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
