# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sources of references by name, as the node's and the command line's doors reach them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import yaml

from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references.base import References
from depth_estimation_ros.references.depth_camera import DepthCameraOptions, depth_camera
from depth_estimation_ros.references.ground import GroundOptions, ground
from depth_estimation_ros.references.height import ObjectOptions, object_of_height
from depth_estimation_ros.references.lidar import LidarOptions, lidar
from depth_estimation_ros.references.marker import MarkerOptions, marker
from depth_estimation_ros.tunable import from_values


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """The options of a method that takes none."""


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to calibrate.

    Attributes:
        value: What its number is, its name first, its unit last; empty: it takes none.
        options: Dataclass of its tunables.
        sensor: What it takes beside the image: depth (a registered depth image, [H', W'] float32
            m), points (of a lidar, [N, 3] m in the optical frame), down (gravity in the optical
            frame, [3], or None where it is not known), or empty.
        references: From depth map, value, options and what the sensor says. None: the value is
            the factor itself.
    """

    value: str
    options: type[Any]
    sensor: str = ''
    references: Callable[[DepthMap, float, Any, Any], References] | None = None


METHODS = {
    'marker': Method(
        'side of the marker, or of a square of the board, m',
        MarkerOptions,
        references=lambda depth_map, side, options, _: marker(depth_map, side, options),
    ),
    'object': Method(
        'height of the object, m',
        ObjectOptions,
        references=lambda depth_map, height, options, _: object_of_height(
            depth_map, height, options
        ),
    ),
    'ground': Method(
        'height of the camera above the ground, m',
        GroundOptions,
        'down',
        ground,
    ),
    'depth': Method(
        '',
        DepthCameraOptions,
        'depth',
        lambda depth_map, _, options, depth: depth_camera(depth_map, depth, options),
    ),
    'lidar': Method(
        '',
        LidarOptions,
        'points',
        lambda depth_map, _, options, points: lidar(depth_map, points, options),
    ),
    'factor': Method('factor that makes metres of what the network says', NoOptions),
}


def method(name: str) -> Method:
    """The method of this name.

    Raises:
        ValueError: There is none; the text lists those there are.
    """
    if name not in METHODS:
        raise ValueError(f'no method {name!r}: there is {", ".join(METHODS)}')
    return METHODS[name]


def parse(name: str, text: str, options: type[Any] | None = None) -> Any:
    """The options of a method from a YAML mapping, empty for the defaults.

    Args:
        name: Of the method.
        text: The mapping.
        options: Dataclass with more tunables than the method's own, where a door adds some.

    Raises:
        ValueError: No such method or option, a value it does not take, or no mapping.
    """
    options = options or method(name).options
    try:
        given = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no such date, too deep
        reason = ' '.join(str(error).split())  # YAML's own take several lines
        raise ValueError(f'options {text!r} are no YAML: {reason}') from error
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise ValueError(  # noqa: TRY004 (it is the text that is wrong)
            f'options {text!r} are no mapping: write them as "{{name: value}}"'
        )
    try:
        return from_values(options, {str(key): value for key, value in given.items()})
    except ValueError as error:
        raise ValueError(f'method {name}: {error}') from error
