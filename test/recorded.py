# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Data sets in the layouts that they are published in, as small as can be."""

from __future__ import annotations

import json

import cv2
import h5py
import numpy as np

DRIVE = '2011_09_26_drive_0002_sync'
SELECTED = '2011_09_26_drive_0005_sync'


def picture(width=64, height=48, seed=0):
    """[H, W, 3] uint8 RGB."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def save_depth(path, metres, units):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.nan_to_num(metres * units).round().astype(np.uint16))


def save_picture(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def save_pairs(folder, truths, images=None, **more):
    """A pairs.json folder with a pair a truth; `more` goes into each entry."""
    entries = []
    for index, truth in enumerate(truths):
        height, width = truth.shape
        image = picture(width, height, index) if images is None else images[index]
        save_picture(folder / f'{index}.png', image)
        save_depth(folder / f'{index}_depth.png', truth, 1000)
        entry = {'name': f'pair{index}', 'color': f'{index}.png', 'depth': f'{index}_depth.png'}
        entries.append(entry | {'depth_unit_per_m': 1000} | more)
    (folder / 'pairs.json').write_text(json.dumps(entries))
    return folder


def save_nyu(file, truths, images):
    """As MATLAB writes it: columns first."""
    with h5py.File(file, 'w') as mat:
        mat['images'] = np.stack(images).transpose(0, 3, 2, 1)
        mat['depths'] = np.stack(truths).astype(np.float32).transpose(0, 2, 1)
    return file


def save_kitti(folder, truths, images, part='val', camera=2):
    """Frames 5, 6, … of a drive: raw pictures, annotated depth, the day's calibration."""
    for number, (truth, image) in enumerate(zip(truths, images, strict=True), 5):
        name = f'{number:010}.png'
        raw = folder / DRIVE[:10] / DRIVE / f'image_0{camera}' / 'data'
        save_picture(raw / name, image)
        annotated = folder / 'data_depth_annotated' / part / DRIVE / 'proj_depth' / 'groundtruth'
        save_depth(annotated / f'image_0{camera}' / name, truth, 256)
    matrix = '7.2e+02 0 6.1e+02 4.5e+01 0 7.3e+02 1.7e+02 2e-01 0 0 1 3e-03'
    (folder / DRIVE[:10] / 'calib_cam_to_cam.txt').write_text(
        f'calib_time: 09-Jan-2012\nP_rect_02: {matrix}\nP_rect_03: {matrix}\n'
    )
    return folder


def save_selection(folder, truth, image):
    """One frame of depth_selection/val_selection_cropped."""
    root = folder / 'depth_selection' / 'val_selection_cropped'
    name = f'{SELECTED}_{{}}_0000000007_image_02'
    save_picture(root / 'image' / f'{name.format("image")}.png', image)
    save_depth(root / 'groundtruth_depth' / f'{name.format("groundtruth_depth")}.png', truth, 256)
    intrinsics = root / 'intrinsics' / f'{name.format("image")}.txt'
    intrinsics.parent.mkdir()
    intrinsics.write_text('721.5 0 596.0 0 721.6 149.8 0 0 1\n')
    return folder
