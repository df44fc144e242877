# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""RGB-D frames out of bags."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.bag.cameras import (
    CameraTopics,
    camera_images,
    depth_images,
    find_cameras,
    listed,
)
from depth_estimation_ros.bag.shots import PAIRED, Shot, frames
from depth_estimation_ros.bag.source import BagSource, open_bag
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.sections import Intrinsics

# Names that drivers give to depth in the colour camera's frame.
_REGISTERED = ('aligned', 'registered')


def rgbd_frames(path: Path, limit: int) -> list[tuple[Frame, NDArray[np.float32]]]:
    """The first frames of a bag with their registered depth, at most so many; see `rgbd`."""
    return list(itertools.islice(rgbd(path), limit))


def rgbd(path: Path) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    """The frames of a bag with their registered depth, one after the other.

    The topics are found by type and encoding, camera_info beside the colour images.

    Args:
        path: Folder of a ROS 2 bag, or a ROS 1 file.

    Yields:
        A frame, and the depth of every pixel: [H, W] float32 in metres, NaN unknown.

    Raises:
        FileNotFoundError: There is no such bag.
        ValueError: It cannot be read, or lacks colour, camera_info or registered depth.
    """
    with open_bag(path) as source:
        camera = _camera(source)
        paired = False
        for shot in frames(source, [camera], Intrinsics(), _refuse):
            if shot.reference is not None:
                paired = True
                yield shot.frame, _registered(camera, shot, shot.reference)
    if not paired:
        raise ValueError(
            f'{path}: no picture of {camera.image} has a depth image of {camera.reference} within '
            f'{PAIRED / 1e6:.0f} ms'
        )


def _refuse(reason: str) -> None:
    raise ValueError(reason)


def _camera(source: BagSource) -> CameraTopics:
    depths = depth_images(source)
    if not depths:
        raise ValueError(
            f'{source.path} has no depth (16UC1 or 32FC1) image topic; it has {listed(source)}'
        )
    named = [one for one in depths if any(word in one.lower() for word in _REGISTERED)]
    images = camera_images(source)[:1]
    (camera,) = find_cameras(source, images, references=(named or depths)[:1])
    if camera.info is None:
        wanted = camera.image.removesuffix('/compressed').rpartition('/')[0] + '/camera_info'
        raise ValueError(f'{source.path} has no camera_info {wanted} for {camera.image}')
    return camera


def _registered(
    camera: CameraTopics, shot: Shot, depth: NDArray[np.float32]
) -> NDArray[np.float32]:
    height, width = shot.frame.image.shape[:2]
    if depth.shape != (height, width):
        raise ValueError(
            f'{camera.reference} is {depth.shape[1]}x{depth.shape[0]}, the picture '
            f'{width}x{height}: the depth must be registered to it'
        )
    return depth
