# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How frames lie relative to each other: rigid transforms, and a tree of them that keeps 10 s.

Conventions are those of tf2 (REP 105): every frame has one parent, and its transform takes points
of the frame to points of the parent.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_MEMORY = 10 * 10**9  # ns that a moving frame's transforms are kept, as tf2 does
_BACK = 10**9  # ns by which one that is older is of a recording that began again


@dataclasses.dataclass(frozen=True)
class Transform:
    """Points of one frame to points of another: rotate, then translate.

    Attributes:
        translation: [3] m.
        rotation: [4] unit quaternion x, y, z, w.
    """

    translation: Array
    rotation: Array

    @classmethod
    def of(cls, translation: Sequence[float], rotation: Sequence[float]) -> Transform:
        """From numbers that somebody sent.

        Raises:
            ValueError: They are not finite, or the quaternion's length is not 1.
        """
        moved, turned = np.array(translation, np.float64), np.array(rotation, np.float64)
        length = float(np.linalg.norm(turned))
        if not (np.isfinite(moved).all() and abs(length - 1.0) < 0.01):
            raise ValueError(
                f'translation {moved.tolist()} with quaternion {turned.tolist()} (x, y, z, w) is '
                'no transform: the numbers must be finite, and the quaternion of length 1'
            )
        return cls(moved, turned / length)

    @classmethod
    def optical(cls, pose: Sequence[float]) -> Transform:
        """From the optical frame of a camera (REP 103: x right, y down, z forward) to its parent.

        Args:
            pose: x, y, z in metres and roll, pitch, yaw in radians of the camera in its parent,
                looking along its x axis with z up: turned about the parent's x, then y, then z.

        Raises:
            ValueError: These are not six finite numbers.
        """
        if len(pose) != 6:
            raise ValueError(f'a pose is x y z roll pitch yaw, not {len(pose)} numbers')
        place, turns = pose[:3], pose[3:]
        whole = cls.of(place, (-0.5, 0.5, -0.5, 0.5))
        rotation = whole.rotation
        for axis, angle in enumerate(turns):
            about = np.zeros(4)
            about[axis], about[3] = math.sin(angle / 2.0), math.cos(angle / 2.0)
            rotation = cls(np.zeros(3), about).after(cls(np.zeros(3), rotation)).rotation
        return cls.of(place, tuple(rotation))

    def matrix(self) -> Array:
        """The rotation, [3, 3]."""
        x, y, z, w = self.rotation
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    def apply(self, points: ArrayLike) -> Array:
        """Points [N, 3] of the one frame in the other."""
        moved: Array = np.asarray(points, np.float64) @ self.matrix().T + self.translation
        return moved

    def inverse(self) -> Transform:
        """The way back."""
        return Transform(
            -self.matrix().T @ self.translation, self.rotation * [-1.0, -1.0, -1.0, 1.0]
        )

    def after(self, first: Transform) -> Transform:
        """First the other one, then this one."""
        x, y, z, w = self.rotation
        left = np.array([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])
        return Transform(self.apply(first.translation), left @ first.rotation)

    def towards(self, other: Transform, part: float) -> Transform:
        """Between this one (0) and the other (1): the shorter arc, evenly (Shoemake, 1985)."""
        cosine = float(self.rotation @ other.rotation)
        end = other.rotation if cosine >= 0.0 else -other.rotation
        angle = math.acos(min(abs(cosine), 1.0))
        weights = (1.0 - part, part)
        if angle > 1e-6:
            weights = (math.sin((1.0 - part) * angle), math.sin(part * angle))
        turned = weights[0] * self.rotation + weights[1] * end
        return Transform(
            (1.0 - part) * self.translation + part * other.translation,
            turned / np.linalg.norm(turned),
        )


_IDENTITY = Transform(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


class _Edge:
    """A frame in its parent, over time; one that does not move has no stamps."""

    def __init__(self, parent: str, static: bool) -> None:
        self.parent, self.static = parent, static
        self._stamps: list[int] = []
        self._transforms: list[Transform] = []

    def add(self, stamp: int, transform: Transform) -> None:
        if self.static or (self._stamps and stamp < self._stamps[-1] - _BACK):
            self._stamps, self._transforms = [], []
        place = bisect.bisect(self._stamps, stamp)
        self._stamps.insert(place, stamp)
        self._transforms.insert(place, transform)
        old = bisect.bisect(self._stamps, self._stamps[-1] - _MEMORY)
        del self._stamps[:old], self._transforms[:old]

    def at(self, stamp: int, frame: str) -> Transform:
        if self.static:
            return self._transforms[0]
        place = bisect.bisect_left(self._stamps, stamp)
        if place < len(self._stamps) and self._stamps[place] == stamp:
            return self._transforms[place]
        if not 0 < place < len(self._stamps):
            known = (self._stamps[0], self._stamps[-1])
            off = (stamp - known[1]) / 1e9, 'newer than the newest'
            if not place:
                off = (known[0] - stamp) / 1e9, 'older than the oldest'
            raise ValueError(
                f'the transform of {frame} in {self.parent} at {stamp / 1e9:.3f} s is '
                f'{off[0]:.3f} s {off[1]} that is known: compare the clocks of what publishes /tf '
                'and of the sensor, and whether it still publishes'
            )
        before, after = self._stamps[place - 1 : place + 1]
        part = (stamp - before) / (after - before)
        return self._transforms[place - 1].towards(self._transforms[place], part)


class Transforms:
    """The tree. Not for two threads at once."""

    def __init__(self) -> None:
        self._edges: dict[str, _Edge] = {}

    def add(
        self, parent: str, child: str, stamp: int, transform: Transform, static: bool = False
    ) -> None:
        """Note where a frame lies in its parent.

        Args:
            parent, child: Names of the frames.
            stamp: Nanoseconds; of no meaning for one that never moves.
            transform: Points of the child to points of the parent.
            static: It never moves.
        """
        parent, child = parent.lstrip('/'), child.lstrip('/')
        edge = self._edges.get(child)
        if edge is None or (edge.parent, edge.static) != (parent, static):
            edge = self._edges[child] = _Edge(parent, static)
        edge.add(stamp, transform)

    def lookup(self, target: str, source: str, stamp: int) -> Transform:
        """What takes points of the source frame to points of the target frame, at a time in ns.

        Raises:
            ValueError: A frame is not known, they are not connected, or not at this time.
        """
        target, source = target.lstrip('/'), source.lstrip('/')
        if target == source:
            return _IDENTITY
        self._check_known(target, source)
        up, down = self._to_root(source), self._to_root(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            raise ValueError(
                f'the frames {target} and {source} are not connected: the one hangs from '
                f'{down[-1]}, the other from {up[-1]}; publish a transform between them '
                '(ros2 run tf2_ros static_transform_publisher)'
            )
        return (
            self._climb(target, common, stamp).inverse().after(self._climb(source, common, stamp))
        )

    def _check_known(self, *frames: str) -> None:
        known = sorted({*self._edges, *(edge.parent for edge in self._edges.values())})
        for frame in frames:
            if frame not in known:
                raise ValueError(
                    f'no transform of frame {frame!r} is known, known frames are: '
                    f'{", ".join(known) or "none, nothing arrives on /tf and /tf_static"}; '
                    'publish one (ros2 run tf2_ros static_transform_publisher), or mend frame_id'
                )

    def _to_root(self, frame: str) -> list[str]:
        chain = [frame]
        while frame in self._edges:
            frame = self._edges[frame].parent
            if frame in chain:
                raise ValueError(f'the frames {", ".join(chain)} are a ring: /tf must be a tree')
            chain.append(frame)
        return chain

    def _climb(self, frame: str, ancestor: str, stamp: int) -> Transform:
        climbed = _IDENTITY
        while frame != ancestor:
            edge = self._edges[frame]
            climbed = edge.at(stamp, frame).after(climbed)
            frame = edge.parent
        return climbed
