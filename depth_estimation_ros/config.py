# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every tunable once: a dataclass field is a ROS parameter, a YAML key and a flag."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from depth_estimation_ros.tunable import Parameter, option

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
class Qos:
    """How images are subscribed to."""

    image: str = option(
        'auto',
        'Reliability of the image and camera_info subscriptions: auto is reliable when every '
        'publisher offers it, best effort otherwise, decided again when publishers come and go.',
        choices=('auto', 'reliable', 'best_effort'),
    )


@dataclasses.dataclass(frozen=True)
class Intrinsics:
    """What to use where CameraInfo says nothing."""

    fx: float = option(
        0.0,
        'Focal length in pixels, for a camera whose CameraInfo is missing '
        'or uncalibrated; 0: not known.',
        minimum=0.0,
    )
    fy: float = option(0.0, 'Vertical focal length in pixels, with fx; 0: as fx.', minimum=0.0)
    cx: float = option(
        0.0, 'Principal point in pixels, with fx; 0: the centre of the image.', minimum=0.0
    )
    cy: float = option(
        0.0, 'Principal point in pixels, with fx; 0: the centre of the image.', minimum=0.0
    )
    hfov: float = option(
        0.0,
        'Horizontal field of view in degrees, the last resort when neither '
        'CameraInfo nor fx is known; 0: not known.',
        minimum=0.0,
        maximum=179.0,
    )
    rectified: bool = option(
        False,
        'The images are rectified (topic image_rect): use P of CameraInfo and no distortion.',
    )


@dataclasses.dataclass(frozen=True)
class Range:
    """The depths that are trusted."""

    min: float = option(
        0.1,
        'Depth in metres below which a pixel is published as -Inf.',
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    max: float = option(
        20.0,
        'Depth in metres beyond which a pixel is published as +Inf.',
        minimum=0.001,
        maximum=1000.0,
        live=True,
    )


@dataclasses.dataclass(frozen=True)
class Depth:
    """The depth image."""

    encoding: str = option(
        '32FC1',
        'Encoding of ~/depth/image: 32FC1 metres, or 16UC1 millimetres with 0 invalid.',
        choices=('32FC1', '16UC1'),
        live=True,
    )


@dataclasses.dataclass(frozen=True)
class Colorize:
    """The coloured picture."""

    min: float = option(
        0.3, 'Depth in metres of the warmest colour.', minimum=0.0, maximum=1000.0, live=True
    )
    max: float = option(
        8.0, 'Depth in metres of the coldest colour.', minimum=0.001, maximum=1000.0, live=True
    )
    colormap: str = option(
        'turbo',
        'Colours, near warm and far cold.',
        choices=('turbo', 'inferno', 'gray'),
        live=True,
    )
    jpeg_quality: int = option(
        80, 'Quality of ~/colorized/image/compressed.', minimum=1, maximum=100, live=True
    )


@dataclasses.dataclass(frozen=True)
class Distance:
    """Distances at pixels."""

    window: int = option(
        5,
        'Side in pixels of the square over which the median is taken.',
        minimum=1,
        maximum=99,
        live=True,
    )
    history: int = option(
        5, 'Frames kept, so that a distance can be asked for by stamp.', minimum=1, maximum=100
    )


@dataclasses.dataclass(frozen=True)
class CalibrationFile:
    """Where calibrations live."""

    directory: str = option(
        '',
        'Folder of the calibration files; empty: depth_estimation under '
        '$XDG_STATE_HOME, or ~/.local/state.',
    )
    load: bool = option(
        True, 'Load the calibration saved for this camera and model at the first frame.'
    )


@dataclasses.dataclass(frozen=True)
class Diagnostics:
    """What the node says of itself."""

    period: float = option(
        1.0, 'Seconds between messages on /diagnostics.', minimum=0.05, maximum=60.0
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
    qos: Qos = Qos()
    camera: Intrinsics = Intrinsics()
    range: Range = Range()
    depth: Depth = Depth()
    colorize: Colorize = Colorize()
    distance: Distance = Distance()
    calibration: CalibrationFile = CalibrationFile()
    diagnostics: Diagnostics = Diagnostics()

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
    yield from _parameters(Config, '')


def _parameters(section: type[Any], prefix: str) -> Iterator[Parameter]:
    types = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        if dataclasses.is_dataclass(types[field.name]):
            yield from _parameters(typing.cast('type[Any]', types[field.name]), f'{field.name}.')
        else:
            yield Parameter(prefix + field.name, field.default, **field.metadata)
