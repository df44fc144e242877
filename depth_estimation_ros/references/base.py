# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of known depth, whatever told them, and the fit of a network's answer to them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.distance import predictions
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthMap

Array = NDArray[np.float64]

_REGIONS = 12, 9


@dataclasses.dataclass(frozen=True)
class References:
    """Pixels of an image whose depth is known from elsewhere.

    Attributes:
        u, v: [N] pixels; (0, 0) is the centre of the top-left one.
        depth: [N] Z in metres.
        source: What told them: points, marker, ground, object, depth, lidar.
        remark: What people should know of them; empty when there is nothing.
        independent: How many of them err independently, as a dense sensor's do not; None: all.
        alike: They are of one thing, a marker or an object: where the network says nearly the
            same of all, a relative model gets a scale alone, as it does from one reference.
        sigma: [N] one sigma of the depths, metres; None: exact.

    Raises:
        ValueError: The arrays differ in length.
    """

    u: Array
    v: Array
    depth: Array
    source: str
    remark: str = ''
    independent: int | None = None
    alike: bool = False
    sigma: Array | None = None

    def __post_init__(self) -> None:
        if not self.u.shape == self.v.shape == self.depth.shape or self.u.ndim != 1:
            raise ValueError(
                f'{self.u.size} u, {self.v.size} v and {self.depth.size} distances: '
                'give one of each a pixel'
            )


def regions(u: Array, v: Array, width: int, height: int) -> int:
    """How many of 12 by 9 regions of an image hold pixels: within one, a network errs alike."""
    columns, rows = _REGIONS
    column = ((u + 0.5) * columns / width).astype(np.intp)
    row = ((v + 0.5) * rows / height).astype(np.intp)
    return len(np.unique(row * columns + column))


def fit_to(
    references: References, depth_map: DepthMap, shift: bool = False, window: int = 1
) -> Fit:
    """Fit scale (and shift) of what the network said of an image to pixels of known depth.

    Args:
        references: The pixels, of this image.
        depth_map: What the network said; metres are not needed.
        shift: Fit a shift too. A relative model with two or more references always does.
        window: Side of the square over which the median of the prediction is taken.

    Raises:
        ValueError: The references do not determine the fit; the text says what would.
    """
    prediction = depth_map.prediction
    values = np.asarray(prediction.values)
    spread = float(np.nanmax(values) - np.nanmin(values))
    said = predictions(depth_map, references.u, references.v, window)
    return fit(
        said,
        references.depth,
        prediction.kind,
        shift,
        spread,
        references.sigma,
        references.independent,
        references.alike,
    )
