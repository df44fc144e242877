# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of all kinds are read to the pixel; what is none is named with a cure."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from depth_estimation_ros.image_files import read_depth, read_rgb

GREY = np.random.default_rng(0).integers(0, 256, (24, 32), np.uint8)
BGR = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ('stored', 'rgb'),
    [
        (BGR, BGR[..., ::-1]),
        (np.dstack([BGR, GREY]), BGR[..., ::-1]),
        (GREY, np.dstack([GREY] * 3)),
        (GREY.astype(np.uint16) * 256 + 77, np.dstack([GREY] * 3)),
    ],
    ids=['colour', 'alpha', 'grey', '16 bits'],
)
def test_pictures_of_all_kinds_become_rgb(tmp_path, stored, rgb):
    file = tmp_path / 'Küche und Flur.png'
    file.write_bytes(cv2.imencode('.png', stored)[1])
    np.testing.assert_array_equal(read_rgb(file), rgb)


def test_a_picture_is_upright_as_its_exif_data_says_or_as_the_sensor_has_it(tmp_path):
    jpeg = cv2.imencode('.jpg', BGR)[1].tobytes()
    # TIFF header, one entry: tag 0x112 (orientation), SHORT, 6: turn by 90 degrees to the right.
    exif = b'Exif\0\0II*\0' + struct.pack('<LHHHLHHL', 8, 1, 0x112, 3, 1, 6, 0, 0)
    file = tmp_path / 'held.jpg'
    file.write_bytes(jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg[2:])
    stored = read_rgb(file, upright=False)
    assert stored.shape == (24, 32, 3)
    np.testing.assert_array_equal(read_rgb(file), np.rot90(stored, -1))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_what_is_cut_off_is_refused_and_not_filled_with_grey(tmp_path, suffix):
    file = tmp_path / f'room{suffix}'
    data = cv2.imencode(suffix, BGR)[1].tobytes()
    file.write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(ValueError, match=f'room{suffix} is cut off after .* copy it again'):
        read_rgb(file)


@pytest.mark.parametrize('data', [b'', b'no picture'])
def test_what_is_no_picture_is_refused(tmp_path, data):
    (tmp_path / 'a.png').write_bytes(data)
    for read in (read_rgb, lambda file: read_depth(file, 0.001)):
        with pytest.raises(ValueError, match=r'a.png is no image'):
            read(tmp_path / 'a.png')
        with pytest.raises(FileNotFoundError, match=r'no file .*b.png'):
            read(tmp_path / 'b.png')


@pytest.mark.parametrize(('dtype', 'unit', 'suffix'), [('u2', 0.001, '.png'), ('f4', 1, '.tiff')])
def test_depth_is_metres_and_unknown_where_it_is_zero(tmp_path, dtype, unit, suffix):
    file = tmp_path / f'depth{suffix}'
    file.write_bytes(cv2.imencode(suffix, np.array([[0, 1500], [40000, 7]], dtype))[1])
    metres = np.array([[np.nan, 1500], [40000, 7]]) * unit
    np.testing.assert_allclose(read_depth(file, unit), metres, rtol=1e-6)


def test_a_colour_picture_is_no_depth(tmp_path):
    file = tmp_path / 'a.png'
    file.write_bytes(cv2.imencode('.png', BGR)[1])
    with pytest.raises(ValueError, match=r'a.png holds uint8 \(24, 32, 3\), which is no depth'):
        read_depth(file, 0.001)
