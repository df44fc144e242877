# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Small bags of every kind, written as recorders write them, and then damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import lz4.frame
import numpy as np
import yaml
from rosbags import rosbag1, rosbag2
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros.camera import Camera

TYPES = get_typestore(Stores.LATEST)
ROS1 = get_typestore(Stores.ROS1_NOETIC)
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
START, STEP = 10**18, 100_000_000
CAMERA = Camera(160, 120, 150.0, 151.0, 79.0, 60.0)


def header(stamp, frame_id='optical', types=TYPES):
    time = types.types['builtin_interfaces/msg/Time'](*divmod(stamp, 10**9))
    sequence = (7,) if types is ROS1 else ()
    return types.types['std_msgs/msg/Header'](*sequence, time, frame_id)


def image(stamp, pixels, encoding='rgb8', types=TYPES):
    """A sensor_msgs/Image of an array."""
    height, width = pixels.shape[:2]
    data = np.frombuffer(pixels.tobytes(), np.uint8)
    step = data.size // height
    return types.types[IMAGE](header(stamp, types=types), height, width, encoding, 0, step, data)


def compressed(stamp, data):
    return TYPES.types[COMPRESSED](header(stamp), 'jpeg', np.frombuffer(data, np.uint8))


def info(stamp, camera=CAMERA, types=TYPES):
    roi = types.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    empty = (None,) * 9
    made = types.types[INFO](header(stamp, types=types), *empty, roi)
    matrix = camera.matrix
    made.height, made.width, made.distortion_model = camera.height, camera.width, 'plumb_bob'
    made.binning_x = made.binning_y = 0
    upper = types is ROS1
    for name, value in (
        ('d', np.zeros(5)),
        ('k', matrix.ravel()),
        ('r', np.eye(3).ravel()),
        ('p', np.column_stack([matrix, np.zeros(3)]).ravel()),
    ):
        setattr(made, name.upper() if upper else name, value)
    return made


def noise(index, height=120, width=160):
    """[H, W, 3] uint8 that no compression makes smaller."""
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)


def drive(frames=30, types=TYPES):
    """(topic, arrival, message) of a camera: /cam/camera_info, then /cam/image_raw."""
    for index in range(frames):
        stamp = START + index * STEP
        yield '/cam/camera_info', stamp, info(stamp, types=types)
        yield '/cam/image_raw', stamp + 1000, image(stamp, noise(index), types=types)


def ros2(path, recorded, storage='mcap', compression=None, latched=()):
    """Write a ROS 2 bag.

    Args:
        path: Folder to make.
        recorded: (topic, arrival, message).
        storage: mcap, sqlite3.
        compression: None, storage (zstd in mcap's chunks), lz4 (likewise), file, message.
        latched: Its topics that are.
    """
    writer = rosbag2.Writer(path, version=9, storage_plugin=rosbag2.StoragePlugin[storage.upper()])
    if compression in {'storage', 'file', 'message'}:
        writer.set_compression(
            rosbag2.CompressionMode[compression.upper()], rosbag2.CompressionFormat.ZSTD
        )
    with writer:
        if compression == 'lz4':
            writer.storage.compression, writer.storage.compressor = 'lz4', lz4.frame.compress
        connections = {}
        for topic, arrived, message in recorded:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPES)
            data = TYPES.serialize_cdr(message, kind)
            writer.write(connections[topic], arrived, data)
    return path


def ros1(path, recorded, compression=None):
    """Write a ROS 1 bag; messages are of the types of `ROS1`."""
    writer = rosbag1.Writer(path)
    if compression:
        writer.set_compression(rosbag1.Writer.CompressionFormat[compression.upper()])
    with writer:
        connections = {}
        for topic, arrived, message in recorded:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=ROS1)
            writer.write(connections[topic], arrived, ROS1.serialize_ros1(message, kind))
    return path


def split(path, parts, storage='mcap'):
    """Write a bag of several files, one for each list of messages."""
    path.mkdir()
    told, names = None, []
    for number, part in enumerate(parts):
        made = ros2(path.with_name(f'{path.name}_{number}'), part, storage)
        (file,) = (one for one in made.iterdir() if one.name != 'metadata.yaml')
        file.rename(path / file.name)
        names.append(file.name)
        metadata = yaml.safe_load((made / 'metadata.yaml').read_text())
        told = told or metadata
        shutil.rmtree(made)
    told['rosbag2_bagfile_information']['relative_file_paths'] = names
    (path / 'metadata.yaml').write_text(yaml.safe_dump(told))
    return path


def file_of(path: Path) -> Path:
    """The only file of a bag."""
    (file,) = (one for one in path.iterdir() if one.name != 'metadata.yaml')
    return file


def cut(file: Path, size: int) -> None:
    """Leave the first bytes of a file."""
    with file.open('r+b') as whole:
        whole.truncate(size)
