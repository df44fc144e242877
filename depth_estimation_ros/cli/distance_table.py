# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances at pixels, as rows for JSON and as a table for people."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli import depth_options

if TYPE_CHECKING:
    from depth_estimation_ros.frames import DepthMap

Pixel = tuple[float, float]

_COLUMNS = {'depth_m': 'depth', 'distance_m': 'distance', 'std_dev_m': 'std dev'}


def pixel(text: str) -> Pixel:
    """U,V of the command line."""
    try:
        u, v = map(float, text.split(','))
    except ValueError:
        u = v = math.nan
    if not (math.isfinite(u) and math.isfinite(v)):
        raise argparse.ArgumentTypeError(f'a pixel is such as 320,240, not {text!r}')
    return u, v


def rows(depth_map: DepthMap, pixels: Sequence[Pixel], window: int) -> list[dict[str, Any]]:
    """What is known of each pixel; without metres, what the network says alone.

    Args:
        depth_map: Of the image that they are pixels of.
        pixels: U and V; (0, 0) is the centre of the top-left one.
        window: Side of the square over which medians are taken.

    Returns:
        u, v, depth_m, distance_m, std_dev_m, status and prediction, what the network says, of
        each; None for unknown.
    """
    from depth_estimation_ros.distance import Status, measure

    if not pixels:
        return []
    u, v = map(list, zip(*pixels, strict=True))
    as_said = dataclasses.replace(depth_map, depth=depth_map.prediction.values, calibration=None)
    said = measure(as_said, u, v, window)
    found = said if depth_map.depth is None else measure(depth_map, u, v, window)
    metric = depth_map.depth is not None
    return [
        {
            'u': u[i],
            'v': v[i],
            'depth_m': _known(found.depth[i]) if metric else None,
            'distance_m': _known(found.distance[i]) if metric else None,
            'std_dev_m': _known(found.std_dev[i]) if metric else None,
            'status': Status(found.status[i]).name,
            'prediction': _known(said.depth[i]),
        }
        for i in range(len(pixels))
    ]


def _known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def text(told: Iterable[dict[str, Any]], unit: str) -> str:
    """A table of `rows`, in m, in cm, or as the model says."""
    from depth_estimation_ros.table import table

    columns = {'prediction': 'the network says'}
    if unit != 'model':
        columns = {key: f'{name}, {unit}' for key, name in _COLUMNS.items()}
    scale = 100.0 if unit == 'cm' else 1.0
    cells = [
        (
            f'{row["u"]:g}, {row["v"]:g}',
            *('-' if row[key] is None else f'{row[key] * scale:.4g}' for key in columns),
            row['status'],
        )
        for row in told
    ]
    return table(('pixel', *columns.values(), 'status'), cells)


def say_what_is_missing(told: Iterable[dict[str, Any]], camera_known: bool) -> None:
    """Say why distances and standard deviations are not known, and the cure."""
    good = [row for row in told if row['depth_m'] is not None]
    if any(row['distance_m'] is None for row in good):
        depth_options.say(
            'the distortion of the camera has no inverse where distances are missing: ask nearer '
            'to the centre'
            if camera_known
            else 'distances along the ray need the intrinsics: give --camera, --fx or --hfov'
        )
    if any(row['std_dev_m'] is None for row in good):
        depth_options.say(
            'standard deviations need a calibration made of references: depth-estimation '
            'calibrate, then --calibration FILE'
        )
