# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a path holds is found, read to the pixel and the metre, and else named with a cure."""

from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest
from recorded import (
    DRIVE,
    picture,
    save_depth,
    save_kitti,
    save_nyu,
    save_pairs,
    save_picture,
    save_selection,
)
from scipy.io import savemat

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.evaluation import kitti, nyu
from depth_estimation_ros.evaluation.data import open_data

TRUTH = np.random.default_rng(1).uniform(1, 9, (48, 64)).astype(np.float32)
TRUTH[:5] = np.nan


def read(path, split=None):
    return list(open_data(path, split).samples())


def alike(truth, other=TRUTH, unit=0.0005):
    np.testing.assert_allclose(truth, other, atol=unit)
    assert truth.dtype == np.float32


def test_pairs(tmp_path):
    image = picture()
    save_pairs(tmp_path, [TRUTH], [image], K=[50, 51, 31, 23])
    (sample,) = read(tmp_path)
    np.testing.assert_array_equal(sample.frame.image, image)
    alike(sample.truth)
    assert sample.frame.camera == Camera(64, 48, 50, 51, 31, 23)
    assert (sample.name, sample.follows) == ('pair0', False)


def test_a_sequence_of_pairs_is_one_where_it_says_so(tmp_path):
    assert [s.follows for s in read(save_pairs(tmp_path, [TRUTH] * 3))] == [False] * 3
    save_pairs(tmp_path, [TRUTH] * 3, sequence='walk')
    assert [s.follows for s in read(tmp_path)] == [False, True, True]


def test_frames_between_which_a_split_leaves_some_out_do_not_follow_each_other(tmp_path):
    save_pairs(tmp_path, [TRUTH] * 4, sequence='walk')
    split = tmp_path / 'split.txt'
    split.write_text('pair0\npair2\npair3\n')
    assert [s.follows for s in read(tmp_path, split)] == [False, False, True]


def test_a_split_of_pairs_names_them(tmp_path):
    save_pairs(tmp_path, [TRUTH] * 3)
    split = tmp_path / 'split.txt'
    split.write_text('pair2\n\npair0\n')
    assert [s.name for s in read(tmp_path, split)] == ['pair0', 'pair2']
    assert open_data(tmp_path, split).split == '2 of 3 pairs, split.txt'
    split.write_text('pair7\n')
    with pytest.raises(ValueError, match=r"'pair7'.*it has pair0, pair1, pair2"):
        open_data(tmp_path, split)
    with pytest.raises(FileNotFoundError, match='no split file'):
        open_data(tmp_path, tmp_path / 'nowhere')


def test_the_real_pairs_are_read(assets):
    data = open_data(assets / 'rgbd')
    samples = list(data.samples())
    assert (data.total, data.split, data.crop, data.cap) == (9, 'all 9 pairs', 'none', None)
    assert all(sample.frame.camera is not None for sample in samples)
    assert all(0.5 < np.nanmin(s.truth) < np.nanmax(s.truth) < 11 for s in samples)


def test_the_real_bag_is_the_real_pairs(assets):
    folder = assets / 'bags' / 'tum_fr1_2frames'
    (file,) = folder.glob('*.mcap')
    pairs = [s for s in read(assets / 'rgbd') if s.name.startswith('tum')]
    recorded = read(folder)
    assert [s.follows for s in recorded] == [False, True]
    for sample, pair in zip(recorded, pairs, strict=True):
        alike(sample.truth, pair.truth)
        np.testing.assert_array_equal(sample.frame.image, pair.frame.image)
        assert sample.frame.camera is not None
    assert open_data(file).layout == 'bag'


def test_nyu(tmp_path):
    images = [picture(seed=seed) for seed in range(3)]
    truths = [np.nan_to_num(TRUTH) + index for index in range(3)]
    truths[1][0, 0] = 0
    file = save_nyu(tmp_path / 'nyu_depth_v2_labeled.mat', truths, images)
    for path in (file, tmp_path):
        data = open_data(path)
        assert (data.total, data.crop, data.cap) == (3, 'eigen', 10.0)
        samples = list(data.samples())
        for sample, image in zip(samples, images, strict=True):
            np.testing.assert_array_equal(sample.frame.image, image)
        alike(samples[1].truth[1:], truths[1][1:], 0)
        assert np.isnan(samples[1].truth[0, 0])


def test_a_split_of_nyu_counts_from_one(tmp_path):
    truths = [np.full((4, 6), 1.0 + index) for index in range(5)]
    file = save_nyu(tmp_path / 'nyu.mat', truths, [picture(6, 4)] * 5)
    savemat(tmp_path / 'splits.mat', {'testNdxs': [[2], [5]], 'trainNdxs': [[1]]})
    (tmp_path / 'split.txt').write_text('2\n5\n')
    for name in ('splits.mat', 'split.txt'):
        samples = read(file, tmp_path / name)
        assert [sample.truth[0, 0] for sample in samples] == [2.0, 5.0]
        assert open_data(file, tmp_path / name).split == f'2 of 5 labelled frames, {name}'


@pytest.mark.parametrize(
    ('text', 'message'),
    [('0\n', 'frame 0.* 1 to 2'), ('3\n', 'frame 3'), ('a\n', 'one number a line'), ('', 'no f')],
)
def test_a_split_that_is_none_of_nyu(tmp_path, text, message):
    file = save_nyu(tmp_path / 'nyu.mat', [TRUTH] * 2, [picture()] * 2)
    (tmp_path / 'split.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        open_data(file, tmp_path / 'split.txt')
    (tmp_path / 'other.mat').write_bytes(b'nothing of MATLAB')
    with pytest.raises(ValueError, match=r'other.mat is no splits.mat'):
        open_data(file, tmp_path / 'other.mat')


def test_a_mat_file_that_is_not_nyu(tmp_path):
    (tmp_path / 'old.mat').write_bytes(b'MATLAB 5.0 MAT-file')
    with pytest.raises(ValueError, match=r'old.mat is no HDF5.*nyu_depth_v2_labeled.mat'):
        open_data(tmp_path / 'old.mat')
    with h5py.File(tmp_path / 'other.mat', 'w') as mat:
        mat['labels'] = [1]
    with pytest.raises(ValueError, match='no images and depths but labels'):
        open_data(tmp_path / 'other.mat')
    save_nyu(tmp_path / 'torn.mat', [TRUTH], [picture(60, 48)])
    with pytest.raises(ValueError, match=r'images \(1, 3, 60, 48\) and depths \(1, 64, 48\)'):
        open_data(tmp_path / 'torn.mat')


def test_the_crops_are_those_of_the_literature():
    # The rows and columns of 375x1242 and 480x640 that published code prints.
    assert kitti.garg_crop(375, 1242) == (slice(153, 371), slice(44, 1197))
    assert kitti.eigen_crop(375, 1242) == (slice(124, 342), slice(44, 1197))
    assert nyu.eigen_crop(480, 640) == (slice(45, 471), slice(41, 601))
    with pytest.raises(ValueError, match='640x480, not 64x48'):
        nyu.eigen_crop(48, 64)


def test_kitti(tmp_path):
    images = [picture(seed=seed) for seed in range(3)]
    save_kitti(tmp_path, [TRUTH] * 3, images)
    save_kitti(tmp_path, [TRUTH] * 3, images, part='train', camera=3)
    data = open_data(tmp_path)
    assert (data.layout, data.total, data.crop, data.cap) == ('KITTI depth', 3, 'garg', 80.0)
    samples = list(data.samples())
    for sample, image in zip(samples, images, strict=True):
        np.testing.assert_array_equal(sample.frame.image, image)
        alike(sample.truth, unit=1 / 512)
        assert sample.frame.camera == Camera(64, 48, 720, 730, 610, 170)
    assert [sample.follows for sample in samples] == [False, True, True]


@pytest.mark.parametrize(
    'form',
    [
        '{date}/{drive}/image_0{camera}/data/{number:010}.png {drive}/…/{number:010}.png 721.5',
        '{date}/{drive} {number:010} {side}',
    ],
)
def test_a_split_of_kitti_as_published_lists_have_it(tmp_path, form):
    save_kitti(tmp_path, [TRUTH, TRUTH + 1], [picture()] * 2, part='train')
    save_kitti(tmp_path, [TRUTH + 2], [picture()], camera=3)
    wanted = [(2, 6, 'l'), (3, 5, 'r'), (2, 99, 'l')]
    lines = [
        form.format(date=DRIVE[:10], drive=DRIVE, camera=camera, number=number, side=side)
        for camera, number, side in wanted
    ]
    split = tmp_path / 'eigen.txt'
    split.write_text('\n'.join(lines))
    data = open_data(tmp_path, split)
    assert data.split == '2 frames of eigen.txt, 1 more have no truth'
    left, right = data.samples()
    alike(left.truth, TRUTH + 1, 1 / 512)
    alike(right.truth, TRUTH + 2, 1 / 512)


def test_kitti_without_its_parts(tmp_path):
    save_kitti(tmp_path, [TRUTH], [picture()], part='train')
    with pytest.raises(ValueError, match=r'no truth of the left pictures of val.*--split'):
        open_data(tmp_path)
    split = tmp_path / 'split.txt'
    split.write_text('kitchen/0001.png\n')
    with pytest.raises(ValueError, match=r"'kitchen/0001.png' names no frame"):
        open_data(tmp_path, split)
    save_kitti(tmp_path, [TRUTH], [picture()])
    (raw,) = tmp_path.glob('2011*/*/image_02/data/*.png')
    raw.unlink()
    with pytest.raises(FileNotFoundError, match=f'no picture {raw}: get the raw data'):
        open_data(tmp_path)


def test_the_cropped_selection_of_kitti(tmp_path):
    save_selection(tmp_path, TRUTH, picture())
    for path in (tmp_path, tmp_path / 'depth_selection' / 'val_selection_cropped'):
        data = open_data(path)
        assert (data.layout, data.total, data.crop, data.cap) == ('KITTI selection', 1, 'none', 80)
        (sample,) = data.samples()
        alike(sample.truth, unit=1 / 512)
        assert sample.frame.camera == Camera(64, 48, 721.5, 721.6, 596.0, 149.8)
    with pytest.raises(ValueError, match='taken whole'):
        open_data(tmp_path, tmp_path / 'split.txt')


def test_what_is_no_data_set_is_said_to_hold_what_it_holds(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'there is no .*nowhere'):
        open_data(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match=r'holds nothing; known are folders with pairs\.json'):
        open_data(tmp_path)
    (tmp_path / 'holiday.jpg').touch()
    with pytest.raises(ValueError, match=r'holds holiday\.jpg; known are'):
        open_data(tmp_path)
    with pytest.raises(ValueError, match=r'is \.jpg; known are'):
        open_data(tmp_path / 'holiday.jpg')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{', 'is no JSON'),
        ('{}', 'must be a list'),
        ('[]', 'lists no pair'),
        ('[{"name": "a", "color": "a.png"}]', 'entry 0 has no depth'),
        (
            '[{"name": "a", "color": "a", "depth": "b", "depth_unit_per_m": 0}]',
            'entry 0: depth_unit_per_m is 0, not a positive number',
        ),
        ('[{"name": "a", "color": 3, "depth": "b", "depth_unit_per_m": 1}]', 'color is 3'),
        (
            '[{"name": "a", "color": "a", "depth": "b", "depth_unit_per_m": 1, "K": [1, 2]}]',
            r'entry 0: K is \[1, 2\], not fx, fy, cx, cy',
        ),
        (
            '[{"name": "", "color": "a", "depth": "b", "depth_unit_per_m": 1, "K": [0, 1, 2, 3]}]',
            r'entry 0: K is \[0, 1, 2, 3\], not fx, fy, cx, cy',
        ),
    ],
)
def test_a_list_of_pairs_that_is_none(tmp_path, text, message):
    (tmp_path / 'pairs.json').write_text(text)
    with pytest.raises(ValueError, match=message):
        open_data(tmp_path)


def test_files_of_a_pair_that_do_not_do(tmp_path):
    save_pairs(tmp_path, [TRUTH])
    save_depth(tmp_path / '0_depth.png', TRUTH[:, :32], 1000)
    with pytest.raises(ValueError, match='pair0: the depth is 32x48, the picture 64x48: register'):
        read(tmp_path)
    save_picture(tmp_path / '0_depth.png', picture())
    with pytest.raises(ValueError, match=r'0_depth.png holds uint8.*one channel of 16 bits'):
        read(tmp_path)
    (tmp_path / '0.png').write_bytes(b'torn')
    with pytest.raises(ValueError, match=r'0.png is no image'):
        read(tmp_path)
    (tmp_path / '0.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'no file .*0.png: check the path'):
        read(tmp_path)


def test_reading_nyu_needs_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'h5py', None)
    (tmp_path / 'nyu.mat').touch()
    with pytest.raises(ModuleNotFoundError, match='h5py'):
        open_data(tmp_path / 'nyu.mat')
