# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth map to organized coloured point cloud."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.edges import flying


def cloud(
    depth: NDArray[np.float32],
    rays: NDArray[np.float32],
    image: NDArray[np.uint8],
    edges: float = 0.0,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Points and colours of every pixel, in the layout of a PointCloud2 with x y z rgb.

    Args:
        depth: [H, W] float32, Z in metres; what is not finite has no point.
        rays: [H, W, 2] float32, X/Z and Y/Z per pixel (`Camera.rays`).
        image: [H, W, 3] uint8 RGB.
        edges: What hangs between two surfaces by this share of its depth has no point, see
            `edges.flying`; 0: every pixel has.
        out: Where to write, [H, W, 4] float32; the data of a message, so that nothing is copied.

    Returns:
        [H, W, 4] float32: x, y, z in metres in the optical frame, NaN where depth or ray is
        unknown or the pixel flies, and the colour as the bits 0x00RRGGBB (PCL's packed `rgb`).

    Raises:
        ValueError: The sizes differ.
    """
    check_sizes(depth.shape, rays.shape, image.shape)
    if out is None:
        out = np.empty((*depth.shape, 4), np.float32)
    z = cv2.scaleAdd(depth, 0.0, depth)  # 0 * Inf is NaN: one pass, and only what is finite stays
    if edges:
        np.copyto(z, np.nan, where=flying(depth, edges))
    x, y = cv2.multiply(rays[..., 0], z), cv2.multiply(rays[..., 1], z)
    cv2.scaleAdd(x, 0.0, z, z)  # the same for pixels whose ray is unknown
    cv2.merge([x, y, z, _packed(image)], out)
    return out


def check_sizes(depth: tuple[int, ...], rays: tuple[int, ...], image: tuple[int, ...]) -> None:
    """Raise ValueError unless these are shapes for one cloud."""
    if rays[:2] != depth or image[:2] != depth:
        raise ValueError(
            f'depth {depth}, rays {rays} and image {image} differ in size: '
            'scale the camera to the size of the image'
        )


def _packed(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0x00RRGGBB per pixel, as float bits.

    The top byte must not be the usual opaque 255: 0xFFRRGGBB reads as NaN, and readers that skip
    NaN would drop every point.
    """
    colour = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA).view(np.dtype('<u4'))[..., 0]
    colour &= 0x00FFFFFF
    return colour.astype(np.uint32, copy=False).view(np.float32)
