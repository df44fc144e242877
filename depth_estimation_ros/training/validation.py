# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How good a network is on rendered rooms that training never saw."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.metrics import DepthErrors, depth_errors
from depth_estimation_ros.synthetic import make_room, random_pose, render
from depth_estimation_ros.training.datasets import normalize

# Far above every seed that training may take.
FIRST_SEED = 1_000_000_000
FIELDS_OF_VIEW = (55.0, 60.0, 65.0, 70.0)
# A mild lens of an ordinary webcam.
LENS = (-0.09, 0.02, 0.0005, -0.0005, 0.0)


@torch.inference_mode()
def held_out_errors(
    network: nn.Module,
    frames: int = 240,
    size: tuple[int, int] = (192, 256),
    resolution: tuple[int, int] | None = None,
) -> DepthErrors:
    """Mean of each error over frames, each from a room and a pose of its own, without alignment.

    Args:
        network: normalised images [N, 3, H, W] to metres [N, h, w].
        frames: how many.
        size: height and width of the network's input.
        resolution: height and width to render at, with lens distortion; by default `size`,
            without.
    """
    network.eval()
    errors = [_frame_errors(network, index, size, resolution) for index in range(frames)]
    means = np.mean([dataclasses.astuple(error) for error in errors], axis=0)
    return DepthErrors(*means.tolist())


def held_out_frame(
    index: int, resolution: tuple[int, int], lens: tuple[float, ...] = ()
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture of a room that training cannot draw.

    Args:
        index: which.
        resolution: height and width.
        lens: plumb_bob distortion; none by default.

    Returns:
        uint8 [H, W, 3] RGB and its depth [H, W] in metres.
    """
    height, width = resolution
    camera = Camera.from_hfov(width, height, FIELDS_OF_VIEW[index % len(FIELDS_OF_VIEW)])
    if lens:
        camera = dataclasses.replace(camera, distortion_model='plumb_bob', distortion=lens)
    seed = FIRST_SEED + index
    room = make_room(seed)
    return render(room, camera, random_pose(room, np.random.default_rng(seed)))


def _frame_errors(
    network: nn.Module, index: int, size: tuple[int, int], resolution: tuple[int, int] | None
) -> DepthErrors:
    image, truth = held_out_frame(index, resolution or size, LENS if resolution else ())
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    pixels = functional.interpolate(pixels, size, mode='bilinear', antialias=True)
    depth = functional.interpolate(
        network(normalize(pixels))[:, None], truth.shape, mode='bilinear'
    )
    return depth_errors(depth[0, 0].numpy(), truth)
