# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What `Preprocessing` does with OpenCV, in PyTorch, where the network is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.preprocessing import Preprocessing


def resize(pixels: Tensor, plan: Preprocessing) -> Tensor:
    """As `Preprocessing.apply`, to within one count of 255.

    Args:
        pixels: uint8 [N, height, width, 3].
        plan: The sizes.

    Returns:
        uint8 [N, network_height, network_width, 3].
    """
    width, height = plan.network_width, plan.network_height
    images = pixels.permute(0, 3, 1, 2).float()
    while images.shape[3] >= 2 * width and images.shape[2] >= 2 * height:
        images = _rounded(_halved(_halved(images, 2), 3))
    images = functional.interpolate(images, (height, width), mode='bilinear')
    return _rounded(images).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def restore(output: Tensor, plan: Preprocessing) -> Tensor:
    """As `Preprocessing.restore`.

    Args:
        output: float32 [N, h', w'], what the network says.
        plan: The sizes, and the kind of the numbers.

    Returns:
        float32 [N, height, width], NaN where it is no number, or no depth before the camera.
    """
    floor = 0.0 if plan.spec.kind is DepthKind.METRIC else -torch.inf
    known = torch.where((output > floor) & (output < torch.inf), output, torch.nan)
    size = (plan.height, plan.width)
    return functional.interpolate(known[:, None], size, mode='bilinear')[:, 0]


def _halved(images: Tensor, axis: int) -> Tensor:
    """Half the pixels along an axis, each the mean of what it covers (cv2.INTER_AREA).

    Of an odd number each new pixel covers 2 + 1/half old ones: the rest of one, a whole one, and
    the beginning of a third.
    """
    side = images.shape[axis]
    half = side // 2
    if side % 2 == 0:
        return images.unfold(axis, 2, 2).mean(-1)
    passed = torch.arange(half, device=images.device) / half
    shares = torch.stack([1.0 - passed, torch.ones_like(passed), passed + 1.0 / half], -1)
    shares = shares.reshape(half, *(1,) * (3 - axis), 3) * (half / side)
    return (images.unfold(axis, 3, 2) * shares).sum(-1)


def _rounded(images: Tensor) -> Tensor:
    """To whole counts, halves upwards as OpenCV's integers do."""
    return (images + 0.5).floor()
