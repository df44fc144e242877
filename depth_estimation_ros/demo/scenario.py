# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a demonstration shows: which camera, which network, which colours."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from depth_estimation_ros.models import store
from depth_estimation_ros.models.resolve import resolve

_BESIDE_BAG = Path('..', '..', 'weights', 'meter')


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One demonstration.

    Attributes:
        title: What is seen, for people.
        truth: What the depth is compared with, for people.
        camera: Arguments of the camera process.
        model: Name of the network.
        weights: Path of its weights; empty: where the catalogue says.
        near, far: Depths in metres of the warmest and the coldest colour.
    """

    title: str
    truth: str
    camera: tuple[str, ...]
    model: str
    weights: str
    near: float
    far: float

    def node_arguments(self) -> list[str]:
        """ROS arguments that start the node for it."""
        values = {
            'model': self.model,
            'weights': self.weights,
            'colorize.min': self.near,
            'colorize.max': self.far,
            'calibration.load': 'false',
            'distance.history': 20,
        }
        arguments = ['--ros-args', '-r', 'image:=camera/image']
        arguments += ['-r', 'camera_info:=camera/camera_info']
        for name, value in values.items():
            arguments += ['-p', f'{name}:={value}'] if value != '' else []
        return arguments


def rendered() -> Scenario:
    """A camera that drives through a rendered room, and the bundled relative network."""
    return Scenario(
        title='rendered room',
        truth='exact depth',
        camera=(),
        model='bundled-relative',
        weights='',
        near=0.5,
        far=8.0,
    )


def recorded(bag: Path, file: Path | None) -> Scenario:
    """The frames of a bag with registered depth, and METER.

    Args:
        bag: The bag.
        file: METER's weights; None: weights/meter two folders above the bag, else where the
            catalogue says.

    Raises:
        FileNotFoundError: No bag, or no weights; the text says where they were looked for.
    """
    if not bag.exists():
        raise FileNotFoundError(f'there is no bag {bag}')
    beside = bag / _BESIDE_BAG / resolve('meter-nyu-xxs').file
    if file is None and beside.is_file():
        file = beside
    spec = resolve('meter-nyu-xxs', str(file or ''))
    return Scenario(
        title=f'bag {bag.resolve().name}',
        truth="sensor's depth",
        camera=('--bag', str(bag.resolve())),
        model=spec.name,
        weights=str(store.locate(spec).resolve()),
        near=0.5,
        far=4.0,
    )
