# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tileable grey patterns of known size in metres, with mip maps, sampled by array gathers.

A pattern says 0..1 per texel; a surface turns that into colour through its own palette. Sizes vary
little around what is usual in buildings, because they are what a network can learn metres from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Bank = npt.NDArray[np.uint8]  # patterns with all their mip levels, one after the other
Pattern = tuple[Array, tuple[float, float]]
Maker = Callable[[np.random.Generator], Pattern]

SIZE = 256
_LEVELS = 8
_OFFSETS = np.cumsum([0] + [(SIZE >> level) ** 2 for level in range(_LEVELS)])
_STRIDE = int(_OFFSETS[-1])
_X, _Y = np.meshgrid(np.arange(SIZE) / SIZE, np.arange(SIZE) / SIZE)


def make_bank(patterns: list[Pattern]) -> Bank:
    """Pack patterns, [SIZE, SIZE] in 0..1, with their mip levels."""
    return np.concatenate([level for values, _ in patterns for level in _mip_chain(values)])


def sample(
    bank: Bank, pattern: npt.NDArray[np.intp], u: Array, v: Array, footprint: Array
) -> Array:
    """Bilinear sample of one mip level.

    Args:
        bank: the patterns, see `make_bank`.
        pattern: [N] index of the pattern.
        u: [N] coordinate in periods, right.
        v: [N] coordinate in periods, up.
        footprint: [N] size of the pixel on the surface, in periods.

    Returns:
        float32 [N], 0..255.
    """
    level = np.clip(np.frexp(footprint * SIZE)[1], 0, _LEVELS - 1).astype(np.intp)
    size = np.right_shift(SIZE, level)
    x, y = u * size.astype(np.float32), v * size.astype(np.float32)
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    column, row = x0.astype(np.intp) & (size - 1), y0.astype(np.intp) & (size - 1)
    column1, row1 = (column + 1) & (size - 1), (row + 1) & (size - 1)
    start = pattern * _STRIDE + _OFFSETS[level]
    upper, lower = start + row * size, start + row1 * size
    top = bank[upper + column] * (1 - fx) + bank[upper + column1] * fx
    bottom = bank[lower + column] * (1 - fx) + bank[lower + column1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy, np.float32)


def _mip_chain(values: Array) -> list[npt.NDArray[np.uint8]]:
    levels = [values]
    for _ in range(_LEVELS - 1):
        half = levels[-1].shape[0] // 2
        levels.append(levels[-1].reshape(half, 2, half, 2).mean(axis=(1, 3)))
    return [(level.clip(0, 1) * 255).astype(np.uint8).ravel() for level in levels]


def noise(rng: np.random.Generator, roughness: float = 1.0, stretch: float = 1.0) -> Array:
    """Tileable noise with a power-law spectrum, about -1..1, [SIZE, SIZE]."""
    rows, columns = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None]
    frequency = np.hypot(rows / stretch, columns) * SIZE
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * frequency**-roughness
    values = np.fft.irfft2(spectrum, (SIZE, SIZE))
    return np.asarray(values / (3 * values.std()), np.float32)


def _cells(
    rng: np.random.Generator,
    columns: int,
    rows: int,
    stagger: Array,
    joint: float,
    period: tuple[float, float],
) -> tuple[Array, Array]:
    """Tone of each cell, -1..1, and a mask of the joints; `stagger` shifts each row, in cells."""
    row = (_Y * rows).astype(np.intp)
    x, y = (_X * columns + stagger[row]) % columns, _Y * rows
    column = x.astype(np.intp)
    tone = rng.uniform(-1, 1, (rows, columns))[row, column]
    gap_x, gap_y = joint * columns / period[0], joint * rows / period[1]
    gaps = ((x - column) < gap_x) | ((y - row) < gap_y)
    return np.asarray(tone, np.float32), gaps.astype(np.float32)


def tiles(rng: np.random.Generator) -> Pattern:
    """Square tiles of about 0.3 m with joints."""
    side = 0.3 * rng.uniform(0.95, 1.05)
    period = (4 * side, 4 * side)
    tone, gaps = _cells(rng, 4, 4, np.zeros(4), 0.009, period)
    values = 0.3 + rng.uniform(0.02, 0.15) * tone + 0.08 * noise(rng)
    return values * (1 - gaps) + rng.choice([0.0, 0.95]) * gaps, period


def bricks(rng: np.random.Generator) -> Pattern:
    """Bricks of about 0.25 m by 0.083 m in running bond."""
    width = 0.25 * rng.uniform(0.95, 1.05)
    period = (4 * width, 4 * width)
    tone, gaps = _cells(rng, 4, 12, np.arange(12) % 2 * 0.5, 0.012, period)
    values = 0.35 + 0.2 * tone + 0.1 * noise(rng, 0.6)
    return values * (1 - gaps) + rng.choice([0.0, 1.0]) * gaps, period


def planks(rng: np.random.Generator) -> Pattern:
    """Boards of about 0.13 m by 1.3 m along u, with grain."""
    width = 0.13 * rng.uniform(0.95, 1.05)
    period = (10 * width, 10 * width)
    tone, gaps = _cells(rng, 1, 10, rng.random(10), 0.006, period)
    values = 0.45 + 0.2 * tone + 0.15 * noise(rng, 0.9, stretch=0.1)
    return values * (1 - gaps), period


def checker(rng: np.random.Generator) -> Pattern:
    """Squares of about 0.4 m in two tones."""
    side = 0.4 * rng.uniform(0.95, 1.05)
    squares = ((_X * 4).astype(int) + (_Y * 4).astype(int)) % 2
    return 0.2 + 0.5 * squares.astype(np.float32) + 0.06 * noise(rng), (4 * side, 4 * side)


def plaster(rng: np.random.Generator) -> Pattern:
    """Painted wall: weak noise."""
    return 0.5 + rng.uniform(0.08, 0.25) * noise(rng, rng.uniform(0.5, 1.2)), (2.0, 2.0)


def stripes(rng: np.random.Generator) -> Pattern:
    """Wallpaper with vertical stripes of about 0.1 m."""
    width = 0.1 * rng.uniform(0.95, 1.05)
    bands = (_X * 16).astype(int) % 2
    return 0.35 + 0.3 * bands.astype(np.float32) + 0.1 * noise(rng), (16 * width, 16 * width)


def panels(rng: np.random.Generator) -> Pattern:
    """Furniture fronts of about 0.4 m with grooves."""
    side = 0.4 * rng.uniform(0.9, 1.1)
    tone, gaps = _cells(rng, 2, 2, np.zeros(2), 0.012, (2 * side, 2 * side))
    values = 0.5 + 0.06 * tone + 0.15 * noise(rng, 1.0, stretch=4)
    return values * (1 - gaps), (2 * side, 2 * side)


def picture(rng: np.random.Generator) -> Pattern:
    """A poster: rectangles and discs on a ground, with a frame; one period is the whole."""
    values = np.full((SIZE, SIZE), rng.random(), np.float32) + 0.1 * noise(rng)
    for _ in range(rng.integers(4, 10)):
        x, y, w, h = *rng.random(2), *rng.uniform(0.05, 0.4, 2)
        inside = (abs(_X - x) < w) & (abs(_Y - y) < h)
        disc = ((_X - x) / w) ** 2 + ((_Y - y) / h) ** 2 < 1
        values[disc if rng.random() < 0.5 else inside] = rng.random()
    border = np.minimum(np.minimum(_X, 1 - _X), np.minimum(_Y, 1 - _Y)) < 0.03
    values[border] = rng.choice([0.0, 1.0])
    return values, (1.0, 1.0)


def door(rng: np.random.Generator) -> Pattern:
    """A door leaf with two panels, a frame and a handle; one period is the whole."""
    inset = (abs(_X - 0.5) < 0.32) & ((abs(_Y - 0.25) < 0.17) | (abs(_Y - 0.72) < 0.2))
    core = (abs(_X - 0.5) < 0.3) & ((abs(_Y - 0.25) < 0.16) | (abs(_Y - 0.72) < 0.19))
    values = 0.55 - 0.25 * inset + 0.2 * core + 0.05 * noise(rng)
    values[(abs(_X - 0.5) > 0.45) | (_Y > 0.97)] = 0.95
    values[(abs(_X - 0.86) < 0.04) & (abs(_Y - 0.51) < 0.012)] = 0.0
    return values.astype(np.float32), (1.0, 1.0)


FLOORS: tuple[Maker, ...] = (tiles, planks, checker)
WALLS: tuple[Maker, ...] = (plaster, bricks, stripes, tiles)
FURNITURE: tuple[Maker, ...] = (panels, planks, checker, picture)
