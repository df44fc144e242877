# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a bag, put together to frames: image, camera and depth of the same moment."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import messages
from depth_estimation_ros.bag.cameras import CameraTopics
from depth_estimation_ros.bag.records import Serialized, stamp_of
from depth_estimation_ros.bag.source import BagSource
from depth_estimation_ros.frames import Frame
from depth_estimation_ros.intrinsics import CameraInfos
from depth_estimation_ros.sections import Intrinsics

PAIRED = 50_000_000  # ns between a picture and its depth: cameras of 30 Hz, not synchronised
_HELD = 8  # images that wait for what belongs to them: messages of a moment arrive within 0.2 s


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

    An image waits for the camera_info and the depth image of its time, which may arrive later,
    but for no more than a few images.

    Args:
        source: The bag.
        cameras: Whose frames.
        given: The camera where camera_info tells none.
        on_fault: Takes why an image, a camera_info or a depth image cannot be used.
        stride: Take every so many images of each camera; others are not decoded.
    """

    def __init__(
        self,
        source: BagSource,
        cameras: Sequence[CameraTopics],
        given: Intrinsics,
        on_fault: Callable[[str], object],
        stride: int = 1,
    ) -> None:
        self._lines = [_Line(source, camera, given, on_fault, stride) for camera in cameras]

    def add(self, record: Serialized) -> Iterator[Shot]:
        """Take a message of any topic; gives the frames that are whole by now, in order."""
        for line in self._lines:
            if record.topic in line.camera.topics:
                line.take(record)
                yield from line.due()

    def end(self) -> Iterator[Shot]:
        """The frames that are left when no message comes any more."""
        for line in self._lines:
            yield from line.due(last=True)


class _Line:
    """The messages of one camera that are waiting for each other."""

    def __init__(
        self,
        source: BagSource,
        camera: CameraTopics,
        given: Intrinsics,
        on_fault: Callable[[str], object],
        stride: int,
    ) -> None:
        self.camera = camera
        self._source, self._on_fault, self._stride = source, on_fault, stride
        self._infos = CameraInfos(given, on_fault)
        self._images: collections.deque[tuple[int, Any]] = collections.deque()
        self._depths: collections.deque[Any] = collections.deque(maxlen=2 * _HELD)
        self._come, self._looked = 0, False
        self._newest = dict.fromkeys(camera.topics - {camera.image}, -1)  # stamps

    def take(self, record: Serialized) -> None:
        if record.topic == self.camera.image:
            self._come += 1
            if (self._come - 1) % self._stride:
                return
        try:
            message = self._source.decode(record)
        except ValueError as error:
            self._on_fault(f'{record.topic}: {error}')
            return
        if record.topic == self.camera.image:
            self._images.append((record.arrived, message))
            return
        self._newest[record.topic] = max(self._newest[record.topic], stamp_of(message))
        if record.topic == self.camera.info:
            self._infos.add(message)
        else:
            self._depths.append(message)

    def due(self, last: bool = False) -> Iterator[Shot]:
        """The frames that need not wait any longer."""
        while self._images:
            arrived, message = self._images[0]
            complete = all(newest >= stamp_of(message) for newest in self._newest.values())
            if not (last or complete or len(self._images) > _HELD):
                return
            self._images.popleft()
            try:
                shot = Shot(self.camera, self._frame(message), arrived, self._depth(message))
            except ValueError as error:
                self._on_fault(str(error))
                continue
            yield shot

    def _frame(self, message: Any) -> Frame:
        decode = messages.decode_compressed if self.camera.compressed else messages.decode_image
        image = decode(message)
        height, width = image.shape[:2]
        if self.camera.info is not None and not self._looked:
            self._look_ahead(self.camera.info)
        camera = self._infos.camera(message.header.stamp, width, height)
        return Frame(image, stamp_of(message), message.header.frame_id, camera)

    def _look_ahead(self, topic: str) -> None:
        """Where none has come yet take the first of all, before what is asked for or after."""
        self._looked = True
        if self._newest[topic] >= 0:
            return
        for record in self._source.messages({topic}):
            try:
                self._infos.add(self._source.decode(record))
            except ValueError:  # told when it comes
                continue
            return

    def _depth(self, message: Any) -> NDArray[np.float32] | None:
        """The depth image nearest in time."""
        stamp = stamp_of(message)
        near = min(self._depths, key=lambda one: abs(stamp_of(one) - stamp), default=None)
        if near is None or abs(stamp_of(near) - stamp) > PAIRED:
            return None
        try:
            return messages.decode_depth(near)
        except ValueError as error:
            self._on_fault(f'{self.camera.reference}: {error}')
            return None


def frames(
    source: BagSource,
    cameras: Sequence[CameraTopics],
    given: Intrinsics,
    on_fault: Callable[[str], object],
    stride: int = 1,
    start: int | None = None,
    end: int | None = None,
) -> Iterator[Shot]:
    """The frames of cameras of a bag, in order; see `Shots` and `BagSource.messages`."""
    shots = Shots(source, cameras, given, on_fault, stride)
    wanted = frozenset[str]().union(*(camera.topics for camera in cameras))
    for record in source.messages(wanted, start, end):
        yield from shots.add(record)
    yield from shots.end()
