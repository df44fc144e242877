# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every tunable once: a dataclass field is a ROS parameter, a YAML key and a flag."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from depth_estimation_ros.sections import (
    CalibrationFile,
    Colorize,
    Depth,
    Diagnostics,
    Distance,
    Intrinsics,
    Points,
    Qos,
    Range,
    Reference,
    Stabilizer,
)
from depth_estimation_ros.tunable import Parameter, option, tunables

_NAMESPACE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')

RUNTIMES = (
    'auto',
    'torch',
    'openvino',
    'onnxruntime',
    'tensorrt',
    'openvino-int8',
    'onnxruntime-int8',
)


@dataclasses.dataclass(frozen=True)
class Config:
    """All of it, with the defaults.

    Raises:
        ValueError: Values that contradict each other.
    """

    model: str = option(
        'bundled',
        'Network: a name that depth-estimation models list shows, hf:<owner>/<name>, or the path '
        'of a folder or file.',
    )
    weights: str = option('', "Path of the weights, file or folder; empty: the model's own.")
    device: str = option('auto', 'auto, cpu, cuda or cuda:N; auto is CUDA where there is one.')
    runtime: str = option(
        'auto',
        'What carries the network; auto is the fastest that is installed, measured once. Those '
        'that end in -int8 are made by depth-estimation export --int8.',
        choices=RUNTIMES,
    )
    preset: str = option(
        'full',
        "Size of the network's input: full is what it was trained with, balanced three quarters "
        'and fast half of that, for speed.',
        choices=('full', 'balanced', 'fast'),
    )
    cameras: tuple[str, ...] = option(
        ('',),
        'Names of the cameras, each the namespace of its topics; one empty name: a single camera.',
    )
    image_transport: str = option(
        'raw',
        'raw subscribes to image, compressed to image/compressed.',
        choices=('raw', 'compressed'),
    )
    autostart: bool = option(True, 'Configure and activate at start, without a lifecycle manager.')
    qos: Qos = dataclasses.field(default=Qos())
    camera: Intrinsics = dataclasses.field(default=Intrinsics())
    range: Range = dataclasses.field(default=Range())
    depth: Depth = dataclasses.field(default=Depth())
    colorize: Colorize = dataclasses.field(default=Colorize())
    points: Points = dataclasses.field(default=Points())
    stabilizer: Stabilizer = dataclasses.field(default=Stabilizer())
    distance: Distance = dataclasses.field(default=Distance())
    calibration: CalibrationFile = dataclasses.field(default=CalibrationFile())
    reference: Reference = dataclasses.field(default=Reference())
    diagnostics: Diagnostics = dataclasses.field(default=Diagnostics())

    def __post_init__(self) -> None:
        for section in ('range', 'colorize'):
            low, high = getattr(self, section).min, getattr(self, section).max
            if low >= high:
                raise ValueError(f'{section}.min={low:g} must be below {section}.max={high:g}')
        if len(set(self.cameras)) != len(self.cameras) or not self.cameras:
            raise ValueError(f'cameras={list(self.cameras)} must be distinct names, at least one')
        for name in filter(None, self.cameras):
            if not _NAMESPACE.fullmatch(name):
                raise ValueError(
                    f'cameras={list(self.cameras)}: {name!r} cannot be the namespace of topics: '
                    'letters, digits and _, no digit first, in parts such as front/left'
                )
        if '' in self.cameras and len(self.cameras) > 1:
            raise ValueError(f'cameras={list(self.cameras)}: with several, each needs a name')

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Config:
        """The defaults with these dotted names replaced.

        Raises:
            ValueError: An unknown name, a value out of its range, or contradictions.
        """
        return cls().replaced(values)

    def replaced(self, values: Mapping[str, Any]) -> Config:
        """This configuration with these dotted names replaced; raises as from_values."""
        known = {parameter.name: parameter for parameter in parameters()}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f'no such parameter: {", ".join(unknown)}')
        changes: dict[str, Any] = {}
        for name, value in values.items():
            section, _, field = name.rpartition('.')
            changes.setdefault(section, {})[field] = known[name].checked(value)
        top = changes.pop('', {})
        for section, fields in changes.items():
            top[section] = dataclasses.replace(getattr(self, section), **fields)
        return dataclasses.replace(self, **top)


def parameters() -> Iterator[Parameter]:
    """Every tunable in the order of the dataclasses, sections flattened to dotted names."""
    yield from tunables(Config)
