# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""RGB-D frames out of bags."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros import messages
from depth_estimation_ros.bag.records import stamp_of
from depth_estimation_ros.frames import Frame

_IMAGE, _COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
_INFO = 'sensor_msgs/msg/CameraInfo'
_DEPTH_ENCODINGS = ('16UC1', '32FC1')
# Names that drivers give to depth in the colour camera's frame, and to the colour camera.
_REGISTERED, _COLOUR = ('aligned', 'registered'), ('color', 'colour', 'rgb')
_PAIRED = 50_000_000  # ns between a picture and its depth: cameras of 30 Hz, not synchronised


def rgbd_frames(path: Path, limit: int) -> list[tuple[Frame, NDArray[np.float32]]]:
    """The first frames of a bag with their registered depth, at most so many; see `rgbd`."""
    return list(itertools.islice(rgbd(path), limit))


def rgbd(path: Path) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    """The frames of a bag with their registered depth, one after the other.

    The topics are found by type and encoding, camera_info beside the colour images.

    Args:
        path: Folder of a ROS 2 bag, or a ROS 1 file.

    Yields:
        A frame, and the depth of every pixel: [H, W] float32 in metres, NaN unknown.

    Raises:
        FileNotFoundError: There is no such bag.
        ValueError: It cannot be read, or lacks colour, camera_info or registered depth.
    """
    if not path.exists():
        raise FileNotFoundError(f'there is no bag {path}')
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.LATEST)) as reader:
            topics = _RgbdTopics.find(path, reader)
            pair = None
            for pair in _pairs(reader, topics):
                yield pair
    except AnyReaderError as error:
        raise ValueError(f'{path} is no bag that can be read: {error}') from error
    if pair is None:
        raise ValueError(
            f'{path}: no picture of {topics.colour.topic} has a depth image of '
            f'{topics.depth.topic} within {_PAIRED / 1e6:.0f} ms'
        )


@dataclasses.dataclass(frozen=True)
class _RgbdTopics:
    colour: Connection
    depth: Connection
    info: Connection

    @classmethod
    def find(cls, path: Path, reader: AnyReader) -> _RgbdTopics:
        colours: list[Connection] = []
        depths: list[Connection] = []
        for connection in reader.connections:
            if connection.msgtype == _COMPRESSED and 'depth' not in connection.topic.lower():
                colours.append(connection)
            elif connection.msgtype == _IMAGE:
                first = next(_messages(reader, connection), None)
                is_depth = first is not None and first.encoding in _DEPTH_ENCODINGS
                (depths if is_depth else colours).append(connection)
        for found, what in ((colours, 'colour'), (depths, 'depth (16UC1 or 32FC1)')):
            if not found:
                topics = ', '.join(sorted({one.topic for one in reader.connections}))
                raise ValueError(f'{path} has no {what} image topic; it has {topics}')
        colour = _preferred(colours, _COLOUR)
        return cls(colour, _preferred(depths, _REGISTERED), cls._info(path, reader, colour))

    @staticmethod
    def _info(path: Path, reader: AnyReader, colour: Connection) -> Connection:
        wanted = colour.topic.removesuffix('/compressed').rpartition('/')[0] + '/camera_info'
        for connection in reader.connections:
            found = connection.msgtype == _INFO and connection.topic == wanted
            if found and connection.msgcount:
                return connection
        raise ValueError(f'{path} has no camera_info {wanted} for {colour.topic}')


def _preferred(connections: Sequence[Connection], words: Sequence[str]) -> Connection:
    named = [one for one in connections if any(word in one.topic.lower() for word in words)]
    return (named or list(connections))[0]


def _messages(reader: AnyReader, connection: Connection) -> Iterator[Any]:
    for _, _, data in reader.messages([connection]):
        yield reader.deserialize(data, connection.msgtype)


def _pairs(reader: AnyReader, topics: _RgbdTopics) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    """Frames with the depth image next to them in time; either topic may begin first."""
    info = next(_messages(reader, topics.info))
    depths = _messages(reader, topics.depth)
    before, after = None, next(depths)
    for message in _messages(reader, topics.colour):
        stamp = stamp_of(message)
        while after is not None and stamp_of(after) < stamp:
            before, after = after, next(depths, None)
        near = [one for one in (before, after) if one is not None]
        best = min(near, key=lambda one: abs(stamp_of(one) - stamp))
        if abs(stamp_of(best) - stamp) <= _PAIRED:
            frame = _frame(topics, message, info)
            yield frame, _depth(topics, best, frame)


def _frame(topics: _RgbdTopics, message: Any, info: Any) -> Frame:
    compressed = topics.colour.msgtype == _COMPRESSED
    image = (messages.decode_compressed if compressed else messages.decode_image)(message)
    height, width = image.shape[:2]
    camera = messages.camera_from_info(info, width, height)
    return Frame(image, stamp_of(message), message.header.frame_id, camera)


def _depth(topics: _RgbdTopics, message: Any, frame: Frame) -> NDArray[np.float32]:
    depth = messages.decode_depth(message)
    height, width = frame.image.shape[:2]
    if depth.shape != (height, width):
        raise ValueError(
            f'{topics.depth.topic} is {depth.shape[1]}x{depth.shape[0]}, the picture '
            f'{width}x{height}: the depth must be registered to it'
        )
    return depth
