# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is made of a network's answer, made on the device; only what is wanted comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from depth_estimation_ros import colorize as colours
from depth_estimation_ros.edges import BEYOND, stride
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.operations import FloatImage
from depth_estimation_ros.pointcloud import check_sizes
from depth_estimation_ros.runtimes.device_array import DeviceArray, Uploads

if TYPE_CHECKING:
    from depth_estimation_ros.calibration import Fit


class TorchOperations:
    """`operations.Operations` in PyTorch, with the numbers of `HostOperations`.

    Args:
        uploads: The way to the device, and what is there already.
    """

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    @torch.inference_mode()
    def metres(self, values: FloatImage, fit: Fit | None, near: float, far: float) -> FloatImage:
        """As `Operations.metres`."""
        depth = self._tensor(values)
        if fit is not None:
            depth = depth * fit.scale + fit.shift
            if fit.kind is DepthKind.RELATIVE:
                depth = depth.clamp(min=0.0).reciprocal()
        depth = torch.where(depth < near, -torch.inf, depth)
        return DeviceArray(torch.where(depth > far, torch.inf, depth))

    def colorize(
        self, depth: FloatImage, near: float, far: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `Operations.colorize`."""
        self._paint(depth, colours.depth_ends(near, far), colormap, out)

    def colorize_inverse(
        self, values: FloatImage, low: float, high: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `Operations.colorize_inverse`."""
        self._paint(values, colours.inverse_ends(low, high), colormap, out)

    @torch.inference_mode()
    def _paint(
        self,
        values: FloatImage,
        ends: tuple[float, float],
        colormap: str,
        out: NDArray[np.uint8],
    ) -> None:
        factor, offset = colours.to_index(*ends)
        inside = self._tensor(values).clamp(min(ends), max(ends))
        index = (inside * factor + offset).round().nan_to_num(0.0)  # 0 stands for unknown
        table = self._uploads.of(colours.table(colormap))[:, 0]
        _download(table[index.long()], out)

    @torch.inference_mode()
    def cloud(
        self,
        depth: FloatImage,
        rays: NDArray[np.float32],
        image: NDArray[np.uint8],
        edges: float,
        out: NDArray[np.float32],
    ) -> None:
        """As `Operations.cloud`."""
        check_sizes(depth.shape, rays.shape, image.shape)
        z, across = self._tensor(depth), self._uploads.of(rays)
        known = z + 0.0 * z  # 0 * Inf is NaN: only what is finite stays
        z = torch.where(_flying(z, edges), torch.nan, known) if edges else known
        points = torch.empty((*z.shape, 4), dtype=z.dtype, device=z.device)
        points[..., :2] = across * z[..., None]
        points[..., 2] = z + 0.0 * across[..., 0]  # the same for pixels whose ray is unknown
        red, green, blue = self._uploads.of(image).int().unbind(-1)
        points.view(torch.int32)[..., 3] = (red << 16) | (green << 8) | blue
        _download(points, out)

    @torch.inference_mode()
    def sample(
        self, values: FloatImage, u: NDArray[np.intp], v: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """As `Operations.sample`: only these pixels come down."""
        tensor = self._tensor(values)
        row, column = (torch.from_numpy(axis).to(tensor.device) for axis in (v, u))
        return np.asarray(tensor[row, column].cpu().numpy(), np.float32)

    @torch.inference_mode()
    def affine(self, values: FloatImage, scale: float, shift: float) -> FloatImage:
        """As `Operations.affine`."""
        return DeviceArray(self._tensor(values) * scale + shift)

    @torch.inference_mode()
    def mean(
        self,
        values: FloatImage,
        before: FloatImage,
        same: NDArray[np.bool_],
        weight: float,
        gate: float,
    ) -> FloatImage:
        """As `Operations.mean`."""
        said = self._tensor(values)
        change = self._tensor(before) - said
        alike = (change.abs() <= gate * said.abs()) & self._uploads.of(same)
        return DeviceArray(said + weight * torch.where(alike, change, 0.0))

    def _tensor(self, image: FloatImage) -> Tensor:
        return (
            image.tensor if isinstance(image, DeviceArray) else self._uploads.of(np.asarray(image))
        )


def _flying(depth: Tensor, jump: float) -> Tensor:
    """As `edges.flying`; at the last digit of a mean that decides it may differ."""
    far = stride(*depth.shape)
    blocks = functional.avg_pool2d(depth[None], far)[0].clamp(-BEYOND, BEYOND)
    least = blocks * blocks * (jump * jump)
    found = torch.zeros_like(blocks, dtype=torch.bool)
    for axis in (1, 0):
        line, enough, mask = (each.movedim(axis, 0) for each in (blocks, least, found))
        if len(line) > 4:
            step = line[1:] - line[:-1]
            around = step[3:] * step[:-3] + enough[2:-2]
            mask[2:-2] |= step[2:-1] * step[1:-2] > around
    whole = torch.zeros_like(depth, dtype=torch.bool)
    wide = found.repeat_interleave(far, 0).repeat_interleave(far, 1)
    whole[: wide.shape[0], : wide.shape[1]] = wide
    return whole


def _download(tensor: Tensor, out: NDArray[Any]) -> None:
    """Into memory that is there already, as of a message: nothing is copied twice."""
    torch.from_numpy(out).copy_(tensor)
