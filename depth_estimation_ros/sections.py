# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sections of the configuration: groups of tunables, each with a prefix of its own."""

from __future__ import annotations

import dataclasses

from depth_estimation_ros.tunable import option


@dataclasses.dataclass(frozen=True)
class Qos:
    """How images are subscribed to."""

    image: str = option(
        'auto',
        'Reliability of the subscriptions to images, camera_info and reference sensors: auto is '
        'reliable when every publisher offers it, best effort otherwise, decided again when '
        'publishers come and go.',
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
class Points:
    """The point cloud."""

    edges: float = option(
        0.03,
        'Share of its depth by which a pixel must hang between two surfaces, rising from the one '
        'and towards the other, to have no point in ~/points; 0: every pixel has.',
        minimum=0.0,
        maximum=1.0,
        live=True,
    )


@dataclasses.dataclass(frozen=True)
class Stabilizer:
    """What keeps the answers of the network in one scale."""

    enabled: bool = option(
        True,
        'Keep scale and shift of what the network says from frame to frame: by the motion of the '
        'camera where there are metres and intrinsics, by what stands still in the picture '
        'otherwise.',
        live=True,
    )
    smooth: float = option(
        0.0,
        'Weight of what a pixel said before, while the camera stands and where the picture does '
        'not change; 0: each frame by itself.',
        minimum=0.0,
        maximum=0.95,
        live=True,
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
        5,
        'Frames kept: a distance can be asked for by the stamp of each, and its standard '
        'deviation knows how it wavers over those of the last second.',
        minimum=1,
        maximum=100,
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
class Reference:
    """Sensors to calibrate against, again and again."""

    continuous: str = option(
        'none',
        'Keep the calibration of every camera to this sensor: depth is a depth camera on '
        'reference/depth, lidar one on reference/points; none: only when calibrate_from asks.',
        choices=('none', 'depth', 'lidar'),
        live=True,
    )
    period: float = option(
        1.0,
        'Seconds between two fits to the sensor, at least.',
        minimum=0.05,
        maximum=3600.0,
        live=True,
    )
    options: str = option(
        '',
        'Options of the method depth or lidar, as for calibrate_from: a YAML mapping such as '
        '"{max_age: 0.5, max_change: 0.1}".',
        live=True,
    )


@dataclasses.dataclass(frozen=True)
class Diagnostics:
    """What the node says of itself."""

    period: float = option(
        1.0, 'Seconds between messages on /diagnostics.', minimum=0.05, maximum=60.0
    )
