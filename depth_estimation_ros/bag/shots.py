# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a bag, put together to frames: image, camera and depth of the same moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.bag.cameras import CameraTopics
from depth_estimation_ros.bag.records import Serialized
from depth_estimation_ros.bag.source import BagSource
from depth_estimation_ros.faults import Faults
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.sections import Intrinsics


@dataclasses.dataclass(frozen=True)
class Shot:
    """A frame of a bag.

    Attributes:
        camera: Whose.
        frame: Image, stamp and frame id as recorded, camera.
        arrived: When the image arrived, ns.
        reference: [H', W'] float32 m, NaN unknown: what the depth camera saw next to it in time;
            None where there is none.
    """

    camera: CameraTopics
    frame: Frame
    arrived: int
    reference: NDArray[np.float32] | None = None


class Shots:
    """Puts frames together out of messages as they come; what is not needed any more is let go.

    Args:
        source: The bag.
        cameras: Whose frames.
        given: The camera where camera_info tells none.
        faults: Counts images that cannot be used.
        stride: Take every so many images of each camera; others are not decoded.
    """

    def __init__(
        self,
        source: BagSource,
        cameras: Sequence[CameraTopics],
        given: Intrinsics,
        faults: Faults,
        stride: int = 1,
    ) -> None:
        raise NotImplementedError

    def add(self, record: Serialized) -> Iterator[Shot]:
        """Take a message of any topic; gives the frames that are whole by now, in order."""
        raise NotImplementedError

    def end(self) -> Iterator[Shot]:
        """The frames that are left when no message comes any more."""
        raise NotImplementedError


def frames(
    source: BagSource,
    cameras: Sequence[CameraTopics],
    given: Intrinsics,
    faults: Faults,
    stride: int = 1,
    start: int | None = None,
    end: int | None = None,
) -> Iterator[Shot]:
    """The frames of cameras of a bag, in order; see `Shots` and `BagSource.messages`."""
    shots = Shots(source, cameras, given, faults, stride)
    wanted = frozenset[str]().union(*(camera.topics for camera in cameras))
    for record in source.messages(wanted, start, end):
        yield from shots.add(record)
    yield from shots.end()
