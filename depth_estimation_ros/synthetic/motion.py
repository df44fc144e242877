# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a camera stands and how it drives in a room."""

from __future__ import annotations

import math
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from depth_estimation_ros.synthetic.render import Pose, trace
from depth_estimation_ros.synthetic.scene import Room

Array = npt.NDArray[np.float64]

_CLEARANCE = 0.5
_ATTEMPTS = 300
# A coarse picture of the field of view, to judge a pose by.
_PROBE = np.stack(np.meshgrid(np.linspace(-0.6, 0.6, 9), np.linspace(-0.45, 0.45, 7)))


def look(position: npt.ArrayLike, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Pose:
    """Camera at a position, turned about z by yaw (0 looks along x), up by pitch, then by roll."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    forward = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    down = np.cross(forward, right)
    cr, sr = math.cos(roll), math.sin(roll)
    axes = [right * cr + down * sr, down * cr - right * sr, forward]
    return Pose(np.stack(axes, axis=1), np.asarray(position, np.float64))


def random_pose(room: Room, rng: np.random.Generator) -> Pose:
    """A camera on a robot or in a hand: free of obstacles, with something to see."""
    best = pose = _draw_pose(room, rng)
    widest = -np.inf
    for _ in range(_ATTEMPTS):
        near, middle, far = _view(room, pose)
        if near > 0.45 and middle > 1.5 and far > 2 * near:
            return pose
        if middle > widest:
            best, widest = pose, middle
        pose = _draw_pose(room, rng)
    return best


def _draw_pose(room: Room, rng: np.random.Generator) -> Pose:
    height = rng.uniform(0.4, 1.5)
    place = rng.uniform(_CLEARANCE, room.size[:2] - _CLEARANCE)
    pitch = rng.normal(0.03 - 0.12 * (height - 0.4), 0.06)
    return look([*place, height], rng.uniform(0, 2 * np.pi), pitch, rng.normal(0, 0.02))


def trajectory(room: Room, frames: int, speed: float = 0.03) -> list[Pose]:
    """Poses of a camera that drives to and fro and looks around, with open space ahead.

    Args:
        room: where.
        frames: how many poses.
        speed: greatest way from one frame to the next, in metres.
    """
    rng = np.random.default_rng([room.seed, 1])
    start, heading, ahead = max((_way_ahead(room, rng) for _ in range(12)), key=itemgetter(2))
    way = min(max(ahead - 2.0, ahead / 3), 3.0)
    yaw, height = math.atan2(heading[1], heading[0]), rng.uniform(0.7, 1.3)
    poses = []
    for frame in range(frames):
        phase = 2 * speed * frame / max(way, 0.3)
        place = start + way * (0.5 - 0.5 * math.cos(phase)) * heading
        turn = 0.25 * math.sin(0.04 * frame)
        sway = 0.01 * math.sin(0.31 * frame)
        pitch = 0.03 - 0.12 * (height - 0.4) + sway
        poses.append(look([*place, height], yaw + turn, pitch, sway / 2))
    return poses


def _way_ahead(room: Room, rng: np.random.Generator) -> tuple[Array, Array, float]:
    """Place and heading of a random pose, and how many metres are free ahead of it."""
    pose = random_pose(room, rng)
    heading = pose.rotation[:2, 2] / np.linalg.norm(pose.rotation[:2, 2])
    free = 0.0
    while _free(room, pose.position[:2] + (free + 0.1) * heading):
        free += 0.1
    return pose.position[:2], heading, free


def _free(room: Room, place: Array) -> bool:
    """Nothing within the clearance of a place on the floor."""
    if (place < _CLEARANCE).any() or (place > room.size[:2] - _CLEARANCE).any():
        return False
    for box in room.boxes:
        cos, sin = math.cos(box.yaw), math.sin(box.yaw)
        local = np.array([[cos, sin], [-sin, cos]]) @ (place - box.center[:2])
        if np.linalg.norm(np.maximum(np.abs(local) - box.half[:2], 0)) < _CLEARANCE:
            return False
    return all(
        np.linalg.norm(place - ball.center[:2]) > ball.radius + _CLEARANCE for ball in room.spheres
    )


def _view(room: Room, pose: Pose) -> tuple[float, float, float]:
    """Nearest, median and greatest depth in a coarse picture; zeros for a place that is taken."""
    if not _free(room, pose.position[:2]):
        return 0.0, 0.0, 0.0
    depth = trace(room, _PROBE.reshape(2, -1).astype(np.float32), pose).depth
    return float(depth.min()), float(np.median(depth)), float(depth.max())
