# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered frames for training: drawn once into files by several processes, then augmented."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.synthetic import make_room, random_pose, render

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class FrameSet:
    """Frames in memory-mapped files.

    Attributes:
        images: uint8 [N, H, W, 3] RGB.
        depths: float16 [N, H/2, W/2], metres.
    """

    images: npt.NDArray[np.uint8]
    depths: npt.NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.images)


def random_camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    """A camera of 52° to 72° across, slightly off centre, every second one with distortion."""
    base = Camera.from_hfov(width, height, float(np.clip(rng.normal(62, 4.5), 52, 72)))
    shift = rng.normal(0, 0.01, 2) * width
    distorted = rng.random() < 0.5
    k1, k2 = rng.uniform(-0.15, 0.08), rng.uniform(-0.03, 0.03)
    return Camera(
        width,
        height,
        base.fx,
        base.fy * rng.normal(1, 0.005),
        base.cx + shift[0],
        base.cy + shift[1],
        'plumb_bob' if distorted else '',
        (k1, k2, *rng.normal(0, 0.0007, 2), 0.0) if distorted else (),
    )


def render_frames(
    directory: Path,
    seeds: Sequence[int],
    views: int,
    size: tuple[int, int] = (192, 256),
    workers: int = 2,
) -> FrameSet:
    """Render some views of each room into files, or open them when they are already there.

    Args:
        directory: where images.npy and depths.npy are kept.
        seeds: one room each.
        views: pictures of each room.
        size: height and width of the images.
        workers: processes.

    Raises:
        ValueError: the files hold frames of another number or size.
    """
    height, width = size
    shapes = {
        'images': (len(seeds) * views, height, width, 3),
        'depths': (len(seeds) * views, height // 2, width // 2),
    }
    done = directory / 'complete'
    if not done.exists():
        directory.mkdir(parents=True, exist_ok=True)
        for name, dtype in (('images', np.uint8), ('depths', np.float16)):
            np.lib.format.open_memmap(directory / f'{name}.npy', 'w+', dtype, shapes[name])
        tasks = [(directory, place * views, seed, views) for place, seed in enumerate(seeds)]
        with multiprocessing.get_context('spawn').Pool(workers) as pool:
            pool.starmap(_render_room, tasks, chunksize=8)
        done.touch()
    images, depths = (np.load(directory / f'{name}.npy', mmap_mode='r') for name in shapes)
    if images.shape != shapes['images'] or depths.shape != shapes['depths']:
        raise ValueError(
            f'{directory} holds images {images.shape}, not {shapes["images"]}: '
            'remove it or choose another directory'
        )
    return FrameSet(images, depths)


def _render_room(directory: Path, first: int, seed: int, views: int) -> None:
    images = np.load(directory / 'images.npy', mmap_mode='r+')
    depths = np.load(directory / 'depths.npy', mmap_mode='r+')
    height, width = images.shape[1:3]
    room, rng = make_room(seed), np.random.default_rng([seed, 2])
    # Some pictures are larger ones made smaller, as when a camera's are resized for the network.
    factor = 2 if rng.random() < 0.3 else 1
    camera = random_camera(rng, factor * width, factor * height)
    for index in range(first, first + views):
        image, depth = render(room, camera, random_pose(room, rng))
        images[index] = np.rint(_shrink(image, factor))
        # The network answers at half size. Averaging 1/Z is exact on planes.
        depths[index] = 1 / _shrink(1 / depth, 2 * factor)


def _shrink(values: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    height, width = values.shape[0] // factor, values.shape[1] // factor
    blocks = values.reshape(height, factor, width, factor, *values.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def load_batch(
    frames: FrameSet, indices: npt.NDArray[np.intp], rng: np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Normalised images float32 [N, 3, H, W] and depths [N, h, w], augmented with `rng`."""
    images = torch.from_numpy(frames.images[indices]).permute(0, 3, 1, 2).float() / 255
    depths = torch.from_numpy(frames.depths[indices].astype(np.float32))
    if rng is not None:
        images, depths = _augment(images, depths, rng)
    return normalize(images), depths


def normalize(images: Tensor) -> Tensor:
    """Images 0..1 [N, 3, H, W] as the network wants them."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _augment(images: Tensor, depths: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, blur, brightness, colour, gamma and noise, each frame its own."""
    count = len(images)

    def per_frame(low: float, high: float, channels: int = 1) -> Tensor:
        values = rng.uniform(low, high, (count, channels, 1, 1))
        return torch.from_numpy(values.astype(np.float32))

    mirrored = torch.from_numpy(rng.random(count) < 0.5)
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    depths = torch.where(mirrored[:, None, None], depths.flip(2), depths)
    soft = functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    images = images.lerp(soft, per_frame(0, 1) * (per_frame(0, 1) < 0.4))
    images = images * per_frame(0.7, 1.3) * per_frame(0.9, 1.1, 3)
    images = images.clamp(0.001, 1) ** per_frame(0.8, 1.25)
    grain = torch.from_numpy(rng.standard_normal(tuple(images.shape), np.float32))
    return (images + grain * per_frame(0, 0.02)).clamp(0, 1), depths
