# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is made of a network's answer, done where the answer lies: here, or on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.colorize import colorize, colorize_inverse
from depth_estimation_ros.pointcloud import cloud

if TYPE_CHECKING:
    from depth_estimation_ros.calibration import Fit


class FloatImage(Protocol):
    """[H, W] float32: a NumPy array, or one on a device, of which np.asarray makes a copy here."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width."""

    def __array__(self) -> NDArray[np.float32]: ...


class Operations(Protocol):
    """All that is done with every pixel; `out` is always in main memory, as of a message."""

    def metres(self, values: FloatImage, fit: Fit | None, near: float, far: float) -> FloatImage:
        """Depth of what a network says, in an array of its own.

        Args:
            values: What it says; untouched.
            fit: Makes it metres; None where it says metres.
            near, far: What is nearer becomes -Inf, what is farther +Inf (REP 117); NaN stays NaN.
        """

    def colorize(
        self, depth: FloatImage, near: float, far: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `colorize.colorize`."""

    def colorize_inverse(
        self, values: FloatImage, low: float, high: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `colorize.colorize_inverse`."""

    def cloud(
        self,
        depth: FloatImage,
        rays: NDArray[np.float32],
        image: NDArray[np.uint8],
        edges: float,
        out: NDArray[np.float32],
    ) -> None:
        """As `pointcloud.cloud`."""

    def sample(
        self, values: FloatImage, u: NDArray[np.intp], v: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """What is said at pixels: [N] columns and rows to [N], in main memory."""

    def affine(self, values: FloatImage, scale: float, shift: float) -> FloatImage:
        """scale·values + shift, in an array of its own."""

    def mean(
        self,
        values: FloatImage,
        before: FloatImage,
        same: NDArray[np.bool_],
        weight: float,
        gate: float,
    ) -> FloatImage:
        """The mean with earlier values, in an array of its own.

        Args:
            values, before: What is said now, and what was.
            same: [H, W] where the mean may be taken.
            weight: Of what was.
            gate: Share of a value by which it may have changed; otherwise it stays what it is.
        """


class HostOperations:
    """`Operations` in main memory, with NumPy and OpenCV."""

    def metres(self, values: FloatImage, fit: Fit | None, near: float, far: float) -> FloatImage:
        """As `Operations.metres`."""
        said = np.asarray(values)
        depth = said.copy() if fit is None else fit.depth(said)
        # NaN spreads to minimum and maximum; looking there is quicker than comparing everywhere.
        if not (near <= depth.min() and depth.max() <= far):
            np.copyto(depth, -np.inf, where=depth < np.float32(near))
            np.copyto(depth, np.inf, where=depth > np.float32(far))
        return depth

    def colorize(
        self, depth: FloatImage, near: float, far: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `Operations.colorize`."""
        colorize(np.asarray(depth), near, far, colormap, out)

    def colorize_inverse(
        self, values: FloatImage, low: float, high: float, colormap: str, out: NDArray[np.uint8]
    ) -> None:
        """As `Operations.colorize_inverse`."""
        colorize_inverse(np.asarray(values), low, high, colormap, out)

    def cloud(
        self,
        depth: FloatImage,
        rays: NDArray[np.float32],
        image: NDArray[np.uint8],
        edges: float,
        out: NDArray[np.float32],
    ) -> None:
        """As `Operations.cloud`."""
        cloud(np.asarray(depth), rays, image, edges, out)

    def sample(
        self, values: FloatImage, u: NDArray[np.intp], v: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """As `Operations.sample`."""
        return np.asarray(values)[v, u]

    def affine(self, values: FloatImage, scale: float, shift: float) -> FloatImage:
        """As `Operations.affine`."""
        scaled = np.multiply(np.asarray(values), np.float32(scale))
        scaled += np.float32(shift)
        return scaled

    def mean(
        self,
        values: FloatImage,
        before: FloatImage,
        same: NDArray[np.bool_],
        weight: float,
        gate: float,
    ) -> FloatImage:
        """As `Operations.mean`."""
        said = np.asarray(values)
        with np.errstate(invalid='ignore'):  # of Inf, which is no change
            change = np.asarray(before) - said
        alike = np.abs(change) <= np.float32(gate) * np.abs(said)
        change = np.where(alike & same, change, np.float32(0.0))
        return np.asarray(said + np.float32(weight) * change, np.float32)


HOST = HostOperations()
