# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the faces of a room look like: pattern, its place on the face, and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from depth_estimation_ros.synthetic.textures import Maker, Pattern

Array = npt.NDArray[np.floating[Any]]

# Normals of a cuboid's faces, in the order of their rows.
OUTWARD = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], float)


@dataclass(frozen=True)
class Surfaces:
    """One row per face.

    Attributes:
        normal: [S, 3], unit, outward, room frame.
        u: [S, 3], texture axis to the right, periods per metre.
        v: [S, 3], texture axis up, periods per metre.
        origin: [S, 2], texture coordinates of the room's origin, periods.
        pattern: [S], which pattern of the bank.
        scale: [S], metres per period.
        palette: [S · 256, 3], linear colour of each value of the pattern.
    """

    normal: Array
    u: Array
    v: Array
    origin: Array
    pattern: npt.NDArray[np.intp]
    scale: Array
    palette: Array


class SurfaceBuilder:
    """Collects patterns and surface rows while a room is being furnished."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.patterns: list[Pattern] = []
        self.rows: list[tuple[Array, Array, Array, Array, int, float, Array]] = []

    def pattern(self, make: Maker) -> int:
        """Draw a pattern; returns its index."""
        self.patterns.append(make(self.rng))
        return len(self.patterns) - 1

    def add(
        self,
        normal: Array,
        u: Array,
        v: Array,
        pattern: int,
        palette: Array,
        origin: tuple[float, float] | None = None,
        period: tuple[float, float] | None = None,
    ) -> int:
        """Append a row; without `origin` the texture starts anywhere. Returns its index."""
        pu, pv = period or self.patterns[pattern][1]
        start = self.rng.random(2) if origin is None else -np.array(origin) / (pu, pv)
        row = (normal, u / pu, v / pv, start, pattern, float(np.sqrt(pu * pv)), palette)
        self.rows.append(row)
        return len(self.rows) - 1

    def cuboid(self, axes: npt.NDArray[np.float64], side: int, ends: int, palette: Array) -> int:
        """Six rows in the order of `OUTWARD`; `axes` [3, 3] holds the box's axes as rows."""
        for normal in OUTWARD:
            upright = normal[2] == 0
            u = np.array([abs(normal[1]), abs(normal[0]), 0]) if upright else np.array([1.0, 0, 0])
            v = np.array([0, 0, 1.0]) if upright else np.array([0, 1.0, 0])
            self.add(normal @ axes, u @ axes, v @ axes, side if upright else ends, palette)
        return len(self.rows) - 6

    def surfaces(self) -> Surfaces:
        """All rows so far."""
        normal, u, v, origin, pattern, scale, palette = zip(*self.rows, strict=True)
        return Surfaces(
            np.array(normal, np.float32),
            np.array(u, np.float32),
            np.array(v, np.float32),
            np.array(origin, np.float32),
            np.array(pattern, np.intp),
            np.array(scale, np.float32),
            np.concatenate(palette).astype(np.float32),
        )


def palette(rng: np.random.Generator, light: tuple[float, float], contrast: float) -> Array:
    """Linear colours [256, 3] from a darker to a lighter relative of one base colour."""
    base = rng.uniform(*light) * (1 + rng.uniform(-0.35, 0.35, 3))
    other = base * (1 + contrast * (1 + rng.uniform(-0.3, 0.3, 3)))
    return np.linspace(base * (1 - 0.5 * contrast), other, 256).clip(0.01, 1)
