# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to arrays and back, by attribute: rclpy's and rosbags' classes both serve.

Arrays made of a message share its data where the layout allows, and keep that data alive. Messages
are filled in place: made once, filled again for every frame, so that nothing large is allocated,
and so that no setter of a message looks at every byte (`ROS_PYTHON_CHECK_FIELDS=1`, and the
distributions before it existed).
"""

from __future__ import annotations

import array
import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import encodings
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.encodings import Image, Raw


def decode_image(msg: Any) -> Image:
    """The picture of a sensor_msgs/Image.

    Args:
        msg: Any of `encodings.KNOWN`, any step, either byte order. What this package does not
            know goes to cv_bridge where that is installed.

    Returns:
        [H, W, 3] uint8 RGB; for rgb8 a view of the message's data.

    Raises:
        ValueError: Size, step, data or encoding that make no picture.
    """
    raw = _raw(msg)
    if raw.encoding in encodings.KNOWN:
        return encodings.decode(raw)
    try:
        from cv_bridge import CvBridge

        rgb: Image = CvBridge().imgmsg_to_cv2(msg, 'rgb8')
    except Exception as error:  # cv_bridge fails in many ways, with NumPy 2 even at import
        raise ValueError(
            f'unknown encoding {raw.encoding!r}: known are {", ".join(encodings.KNOWN)}; '
            f'cv_bridge, which knows more, says: {error}'
        ) from error
    return rgb


def _raw(msg: Any) -> Raw:
    return Raw(msg.data, msg.width, msg.height, msg.step, msg.encoding, bool(msg.is_bigendian))


def decode_compressed(msg: Any) -> Image:
    """The picture of a sensor_msgs/CompressedImage, JPEG or PNG.

    Returns:
        [H, W, 3] uint8 RGB.

    Raises:
        ValueError: No JPEG or PNG, cut off, or damaged.
    """
    return encodings.decode_compressed(bytes(memoryview(msg.data)))


def decode_depth(msg: Any) -> NDArray[np.float32]:
    """The depth of a sensor_msgs/Image after REP 118.

    Args:
        msg: 32FC1 in metres, or 16UC1 in millimetres where 0 is unknown.

    Returns:
        [H, W] float32 in metres, NaN unknown; for 32FC1 where possible a view of the data.

    Raises:
        ValueError: Size, step, data or encoding that make no depth image.
    """
    sample_bytes = {'32FC1': 4, '16UC1': 2}.get(msg.encoding)
    if sample_bytes is None:
        raise ValueError(
            f'depth image has encoding {msg.encoding!r}: known are 32FC1 (metres) and 16UC1 '
            '(millimetres); remap to the topic of the depth image itself'
        )
    rows = _raw(msg).rows(sample_bytes)
    order = '>' if msg.is_bigendian else '<'
    if msg.encoding == '32FC1':
        # A step that is no multiple of four leaves rows that no float view can describe.
        rows = rows if msg.step % 4 == 0 else np.ascontiguousarray(rows)
        return rows.view(f'{order}f4').astype(np.float32, copy=False)
    millimetres = np.ascontiguousarray(rows).view(f'{order}u2')
    depth = millimetres * np.float32(0.001)
    depth[millimetres == 0] = np.nan
    return depth


def decode_points(msg: Any) -> NDArray[np.float64]:
    """The points of a sensor_msgs/PointCloud2.

    Args:
        msg: Organized or not, fields in any order, FLOAT32 or FLOAT64, either byte order.

    Returns:
        [N, 3] float64 in metres, in the frame of the message; those with NaN or Inf are left out.

    Raises:
        ValueError: No x, y and z, or sizes that do not fit the data.
    """
    fields = {field.name: field for field in msg.fields}
    floats = {7: 'f4', 8: 'f8'}  # PointField.FLOAT32, FLOAT64
    if any(name not in fields or fields[name].datatype not in floats for name in 'xyz'):
        raise ValueError(
            f'point cloud has the fields {", ".join(fields) or "none"}: x, y and z are needed, '
            'as FLOAT32 or FLOAT64'
        )
    order = '>' if msg.is_bigendian else '<'
    used, data = msg.width * msg.point_step, np.frombuffer(msg.data, np.uint8)
    places = [(fields[name].offset, floats[fields[name].datatype]) for name in 'xyz']
    needed = max(offset + np.dtype(kind).itemsize for offset, kind in places)
    whole = used <= msg.row_step and msg.row_step * msg.height <= data.size
    if not whole or (used and needed > msg.point_step):
        raise ValueError(
            f'point cloud of {msg.width}x{msg.height} points with point_step={msg.point_step}, '
            f'row_step={msg.row_step} and fields of {needed} bytes has {data.size} bytes: it is '
            'cut off, or its driver errs'
        )
    if data.size == 0:
        return np.empty((0, 3))
    layout = np.dtype(
        {
            'names': list('xyz'),
            'formats': [order + kind for _, kind in places],
            'offsets': [offset for offset, _ in places],
            'itemsize': msg.point_step,
        }
    )
    rows = data[: msg.row_step * msg.height].reshape(msg.height, msg.row_step)[:, :used]
    points = np.ascontiguousarray(rows).view(layout).ravel()
    xyz = np.stack([points[name] for name in 'xyz'], axis=1).astype(np.float64)
    return xyz[np.isfinite(xyz).all(axis=1)]


def camera_from_info(info: Any, width: int, height: int, rectified: bool = False) -> Camera:
    """The camera that a sensor_msgs/CameraInfo describes, for images of this size.

    CameraInfo holds the intrinsics of the full resolution; an image may be a region of it (roi, in
    pixels of the full resolution) of which pixels were joined (binning): REP 104.

    Args:
        info: The message, of ROS 2 (`k`) or ROS 1 (`K`).
        width, height: Size of the image in pixels.
        rectified: The image is rectified: its intrinsics are P's, and it has no distortion.

    Raises:
        ValueError: Uncalibrated, sizes that do not fit, or numbers that are no camera.
    """
    matrix = _field(info, 'p') if rectified else _field(info, 'k')
    row = 4 if rectified else 3
    fx, cx, fy, cy = (float(matrix[i]) for i in (0, 2, row + 1, row + 2))
    if fx == 0.0:
        raise ValueError(
            f'camera_info is uncalibrated ({"P" if rectified else "K"}[0] is 0): calibrate the '
            'camera, or set the parameters camera.fx or camera.hfov'
        )
    model, distortion = info.distortion_model, tuple(float(d) for d in _field(info, 'd'))
    if rectified or (not any(distortion) and model != 'equidistant'):
        model, distortion = '', ()
    if info.width < 1 or info.height < 1:
        raise ValueError(
            f'camera_info is of size {info.width}x{info.height}: the driver must '
            'fill width and height, those of the calibration'
        )
    full = Camera(info.width, info.height, fx, fy, cx, cy, model, distortion)
    if (info.width, info.height) == (width, height):
        return full
    return _region(full, info, width, height)


def _region(full: Camera, info: Any, width: int, height: int) -> Camera:
    """The camera of the region of interest, binned; it must have this size."""
    roi = info.roi
    whole = roi.width == 0 and roi.height == 0
    region = full if whole else full.cropped(roi.x_offset, roi.y_offset, roi.width, roi.height)
    camera = region.binned(info.binning_x, info.binning_y)
    if (camera.width, camera.height) != (width, height):
        raise ValueError(
            f'camera_info describes {full.width}x{full.height} pixels, {camera.width}x'
            f'{camera.height} with its binning {info.binning_x}x{info.binning_y} and roi '
            f'{roi.width}x{roi.height}, but the image is {width}x{height}: calibrate at the size '
            'of the image, or remap camera_info to the one that belongs to it'
        )
    return camera


def _field(info: Any, name: str) -> Any:
    """A matrix of CameraInfo: lower case in ROS 2, upper case in ROS 1."""
    return getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())


def image_view(msg: Any, height: int, width: int, encoding: str) -> NDArray[Any]:
    """Lay out a sensor_msgs/Image and give its data to write into.

    Returns:
        A view of the message's data: rgb8 and bgr8 [H, W, 3] uint8, 32FC1 [H, W] float32, 16UC1
        [H, W] uint16.
    """
    shape, dtype = _LAYOUTS[encoding]
    msg.height, msg.width, msg.encoding = height, width, encoding
    msg.is_bigendian = int(sys.byteorder == 'big')
    msg.step = width * math.prod(shape) * np.dtype(dtype).itemsize
    return _data(msg, msg.step * height).view(dtype).reshape(height, width, *shape)


_LAYOUTS: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
    'rgb8': ((3,), np.uint8),
    'bgr8': ((3,), np.uint8),
    '32FC1': ((), np.float32),
    '16UC1': ((), np.uint16),
}


def fill_image(msg: Any, image: NDArray[Any], encoding: str) -> None:
    """Copy an array into a sensor_msgs/Image; shape and dtype as `image_view` tells."""
    height, width = image.shape[:2]
    np.copyto(image_view(msg, height, width, encoding), image, casting='no')


def fill_compressed(msg: Any, jpeg: Any) -> None:
    """Put JPEG bytes (any buffer) of a colour picture into a sensor_msgs/CompressedImage."""
    msg.format = 'rgb8; jpeg compressed bgr8'  # as compressed_image_transport words it
    data = array.array('B')
    data.frombytes(memoryview(jpeg))
    msg.data = data


def cloud_view(msg: Any, height: int, width: int, point_field: Any) -> NDArray[np.float32]:
    """Lay out an organized sensor_msgs/PointCloud2 and give its data to write into.

    Args:
        msg: The message.
        height, width: Size of the image that the points belong to.
        point_field: The class sensor_msgs/PointField.

    Returns:
        [H, W, 4] float32, a view of the message's data: x, y, z and the packed colour.
    """
    if not msg.fields:
        msg.fields = [
            point_field(name=name, offset=offset, datatype=7, count=1)  # 7: FLOAT32
            for name, offset in (('x', 0), ('y', 4), ('z', 8), ('rgb', 12))
        ]
    msg.height, msg.width = height, width
    msg.is_bigendian, msg.is_dense = sys.byteorder == 'big', False
    msg.point_step, msg.row_step = 16, 16 * width
    return _data(msg, msg.row_step * height).view(np.float32).reshape(height, width, 4)


def _data(msg: Any, size: int) -> Image:
    """The message's data as bytes to write into; replaced only when the size changes."""
    if len(msg.data) != size:
        msg.data = array.array('B', bytes(size))
    return np.frombuffer(msg.data, np.uint8)


def fill_camera_info(msg: Any, camera: Camera) -> None:
    """Describe the camera of an unrectified image of its own size in a sensor_msgs/CameraInfo."""
    fx, fy, cx, cy = (float(f) for f in (camera.fx, camera.fy, camera.cx, camera.cy))
    msg.width, msg.height = camera.width, camera.height
    msg.distortion_model = camera.distortion_model or 'plumb_bob'
    msg.d = [float(d) for d in camera.distortion] or [0.0] * 5
    msg.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    msg.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    msg.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]


def depth_to_millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth for a 16UC1 image.

    Args:
        depth: [H, W] float32 in metres.

    Returns:
        [H, W] uint16 in millimetres; 0 where depth is not finite, not positive or above 65.535 m.
    """
    millimetres = depth * np.float32(1000.0) + np.float32(0.5)
    millimetres[~((millimetres > 0.0) & (millimetres < 65536.0))] = 0.0
    return millimetres.astype(np.uint16)
