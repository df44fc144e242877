# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How far off metres are that come from the ground, a depth camera or a lidar.

Rendered rooms, 640x480 with a lens, a new camera in each; a network whose answer is the true depth
under a random scale (and shift, of a relative one) with 3 % of noise, alike over some ten pixels.
The lidar: 16, 32 or 64 rings 10 to 20 cm beside or above the camera, its upper 10 degrees without
a return, 2 cm of noise, 5 % wrong returns. The depth camera: half the size, 1 % of noise.

An error is the median over the image, of what the fit makes of the answer without its noise.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import synthetic
from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references import References, fit_to
from depth_estimation_ros.references.depth_camera import DepthCameraOptions, depth_camera
from depth_estimation_ros.references.ground import GroundOptions, ground
from depth_estimation_ros.references.lidar import LidarOptions, lidar
from depth_estimation_ros.synthetic.lidar import scan
from depth_estimation_ros.synthetic.render import trace
from depth_estimation_ros.table import table

SENSOR_ERROR = 0.01  # wanted of every view
GROUND_ERROR = 0.03  # with a height that is 1 % wrong
MILLISECONDS = 20.0  # for references and fit, so that a lidar at 10 Hz costs little

_FIRST_ROOM = 20_000
_NOISE = 0.03
_ELEVATION = (-22.5, 12.5)  # degrees: of a lidar of 45 that gets nothing from its upper ten
Values = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class View:
    """What a robot's sensors tell in a room.

    Attributes:
        depth: [H, W] true Z, m.
        down: [3] true gravity, in the optical frame.
        height: Of the camera, m.
        points: [N, 3] m of the lidar, in the optical frame.
        registered: [H/2, W/2] of the depth camera, m.
        error: [H, W] relative error of the network, in inverse depth.
        scale, shift: Of the network's answer, random.
        sign: Of the error of the height.
    """

    depth: Values
    down: NDArray[np.float64]
    height: float
    points: NDArray[np.float64]
    registered: Values
    error: Values
    scale: float
    shift: float
    sign: int

    def said(self, kind: DepthKind, noisy: bool = True) -> Values:
        """What the network says, [H, W]."""
        inverse = (1.0 + noisy * self.error) / self.depth
        values = (
            inverse - self.shift if kind is DepthKind.RELATIVE else 1.0 / inverse
        ) / self.scale
        return values.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to metres, and what is wanted of it.

    Attributes:
        name: For the table.
        kind: Of the network.
        references: From view and depth map.
        wanted: Highest error; NaN: none.
        share: Of the views that it is wanted of.
        always: Whether it must find references in every view.
    """

    name: str
    kind: DepthKind
    references: Callable[[View, DepthMap], References]
    wanted: float = math.nan
    share: float = 1.0
    always: bool = False


def _lidar(view: View, depth_map: DepthMap) -> References:
    return lidar(depth_map, view.points, LidarOptions())


def _depth_camera(view: View, depth_map: DepthMap) -> References:
    return depth_camera(depth_map, view.registered, DepthCameraOptions())


def _ground(height_error: float, pitch_error: float) -> Callable[[View, DepthMap], References]:
    """The ground with gravity known, up to an error in degrees."""
    angle = math.radians(pitch_error)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])

    def references(view: View, depth_map: DepthMap) -> References:
        height = view.height * (1.0 + height_error * view.sign)
        return ground(depth_map, height, GroundOptions(), turn @ view.down)

    return references


def _ground_alone(view: View, depth_map: DepthMap) -> References:
    return ground(depth_map, view.height * (1.0 + 0.01 * view.sign), GroundOptions())


_RELATIVE, _METRIC = DepthKind.RELATIVE, DepthKind.METRIC
WAYS = (
    Way('lidar', _RELATIVE, _lidar, SENSOR_ERROR, always=True),
    Way('lidar', _METRIC, _lidar, SENSOR_ERROR, always=True),
    Way('depth camera', _RELATIVE, _depth_camera, SENSOR_ERROR, always=True),
    Way('depth camera', _METRIC, _depth_camera, SENSOR_ERROR, always=True),
    Way('ground', _RELATIVE, _ground(0.0, 0.0)),
    Way('ground', _METRIC, _ground(0.0, 0.0)),
    Way('ground, height 1 % off', _RELATIVE, _ground(0.01, 0.0), GROUND_ERROR),
    Way('ground, height 1 % off', _METRIC, _ground(0.01, 0.0), GROUND_ERROR),
    Way('the same, gravity unknown', _METRIC, _ground_alone, GROUND_ERROR, 0.95),
    Way('ground, pitch 1 degree off', _RELATIVE, _ground(0.0, 1.0)),
    Way('ground, pitch 1 degree off', _METRIC, _ground(0.0, 1.0)),
)


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when an error is greater than wanted."""
    parser = command.parser('sensors', __doc__)
    parser.add_argument('--rooms', type=int, default=100, help='default: %(default)s')
    options = parser.parse_args(argv)
    rows = measure(options.rooms)
    _print(rows)
    command.write(rows, options.json)
    return int(not all(row['holds'] for row in rows))


def measure(rooms: int) -> list[dict[str, Any]]:
    """Errors of every way, over the views that it does not refuse."""
    trials: list[list[tuple[float, float]]] = [[] for _ in WAYS]
    for view in _views(rooms):
        for way, tried in zip(WAYS, trials, strict=True):
            result = _try(way, view)
            if result is not None:
                tried.append(result)
    return [_row(way, tried, rooms) for way, tried in zip(WAYS, trials, strict=True)]


def _try(way: Way, view: View) -> tuple[float, float] | None:
    """Error, and milliseconds of references and fit; None where the way refuses the view."""
    frame = Frame(np.zeros((*view.depth.shape, 3), np.uint8), camera=synthetic.WEBCAM)
    depth_map = DepthMap(frame, Prediction(view.said(way.kind), way.kind), None)
    started = time.perf_counter()
    try:
        fit = fit_to(way.references(view, depth_map), depth_map)
    except ValueError:
        return None
    took = time.perf_counter() - started
    depth = fit.depth(view.said(way.kind, noisy=False))
    return float(np.median(np.abs(depth / view.depth - 1.0))), 1e3 * took


def _row(way: Way, tried: list[tuple[float, float]], rooms: int) -> dict[str, Any]:
    errors, took = np.array(tried).reshape(-1, 2).T
    worst = float(np.quantile(errors, way.share)) if len(errors) else math.inf
    milliseconds = float(np.median(took)) if len(took) else math.inf
    return {
        'way': way.name,
        'kind': way.kind.value,
        'rooms': rooms,
        'used': len(errors),
        'median': float(np.median(errors)) if len(errors) else math.inf,
        'percentile_95': float(np.quantile(errors, 0.95)) if len(errors) else math.inf,
        'worst': float(errors.max(initial=0.0)),
        'wanted': None if math.isnan(way.wanted) else way.wanted,
        'of': way.share,
        'always': way.always,
        'milliseconds': milliseconds,
        'holds': not worst > way.wanted
        and not (way.always and (len(errors) < rooms or milliseconds > MILLISECONDS)),
    }


def _views(rooms: int) -> Iterator[View]:
    for index in range(rooms):
        random = np.random.default_rng(_FIRST_ROOM + index)
        room = synthetic.make_room(_FIRST_ROOM + index)
        pose = synthetic.random_pose(room, random)
        shape = (synthetic.WEBCAM.height, synthetic.WEBCAM.width)
        rays = np.ascontiguousarray(synthetic.WEBCAM.rays().reshape(-1, 2).T)
        depth = trace(room, rays, pose).depth.reshape(shape)
        half = cv2.resize(depth, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
        error = cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), 4.0)
        yield View(
            depth,
            pose.rotation.T @ (0.0, 0.0, -1.0),
            float(pose.position[2]),
            _cloud(room, pose, (16, 32, 64)[index % 3], random),
            (half * (1.0 + 0.01 * random.standard_normal(half.shape))).astype(np.float32),
            _NOISE * error / error.std(),
            math.exp(random.uniform(-2.0, 2.0)),
            random.uniform(-0.1, 0.1),
            1 - 2 * (index % 2),
        )


def _cloud(
    room: synthetic.Room, pose: synthetic.Pose, rings: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Points of a level lidar beside or above the camera, [N, 3] m in its optical frame."""
    away = random.uniform(0.1, 0.2)
    offset = random.choice(np.array([[away, 0, 0], [-away, 0, 0], [0, -away, 0]]))
    ahead = pose.rotation[:, 2]
    yaw = math.atan2(ahead[1], ahead[0])
    stands = synthetic.look(pose.position + pose.rotation @ offset, yaw)
    points = scan(room, stands, rings, random, _ELEVATION)
    there = points @ stands.rotation.T + stands.position
    return np.asarray((there - pose.position) @ pose.rotation, np.float64)


def _print(rows: list[dict[str, Any]]) -> None:
    titles = 'metres from', 'network', 'views', 'median', '95 %', 'worst', 'wanted', 'time'
    cells = [
        (
            row['way'],
            row['kind'],
            f'{row["used"]} of {row["rooms"]}',
            *(f'{row[name]:.2%}' for name in ('median', 'percentile_95', 'worst')),
            _wanted(row),
            f'{row["milliseconds"]:.1f} ms',
        )
        for row in rows
    ]
    print(table(titles, cells, words=2))


def _wanted(row: dict[str, Any]) -> str:
    if row['wanted'] is None:
        return ''
    of = '' if row['of'] == 1.0 else f' of {row["of"]:.0%}'
    more = f' of all, {MILLISECONDS:.0f} ms' if row['always'] else of
    return f'{row["wanted"]:.0%}{more}{"" if row["holds"] else " MISSED"}'
