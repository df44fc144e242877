# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the distance at a marker is off after a calibration with it, in rendered views.

A tag of 16 cm in a rendered room, 640x480 with a lens, blur and noise. The network is simulated:
exact depth times an unknown factor, or its inverse.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import synthetic
from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.distance import measure
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.marker import MarkerOptions, marker
from depth_estimation_ros.synthetic.card import Card, hold_up, tag, turned
from depth_estimation_ros.table import table

CAMERA = Camera(
    640, 480, 531.0, 533.0, 322.4, 236.8, 'plumb_bob', (-0.28, 0.09, 0.0006, -0.0004, 0.0)
)
SIDE = 0.16
FAMILIES = {'apriltag_36h11': 'DICT_APRILTAG_36H11', '4x4_50': 'DICT_4X4_50'}
DISTANCES = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
SLANTS = (0.0, 15.0, 30.0, 45.0)  # degrees from facing the camera
_WAYS = 6  # in which it is slanted
_NUMBER = 7
_BORDER = 4  # px between the print and the border of the image
_WANTED = 0.02
_KINDS = (DepthKind.METRIC, DepthKind.RELATIVE)
_TITLES = ('marker', 'at', 'views', 'found', 'off, median', 'worst')


@dataclasses.dataclass(frozen=True)
class View:
    """A rendered view of a tag.

    Attributes:
        image: [H, W, 3] uint8.
        depth: [H, W] exact Z, m.
        centre: [3] of the tag, m.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    centre: NDArray[np.float64]


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when a distance is off by more than is wanted."""
    parser = command.parser('marker', __doc__)
    parser.add_argument('--picture', type=Path, help='file for some of the views')
    options = parser.parse_args(argv)
    rows, shown = [], []
    for family, distance in itertools.product(FAMILIES, DISTANCES):
        seen = list(views(family, distance))
        rows.append(measured(family, distance, seen))
        shown.append(seen[len(seen) // 3].image)
    print(table(_TITLES, [_cells(row) for row in rows]))
    found, count = (sum(row[name] for row in rows) for name in ('found', 'views'))
    print(f'\n{found} of {count} found, the others refused; wanted: all, within {_WANTED:.0%}')
    command.write(rows, options.json)
    if options.picture:
        sheet = np.vstack([np.hstack(shown[i : i + 2]) for i in range(0, 4, 2)])
        cv2.imwrite(str(options.picture), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    return int(any(not row['worst'] <= _WANTED or row['found'] < row['views'] for row in rows))


def views(family: str, distance: float, slants: tuple[float, ...] = SLANTS) -> Iterator[View]:
    """A tag at a distance, at each slant in all ways, anywhere in the image, in a room."""
    random = np.random.default_rng([round(distance * 100), len(family)])
    image, depth = _room()
    for slant, way in itertools.product(slants, range(_WAYS)):
        towards = 360.0 * way / _WAYS
        turn = turned(0.0, 0.0, towards) @ turned(slant, 0.0, 0.0)
        card = _held(family, distance, turn @ turned(0.0, 0.0, random.uniform(0, 360)), random)
        seen, exact = hold_up(card, CAMERA, image, depth)
        soft = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.5, 1.2)).astype(np.float64)
        noisy = soft + random.normal(0.0, random.uniform(1.0, 5.0), seen.shape)
        yield View(np.clip(noisy, 0, 255).astype(np.uint8), exact, card.centre)


@functools.cache
def _room() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    room = synthetic.make_room(3)
    return synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])


def _held(
    family: str, distance: float, rotation: NDArray[np.float64], random: np.random.Generator
) -> Card:
    """A print of the tag where all of it is in the image."""
    picture, sides = tag(FAMILIES[family], _NUMBER)
    size = np.array([CAMERA.width, CAMERA.height])
    while True:
        x, y = CAMERA.unproject(*random.uniform((0, 0), size)).ravel()
        ray = np.array([x, y, 1.0]) / np.sqrt(x * x + y * y + 1.0)
        facing = turned(np.degrees(np.arctan2(x, 1.0)), np.degrees(-np.arcsin(ray[1])), 0.0)
        card = Card(picture, SIDE * sides, facing @ rotation, distance * ray)
        corners = CAMERA.project(card.corners)
        if (corners > _BORDER).all() and (corners < size - _BORDER).all():
            return card


def measured(family: str, distance: float, seen: list[View]) -> dict[str, Any]:
    """The relative errors of the distance at the centre of the tag, over views."""
    random = np.random.default_rng(0)
    errors = []
    for view in seen:
        factor = float(random.uniform(0.3, 3.0))
        try:
            errors.append(max(_error(view, family, factor, kind) for kind in _KINDS))
        except ValueError:
            continue  # refused: whoever calibrates keeps what there was
    return {
        'family': family,
        'distance': distance,
        'views': len(seen),
        'found': len(errors),
        'median': float(np.median(errors)) if errors else math.nan,
        'worst': float(np.max(errors)) if errors else math.nan,
    }


def _error(view: View, family: str, factor: float, kind: DepthKind) -> float:
    """The error of one view, with a network of this kind and factor."""
    values = view.depth * np.float32(factor)
    if kind is DepthKind.RELATIVE:
        values = 1.0 / values
    frame = Frame(view.image, camera=CAMERA)
    depth_map = DepthMap(frame, Prediction(values, kind), None)
    fitted = fit_to(marker(depth_map, SIDE, MarkerOptions(family)), depth_map)
    calibration = Calibration(fitted, 'simulated', CAMERA, 0)
    in_metres = DepthMap(frame, depth_map.prediction, fitted.depth(values), calibration)
    u, v = CAMERA.project(view.centre)[0]
    told = measure(in_metres, [u], [v], window=1)
    return abs(float(told.distance[0] / np.linalg.norm(view.centre)) - 1.0)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row['family'],
        f'{row["distance"]:g} m',
        str(row['views']),
        str(row['found']),
        f'{row["median"]:.2%}',
        f'{row["worst"]:.2%}',
    )
