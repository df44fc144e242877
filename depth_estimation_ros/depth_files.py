# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps as files: coloured pictures with a legend, 16-bit PNG, npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.colorize import colorize, colorize_inverse, legend
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.messages import depth_to_millimetres

_PERCENTILES = (2.0, 98.0)


def colours(depth_map: DepthMap, unit: str) -> NDArray[np.uint8]:
    """A coloured picture, warm near and cold far, with a legend beside it.

    Args:
        depth_map: What is shown; its prediction where it has no metres.
        unit: Of the legend: m, cm, or model for the prediction.

    Returns:
        [H, W + legend, 3] uint8 RGB.
    """
    said = unit == 'model' or depth_map.depth is None
    values = np.asarray(depth_map.prediction.values if said else depth_map.depth)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, _PERCENTILES).tolist() if known.size else (0.0, 1.0)
    high = max(high, low + 1e-6 * max(abs(low), 1.0))
    if said and depth_map.prediction.kind is DepthKind.RELATIVE:
        picture, strip = colorize_inverse(values, low, high), legend(len(values), high, low, '')
    else:
        scale, name = (100.0, 'cm') if unit == 'cm' else (1.0, 'm')
        picture = colorize(values, low, high)
        strip = legend(len(values), low * scale, high * scale, name)
    return np.hstack([picture, strip])


def write_colours(depth_map: DepthMap, unit: str, file: Path) -> None:
    """What `colours` makes, as a PNG.

    Raises:
        OSError: It cannot be written.
    """
    _write(file, colours(depth_map, unit)[..., ::-1])


def write_png16(depth_map: DepthMap, file: Path) -> None:
    """Millimetres in 16 bits; 0 unknown, out of range, or beyond 65.535 m.

    Raises:
        ValueError: There are no metres.
        OSError: It cannot be written.
    """
    if depth_map.depth is None:
        raise ValueError(f'{file} takes millimetres, and there are no metres')
    _write(file, depth_to_millimetres(np.asarray(depth_map.depth)))


def write_npz(depth_map: DepthMap, file: Path) -> None:
    """`depth`, [H, W] float32 m (NaN unknown, ±Inf out of range), or `inverse_depth` without unit.

    With it `kind`, and where the camera is known `K`, [3, 3], `D` and `distortion_model`.

    Raises:
        OSError: It cannot be written.
    """
    camera, depth = depth_map.frame.camera, depth_map.depth
    arrays: dict[str, Any] = {'kind': depth_map.kind.value}
    arrays['inverse_depth' if depth is None else 'depth'] = np.asarray(
        depth_map.prediction.values if depth is None else depth
    )
    if camera is not None:
        arrays |= {
            'K': camera.matrix,
            'D': np.array(camera.distortion),
            'distortion_model': camera.distortion_model,
        }
    np.savez_compressed(file, **arrays)


def _write(file: Path, image: NDArray[Any]) -> None:
    _, data = cv2.imencode('.png', np.ascontiguousarray(image))
    file.write_bytes(data.tobytes())
