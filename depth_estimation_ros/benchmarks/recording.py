# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording to measure with: a camera that moves through a rendered room, to and fro."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import messages, synthetic
from depth_estimation_ros.bag import Serialized, Topic, types
from depth_estimation_ros.bag.answers import stamped
from depth_estimation_ros.bag.writer import new_bag
from depth_estimation_ros.camera import Camera

BEGIN = 1_700_000_000_000_000_000  # ns
STEP = 33_333_333  # ns between frames
_LATE = 5_000_000  # ns from the exposure to the arrival
_WAY = 16  # poses, there and back
KINDS = {'image_raw': 'Image', 'camera_info': 'CameraInfo', 'depth': 'Image'}


class View(NamedTuple):
    """An image [H, W, 3] uint8 RGB and its exact depth [H, W] float32 m."""

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]


def camera(width: int, height: int) -> Camera:
    """Sees 65 degrees."""
    return Camera.from_hfov(width, height, 65.0)


def views(width: int, height: int, seed: int = 3) -> list[View]:
    """What the camera sees on its way, there and back."""
    room = synthetic.make_room(seed)
    lens = camera(width, height)
    poses = synthetic.trajectory(room, _WAY)
    seen = [View(*synthetic.render(room, lens, pose)) for pose in poses]
    return [*seen, *seen[-2:0:-1]]


def record(
    path: Path, seen: Sequence[View], frames: int, names: Sequence[str] = ('camera',)
) -> Path:
    """Write a bag of so many frames, with camera_info and depth, of cameras that see the same.

    Args:
        path: Folder to make.
        seen: What is seen, again and again.
        frames: How many frames each camera has.
        names: Of the cameras, whose topics are below them.
    """
    messages_of = [
        {topic: _message(kind, topic, view) for topic, kind in KINDS.items()} for view in seen
    ]
    with new_bag(path) as bag:
        for name in names:
            for topic, kind in KINDS.items():
                bag.add(Topic(f'/{name}/{topic}', f'sensor_msgs/msg/{kind}'))
        for index in range(frames):
            header = stamped(BEGIN + index * STEP, 'camera_optical')
            for topic, message in messages_of[index % len(messages_of)].items():
                message.header = header
                data = types.serialize(message)
                for name in names:
                    arrived = BEGIN + index * STEP + _LATE
                    bag.write(Serialized(f'/{name}/{topic}', arrived, data))
    return path


def _message(kind: str, topic: str, view: View) -> Any:
    message = types.empty(f'sensor_msgs/msg/{kind}')
    if kind == 'CameraInfo':
        height, width = view.depth.shape
        messages.fill_camera_info(message, camera(width, height))
    elif topic == 'depth':
        messages.fill_image(message, messages.depth_to_millimetres(view.depth), '16UC1')
    else:
        messages.fill_image(message, view.image, 'rgb8')
    return message
