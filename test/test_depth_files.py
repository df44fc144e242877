# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps in files, as other readers have them: OpenCV, OpenEXR, the definition of PFM."""

from __future__ import annotations

import resource
import signal
import struct

import cv2
import numpy as np
import OpenEXR
import pytest

from depth_estimation_ros import depth_files
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction

DEPTH = np.linspace(0.5, 3.0, 7 * 5, dtype=np.float32).reshape(7, 5)
DEPTH[0, 0], DEPTH[1, 1], DEPTH[2, 2], DEPTH[3, 3] = np.nan, np.inf, -np.inf, 70.0
IMAGE = np.arange(7 * 5 * 3, dtype=np.uint8).reshape(7, 5, 3)
METRIC = DepthMap(Frame(IMAGE), Prediction(DEPTH, DepthKind.METRIC), DEPTH)
RELATIVE = DepthMap(Frame(IMAGE), Prediction(1 / DEPTH, DepthKind.RELATIVE), None)
FLOATS = {
    'npy': (depth_files.write_npy, np.load),
    'exr': (depth_files.write_exr, lambda file: OpenEXR.File(str(file)).channels()['Z'].pixels),
    'pfm': (depth_files.write_pfm, lambda file: cv2.imread(str(file), cv2.IMREAD_UNCHANGED)),
}


@pytest.mark.parametrize('kind', FLOATS)
def test_what_holds_floats_keeps_every_bit_and_says_unknown_as_nan(kind, tmp_path):
    write, read = FLOATS[kind]
    write(METRIC, tmp_path / 'depth')
    stored = read(tmp_path / 'depth')
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, DEPTH)


def test_millimetres_are_0_where_they_are_not_known_or_too_many(tmp_path):
    depth_files.write_png16(METRIC, tmp_path / 'a.png')
    stored = cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_UNCHANGED)
    good = np.isfinite(DEPTH) & (DEPTH < 65.0)
    assert stored.dtype == np.uint16
    np.testing.assert_allclose(stored[good], DEPTH[good] * 1000, atol=0.501)
    assert (stored[~good] == 0).all()


def test_a_pfm_begins_with_the_bottom_row_in_the_order_of_bytes_that_its_scale_tells(tmp_path):
    depth_files.write_pfm(METRIC, tmp_path / 'a.pfm')
    kind, size, scale, data = (tmp_path / 'a.pfm').read_bytes().split(b'\n', 3)
    assert (kind, size, float(scale) < 0) == (b'Pf', b'5 7', True)
    assert struct.unpack('<5f', data[:20]) == tuple(DEPTH[-1].tolist())


@pytest.mark.parametrize('kind', FLOATS)
def test_no_metres_are_made_up(kind, tmp_path):
    for write in (FLOATS[kind][0], depth_files.write_png16):
        with pytest.raises(ValueError, match='no metres to write'):
            write(RELATIVE, tmp_path / 'depth')
    assert list(tmp_path.iterdir()) == []


def test_picture_and_colours_stand_side_by_side(tmp_path):
    depth_files.write_side_by_side(METRIC, 'm', tmp_path / 'a.png')
    seen = cv2.cvtColor(cv2.imread(str(tmp_path / 'a.png')), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(seen[:, :5], IMAGE)
    np.testing.assert_array_equal(seen[:, 5:], depth_files.colours(METRIC, 'm'))


@pytest.fixture
def small_files():
    """No file of this process may become larger than 4 kB, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize('kind', [*FLOATS, 'npz', 'png16'])
def test_a_file_that_finds_no_room_leaves_the_one_before(small_files, kind, tmp_path):
    depth = np.random.default_rng(1).uniform(1, 9, (90, 90)).astype(np.float32)
    frame = Frame(np.zeros((90, 90, 3), np.uint8))
    large = DepthMap(frame, Prediction(depth, DepthKind.METRIC), depth)
    file = tmp_path / f'a.{kind}'
    file.write_bytes(b'before')
    with pytest.raises(OSError, match=f'cannot write {file}: .*; make room, or'):
        getattr(depth_files, f'write_{kind}')(large, file)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'before']


def test_a_folder_of_that_name_stays_and_is_said(tmp_path):
    (tmp_path / 'a.npy').mkdir()
    with pytest.raises(OSError, match=r'a\.npy: Is a directory; .*another place'):
        depth_files.write_npy(METRIC, tmp_path / 'a.npy')
    assert [path.name for path in tmp_path.iterdir()] == ['a.npy']
