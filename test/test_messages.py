# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import array
import time

import cv2
import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros import messages
from depth_estimation_ros.camera import Camera

sensor_msgs = pytest.importorskip('sensor_msgs.msg', reason='ROS messages are not installed')

D = (-0.1, 0.02, 0.001, -0.002, 0.003)


@pytest.fixture(params=[False, True], ids=['unchecked', 'checked'])
def new(request):
    """Makes messages whose setters check every field (as older distributions do), and not."""

    def make(name):
        message = getattr(sensor_msgs, name)
        can_choose = '_check_fields' in message.__slots__
        return message(check_fields=request.param) if can_choose else message()

    return make


def depth_message(array_, encoding, padding=0, bigendian=False):
    rows = array_.astype(array_.dtype.newbyteorder('>' if bigendian else '<'))
    rows = np.ascontiguousarray(rows).view(np.uint8).reshape(len(array_), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    height, width = array_.shape
    return sensor_msgs.Image(
        height=height,
        width=width,
        encoding=encoding,
        step=rows.shape[1],
        is_bigendian=int(bigendian),
        data=array.array('B', rows.tobytes()),
    )


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 8, 3])
def test_depth_in_metres(bigendian, padding):
    metres = np.array([[0.5, np.nan, np.inf], [1.25, -np.inf, 7.0]], np.float32)
    depth = messages.decode_depth(depth_message(metres, '32FC1', padding, bigendian))
    assert depth.dtype == np.float32
    np.testing.assert_array_equal(depth, metres)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
def test_depth_in_millimetres(bigendian, padding):
    millimetres = np.array([[500, 0, 65535], [1, 1234, 0]], np.uint16)
    depth = messages.decode_depth(depth_message(millimetres, '16UC1', padding, bigendian))
    expected = [[0.5, np.nan, 65.535], [0.001, 1.234, np.nan]]
    np.testing.assert_allclose(depth, expected, rtol=1e-6)


def test_refuses_what_is_no_depth():
    metres = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"'rgb8': known are 32FC1 .metres. and 16UC1"):
        messages.decode_depth(depth_message(metres, 'rgb8'))
    msg = depth_message(metres, '32FC1')
    msg.height = 3
    with pytest.raises(ValueError, match='24 bytes, but step=12 times height=3'):
        messages.decode_depth(msg)
    msg.height = 0
    with pytest.raises(ValueError, match=r'zero size .3x0'):
        messages.decode_depth(msg)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('kind', ['f4', 'f8'])
@pytest.mark.parametrize('padding', [0, 5])
def test_points_of_a_cloud_in_any_layout(bigendian, kind, padding):
    order = '>' if bigendian else '<'
    layout = np.dtype(
        {
            'names': ['z', 'intensity', 'x', 'y'],
            'formats': [order + kind, '<u2', order + kind, order + kind],
            'offsets': [0, 8, 10, 18],
            'itemsize': 29,
        }
    )
    points = np.zeros((2, 3), layout)
    expected = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    for axis, name in enumerate('xyz'):
        points[name] = expected[:, axis].reshape(2, 3)
    points['y'][0, 1], points['z'][1, 2] = np.nan, np.inf
    rows = np.pad(points.view(np.uint8).reshape(2, -1), ((0, 0), (0, padding)))
    message = sensor_msgs.PointCloud2(
        height=2,
        width=3,
        point_step=29,
        row_step=rows.shape[1],
        is_bigendian=bigendian,
        data=array.array('B', rows.tobytes()),
        fields=[
            sensor_msgs.PointField(name=name, offset=offset, datatype=datatype, count=1)
            for name, (field, offset) in layout.fields.items()
            for datatype in [{'f4': 7, 'f8': 8, 'u2': 4}[field.str[1:]]]
        ],
    )
    np.testing.assert_array_equal(messages.decode_points(message), expected[[0, 2, 3, 4]])
    message.row_step += 1
    with pytest.raises(ValueError, match='cut off'):
        messages.decode_points(message)
    message.fields = message.fields[:3]
    with pytest.raises(ValueError, match='fields z, intensity, x: x, y and z are needed'):
        messages.decode_points(message)


def test_a_cloud_whose_fields_do_not_fit_its_points_is_the_fault_of_its_driver():
    fields = [
        sensor_msgs.PointField(name=name, offset=offset, datatype=7, count=1)
        for name, offset in (('x', 0), ('y', 4), ('z', 10))
    ]
    message = sensor_msgs.PointCloud2(
        height=1, width=2, point_step=12, row_step=24, fields=fields, data=bytes(24)
    )
    with pytest.raises(ValueError, match=r'point cloud .* point_step=12, .* fields of 14 bytes'):
        messages.decode_points(message)


def test_an_empty_cloud_has_no_points():
    fields = [sensor_msgs.PointField(name=name, datatype=7, count=1) for name in 'xyz']
    message = sensor_msgs.PointCloud2(height=1, point_step=12, fields=fields)
    assert messages.decode_points(message).shape == (0, 3)


def test_compressed_message():
    picture = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    jpeg = cv2.imencode('.png', picture[..., ::-1])[1]
    msg = sensor_msgs.CompressedImage(format='png', data=array.array('B', jpeg.tobytes()))
    np.testing.assert_array_equal(messages.decode_compressed(msg), picture)


def test_messages_of_rosbags_serve_as_well():
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    for store in (Stores.ROS2_HUMBLE, Stores.ROS1_NOETIC):
        types = get_typestore(store).types
        stamp = types['builtin_interfaces/msg/Time'](1, 2)
        numbered = (0,) if store is Stores.ROS1_NOETIC else ()
        header = types['std_msgs/msg/Header'](*numbered, stamp, 'camera')
        image = types['sensor_msgs/msg/Image'](header, 2, 3, 'bgr8', 0, 9, picture.ravel())
        np.testing.assert_array_equal(messages.decode_image(image), picture[..., ::-1])
        k = np.array([500.0, 0, 320, 0, 510, 240, 0, 0, 1])
        info = types['sensor_msgs/msg/CameraInfo'](
            header,
            480,
            640,
            'plumb_bob',
            np.array(D),
            k,
            np.eye(3).ravel(),
            np.zeros(12),
            0,
            0,
            types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False),
        )
        expected = Camera(640, 480, 500.0, 510.0, 320.0, 240.0, 'plumb_bob', D)
        assert messages.camera_from_info(info, 640, 480) == expected


def camera_info(**fields):
    info = sensor_msgs.CameraInfo(
        width=640,
        height=480,
        distortion_model='plumb_bob',
        d=list(D),
        k=[500.0, 0, 320, 0, 510, 240, 0, 0, 1],
        p=[400.0, 0, 310, 0, 0, 410, 230, 0, 0, 0, 1, 0],
    )
    for name, value in fields.items():
        setattr(info, name, value)
    return info


def roi(x, y, width, height):
    return sensor_msgs.RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)


FULL = Camera(640, 480, 500.0, 510.0, 320.0, 240.0, 'plumb_bob', D)


@pytest.mark.parametrize(
    ('fields', 'expected'),
    [
        ({}, FULL),
        ({'binning_x': 1, 'binning_y': 1}, FULL),
        ({'roi': roi(0, 0, 640, 480)}, FULL),
        ({'binning_x': 2, 'binning_y': 2}, FULL.scaled(320, 240)),
        ({'binning_x': 2}, FULL.scaled(320, 480)),
        ({'roi': roi(100, 60, 200, 120)}, FULL.cropped(100, 60, 200, 120)),
        (
            {'roi': roi(100, 60, 200, 120), 'binning_x': 2, 'binning_y': 4},
            FULL.cropped(100, 60, 200, 120).scaled(100, 30),
        ),
        ({'distortion_model': '', 'd': []}, Camera(640, 480, 500.0, 510.0, 320.0, 240.0)),
        ({'d': [0.0] * 5}, Camera(640, 480, 500.0, 510.0, 320.0, 240.0)),
        (
            {'distortion_model': 'equidistant', 'd': [0.1, 0.0, 0.0, 0.0]},
            Camera(640, 480, 500.0, 510.0, 320.0, 240.0, 'equidistant', (0.1, 0.0, 0.0, 0.0)),
        ),
        (
            {'distortion_model': 'equidistant', 'd': [0.0] * 4},
            Camera(640, 480, 500.0, 510.0, 320.0, 240.0, 'equidistant', (0.0,) * 4),
        ),
    ],
)
def test_camera_follows_binning_and_roi(fields, expected):
    camera = messages.camera_from_info(camera_info(**fields), expected.width, expected.height)
    assert (camera.width, camera.height) == (expected.width, expected.height)
    np.testing.assert_allclose(camera.matrix, expected.matrix, rtol=1e-12)
    np.testing.assert_array_equal(camera.rays(), expected.rays())


def test_info_of_the_images_own_size_is_taken_as_it_is():
    info = camera_info(binning_x=2, binning_y=2)  # calibrated after binning
    assert messages.camera_from_info(info, 640, 480) == FULL


def test_rectified_images_have_the_camera_of_p():
    camera = messages.camera_from_info(camera_info(), 640, 480, rectified=True)
    assert camera == Camera(640, 480, 400.0, 410.0, 310.0, 230.0)


NAN = float('nan')


@pytest.mark.parametrize(
    ('fields', 'rectified', 'words'),
    [
        ({'k': [0.0] * 9}, False, r'uncalibrated .K\[0\] is 0.*camera.fx or camera.hfov'),
        ({'p': [0.0] * 12}, True, r'uncalibrated .P\[0\] is 0.*camera.fx or camera.hfov'),
        ({'k': [NAN, 0, 3, 0, 5, 2, 0, 0, 1.0]}, False, 'fx=nan.*positive: calibrate'),
        ({'k': [5.0, 0, NAN, 0, 5, 2, 0, 0, 1]}, False, 'cx=nan.*finite'),
        ({'p': [NAN] * 12}, True, 'fx=nan.*positive'),
        ({'k': [-5.0, 0, 3, 0, 5, 2, 0, 0, 1]}, False, 'fx=-5.0.*positive'),
        ({'d': [NAN] * 5}, False, 'distortion.*finite'),
        ({'d': [0.1] * 3}, False, 'plumb_bob distortion takes'),
        ({'distortion_model': 'mystery'}, False, "unknown distortion model 'mystery': known are"),
        ({'width': 0}, False, 'size 0x480.*fill width and height'),
        (
            {'width': 1280, 'height': 960}, False,
            '1280x960 pixels.*but the image is 640x480: calibrate at the size',
        ),
        (
            {'binning_x': 3, 'width': 1280, 'height': 960, 'roi': roi(0, 0, 1280, 700)}, False,
            '1280x960 pixels, 426x700 with its binning 3x0 and roi 1280x700, but .* 640x480',
        ),
        ({'width': 700, 'roi': roi(100, 0, 640, 480)}, False, '640x480 at .100, 0. leaves'),
    ],
)  # fmt: skip
def test_refuses_a_camera_info_naming_value_and_cure(fields, rectified, words):
    with pytest.raises(ValueError, match=words):
        messages.camera_from_info(camera_info(**fields), 640, 480, rectified)


@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels'),
    [('rgb8', np.uint8, (3,)), ('32FC1', np.float32, ()), ('16UC1', np.uint16, ())],
)
def test_filled_images_decode_to_themselves(new, encoding, dtype, channels):
    msg = new('Image')
    for height, width in ((6, 4), (6, 4), (8, 10), (2, 2)):
        image = np.random.default_rng(width).integers(1, 200, (height, width, *channels))
        image = image.astype(dtype)
        messages.fill_image(msg, image, encoding)
        assert (msg.height, msg.width, msg.encoding) == (height, width, encoding)
        assert msg.step * height == len(msg.data)
        decode = messages.decode_image if channels else messages.decode_depth
        factor = 1000.0 if encoding == '16UC1' else 1.0
        np.testing.assert_allclose(decode(msg) * factor, image, rtol=1e-6)


def test_filling_again_allocates_nothing(new):
    msg = new('Image')
    messages.fill_image(msg, np.zeros((4, 4, 3), np.uint8), 'rgb8')
    data = msg.data
    messages.fill_image(msg, np.ones((4, 4, 3), np.uint8), 'rgb8')
    assert msg.data is data
    assert set(data) == {1}


def test_filling_looks_at_no_single_byte(new):
    """By way of bytes or lists, a checked message of this size takes seconds."""
    cloud = np.zeros((720, 1280, 4), np.float32)
    started = time.perf_counter()
    messages.cloud_view(new('PointCloud2'), 720, 1280, sensor_msgs.PointField)[:] = cloud
    assert time.perf_counter() - started < 0.5


def test_refuses_to_convert_silently(new):
    with pytest.raises(TypeError, match='Cannot cast'):
        messages.fill_image(new('Image'), np.zeros((4, 4)), '32FC1')


def test_filled_cloud(new):
    cloud = np.arange(6 * 4 * 4, dtype=np.float32).reshape(6, 4, 4)
    msg = new('PointCloud2')
    for _ in range(2):
        messages.cloud_view(msg, 6, 4, sensor_msgs.PointField)[:] = cloud
    assert [(f.name, f.offset, f.datatype, f.count) for f in msg.fields] == [
        ('x', 0, 7, 1), ('y', 4, 7, 1), ('z', 8, 7, 1), ('rgb', 12, 7, 1),
    ]  # fmt: skip
    assert (msg.height, msg.width, msg.point_step, msg.row_step) == (6, 4, 16, 64)
    assert msg.is_dense is False
    np.testing.assert_array_equal(np.frombuffer(msg.data, np.float32), cloud.ravel())


def test_filled_compressed(new):
    picture = np.full((16, 16, 3), (10, 200, 90), np.uint8)
    msg = new('CompressedImage')
    for _ in range(2):
        messages.fill_compressed(msg, cv2.imencode('.jpg', picture[..., ::-1])[1])
    assert 'jpeg' in msg.format
    assert np.abs(messages.decode_compressed(msg).astype(int) - picture).max() < 5


@pytest.mark.parametrize(
    'camera', [FULL, FULL.cropped(10, 20, 64, 48), Camera(32, 24, 30.0, 31.0, 15.0, 12.0)]
)
def test_filled_camera_info_is_read_back(new, camera):
    msg = new('CameraInfo')
    messages.fill_camera_info(msg, camera)
    read = messages.camera_from_info(msg, camera.width, camera.height)
    np.testing.assert_array_equal(read.rays(), camera.rays())
    rectified = messages.camera_from_info(msg, camera.width, camera.height, rectified=True)
    np.testing.assert_array_equal(rectified.matrix, camera.matrix)
    np.testing.assert_array_equal(msg.r, np.eye(3).ravel())


def test_millimetres():
    depth = np.array([[1.0, 0.0004, 0.0006, 65.535, 65.536], [np.nan, np.inf, -np.inf, -1.0, 0.0]])
    result = messages.depth_to_millimetres(depth.astype(np.float32))
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, [[1000, 0, 1, 65535, 0], [0, 0, 0, 0, 0]])
