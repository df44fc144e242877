# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a spinning lidar measures in a room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from depth_estimation_ros.synthetic.render import Pose, trace
from depth_estimation_ros.synthetic.scene import Room

Array = npt.NDArray[np.float64]

_AZIMUTH = 60.0  # degrees to either side: what a camera beside it can see
_STEP = 0.35  # degrees from one return to the next along a ring: 1024 a turn
_FARTHEST_ERROR = 15.0  # m


def scan(
    room: Room,
    pose: Pose,
    rings: int,
    rng: np.random.Generator,
    elevation: tuple[float, float] = (-22.5, 22.5),
    noise: float = 0.02,
    wrong: float = 0.05,
) -> Array:
    """Returns of the half turn ahead, [N, 3] m in the optical frame of the pose.

    Args:
        room: Where.
        pose: Of the lidar; its rings are level when the pose is.
        rings: How many, evenly over the elevation.
        rng: Draws the errors.
        elevation: Of the lowest and of the highest ring, degrees above the horizon.
        noise: One sigma along the ray, m.
        wrong: Share of the returns whose range is any from 0.3 to 15 m.
    """
    azimuths = np.radians(np.arange(-_AZIMUTH, _AZIMUTH, _STEP))
    a, e = (
        grid.ravel() for grid in np.meshgrid(azimuths, np.radians(np.linspace(*elevation, rings)))
    )
    ahead = np.column_stack([np.sin(a) * np.cos(e), -np.sin(e), np.cos(a) * np.cos(e)])
    rays = (ahead[:, :2] / ahead[:, 2:]).T.astype(np.float32)
    measured = trace(room, rays, pose).depth / ahead[:, 2] + rng.normal(0.0, noise, len(ahead))
    erring = rng.random(len(ahead)) < wrong
    measured[erring] = rng.uniform(0.3, _FARTHEST_ERROR, int(erring.sum()))
    points: Array = ahead * measured[:, None]
    return points
