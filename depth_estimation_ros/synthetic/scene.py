# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A furnished room drawn from a seed: geometry, surfaces and light.

Room frame: x and y along the walls, z up, origin in a corner of the floor, metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from depth_estimation_ros.synthetic import textures
from depth_estimation_ros.synthetic.surfaces import OUTWARD, SurfaceBuilder, Surfaces, palette
from depth_estimation_ros.synthetic.textures import Bank

Array = npt.NDArray[np.floating[Any]]

# Width, depth, height in metres: cabinet, wardrobe, table, fridge, bench, crate, carton, pillar.
_FURNITURE = (
    (0.8, 0.45, 0.85),
    (1.2, 0.6, 2.0),
    (1.2, 0.7, 0.74),
    (0.6, 0.65, 1.8),
    (1.2, 0.4, 0.45),
    (0.4, 0.4, 0.4),
    (0.6, 0.4, 0.4),
    (0.35, 0.35, 2.2),
)
_BALL_RADII = (0.11, 0.12, 0.2, 0.33)
_DOOR = (0.95, 2.05)
_SKIRTING = 0.1


@dataclass(frozen=True)
class Box:
    """An upright box: `center` and `half` size [3], turned about z by `yaw` (radians).

    `surface` is the first of its six rows in the surfaces: -x, +x, -y, +y, -z, +z of its own axes.
    """

    center: Array
    half: Array
    yaw: float
    surface: int


@dataclass(frozen=True)
class Sphere:
    """A ball; `surface` is its row in the surfaces."""

    center: Array
    radius: float
    surface: int


@dataclass(frozen=True)
class Decal:
    """Something flat on a wall (door, poster, skirting): a rectangle with a surface of its own.

    `low` and `high` are metres along the wall (x or y of the room) and up.
    """

    wall: int
    low: tuple[float, float]
    high: tuple[float, float]
    surface: int


@dataclass(frozen=True)
class Light:
    """A point light: position [3] in metres, linear colour [3]."""

    position: Array
    color: Array


@dataclass(frozen=True)
class Room:
    """All that a picture needs. `size` [3] in metres; surfaces 0..5 are the room's own sides."""

    seed: int
    size: Array
    boxes: tuple[Box, ...]
    spheres: tuple[Sphere, ...]
    decals: tuple[Decal, ...]
    surfaces: Surfaces
    bank: Bank
    lights: tuple[Light, ...]
    ambient: float
    exposure: float
    white_balance: Array
    noise: float


def make_room(seed: int) -> Room:
    """Draw a room from a seed: same seed, same room."""
    rng = np.random.default_rng(seed)
    size = np.array([*rng.uniform(3, 8, 2), rng.uniform(2.4, 2.9)], np.float32)
    surfacer = SurfaceBuilder(rng)
    _add_shell(rng, surfacer)
    decals = _hang_decals(rng, surfacer, size)
    fronts = [surfacer.pattern(make) for make in rng.permutation(np.array(textures.FURNITURE))[:3]]
    boxes = [_place_box(rng, surfacer, size, fronts) for _ in range(rng.integers(4, 9))]
    spheres = [_place_sphere(rng, surfacer, size, fronts) for _ in range(rng.integers(0, 3))]
    return Room(
        seed,
        size,
        tuple(boxes),
        tuple(spheres),
        tuple(decals),
        surfacer.surfaces(),
        textures.make_bank(surfacer.patterns),
        _hang_lights(rng, size),
        ambient=rng.uniform(0.35, 0.7),
        exposure=rng.uniform(0.75, 1.25),
        white_balance=rng.uniform(0.88, 1.12, 3).astype(np.float32),
        noise=rng.uniform(0.5, 4.0),
    )


def _add_shell(rng: np.random.Generator, surfacer: SurfaceBuilder) -> None:
    walls = surfacer.pattern(rng.choice(np.array(textures.WALLS), p=[0.5, 0.2, 0.15, 0.15]))
    floor = surfacer.pattern(rng.choice(np.array(textures.FLOORS)))
    ceiling = surfacer.pattern(textures.plaster)
    wall_colors = palette(rng, (0.25, 0.7), rng.uniform(0.2, 0.6))
    floor_colors = palette(rng, (0.1, 0.5), rng.uniform(0.4, 1.2))
    ceiling_colors = palette(rng, (0.6, 0.9), 0.1)
    x, y, z = np.eye(3)
    for normal, along in ((x, y), (-x, y), (y, x), (-y, x)):
        surfacer.add(normal, along, z, walls, wall_colors)
    surfacer.add(z, x, y, floor, floor_colors)
    surfacer.add(-z, x, y, ceiling, ceiling_colors)


def _hang_decals(rng: np.random.Generator, surfacer: SurfaceBuilder, size: Array) -> list[Decal]:
    door = surfacer.pattern(textures.door)
    pictures = [surfacer.pattern(textures.picture) for _ in range(2)]
    skirting = palette(rng, (0.05, 0.9), 0.1)
    decals = []
    for wall in range(4):
        length = float(size[1 - wall // 2])
        decals.append(_decal(surfacer, wall, (0, 0), (length, _SKIRTING), pictures[0], skirting))
        start = rng.uniform(0.1, length - 0.1 - _DOOR[0])
        if rng.random() < 0.6:
            colors = palette(rng, (0.1, 0.6), rng.uniform(0.3, 0.9))
            low, high = (start, 0.0), (start + _DOOR[0], _DOOR[1])
            decals.append(_decal(surfacer, wall, low, high, door, colors))
        for pattern in rng.permutation(pictures)[: rng.integers(0, 3)]:
            w, h = rng.uniform(0.4, 1.0, 2)
            x, y = rng.uniform(0, length - w), rng.uniform(1.0, 2.2 - h)
            colors = palette(rng, (0.05, 0.5), rng.uniform(0.5, 2))
            decals.append(_decal(surfacer, wall, (x, y), (x + w, y + h), pattern, colors))
    return decals


def _decal(
    surfacer: SurfaceBuilder,
    wall: int,
    low: tuple[float, float],
    high: tuple[float, float],
    pattern: int,
    colors: Array,
) -> Decal:
    along = np.eye(3)[1 - wall // 2]
    period = (high[0] - low[0], high[1] - low[1])
    surface = surfacer.add(-OUTWARD[wall], along, np.eye(3)[2], pattern, colors, low, period)
    return Decal(wall, low, high, surface)


def _place_box(
    rng: np.random.Generator, surfacer: SurfaceBuilder, size: Array, fronts: list[int]
) -> Box:
    half = np.array(_FURNITURE[rng.integers(len(_FURNITURE))]) * rng.uniform(0.92, 1.08, 3) / 2
    place = rng.uniform(half.max(), size[:2] - half.max())
    yaw = float(rng.uniform(0, np.pi))
    if rng.random() < 0.55:  # along a wall, as most furniture stands
        wall = rng.integers(4)
        yaw = np.pi / 2 * float(wall // 2 == 0)
        place[wall // 2] = half[1] if wall % 2 == 0 else size[wall // 2] - half[1]
    center = np.array([*place, half[2]], np.float32)
    axes = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    side, top = rng.choice(fronts, 2)
    colors = palette(rng, (0.08, 0.6), rng.uniform(0.2, 1.2))
    return Box(center, half.astype(np.float32), yaw, surfacer.cuboid(axes, side, top, colors))


def _place_sphere(
    rng: np.random.Generator, surfacer: SurfaceBuilder, size: Array, fronts: list[int]
) -> Sphere:
    radius = float(rng.choice(_BALL_RADII)) * rng.uniform(0.95, 1.05)
    center = np.array([*rng.uniform(radius, size[:2] - radius), radius], np.float32)
    axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    colors = palette(rng, (0.1, 0.6), rng.uniform(0.3, 1.5))
    surface = surfacer.add(axes[2], axes[0], axes[1], int(rng.choice(fronts)), colors)
    return Sphere(center, radius, surface)


def _hang_lights(rng: np.random.Generator, size: Array) -> tuple[Light, ...]:
    return tuple(
        Light(
            (rng.uniform(0.2, 0.8, 3) * [1, 1, 0] * size + [0, 0, size[2] - 0.15]).astype(
                np.float32
            ),
            (rng.uniform(0.5, 1.3) * (1 + rng.uniform(-0.12, 0.12, 3))).astype(np.float32),
        )
        for _ in range(rng.integers(1, 3))
    )
