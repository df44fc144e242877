# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A few pixels of known depth and how they look, to check later whether a calibration holds."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_estimation_ros.thumbnail import WIDTH, thumbnail, to_size

Array = NDArray[np.float64]

_MOST = 32
_SIDE = 15  # pixels of the small picture
_PLAIN = 3.0  # grey levels of standard deviation: what has less looks like anything
_ALIKE = 0.9  # normalised cross-correlation of what is still there
_TREMBLE = 1  # pixels of the small picture by which it may have moved


@dataclasses.dataclass(frozen=True, eq=False)
class Anchors:
    """N pixels of an image, their depth, and what is around them.

    Attributes:
        width, height: Of the image, in pixels.
        u, v: [N] pixels; (0, 0) is the centre of the top-left one.
        depth: [N] Z in metres.
        looks: [N, 15, 15] uint8, squares of the small grey picture.

    Raises:
        ValueError: The arrays do not belong together.
    """

    width: int
    height: int
    u: Array
    v: Array
    depth: Array
    looks: NDArray[np.uint8]

    def __post_init__(self) -> None:
        count = self.depth.size
        shapes = self.u.shape, self.v.shape, self.depth.shape, self.looks.shape
        if shapes != ((count,),) * 3 + ((count, _SIDE, _SIDE),):
            raise ValueError(f'anchors of shapes {shapes} do not belong together')

    @classmethod
    def of(
        cls, image: NDArray[np.uint8], u: ArrayLike, v: ArrayLike, depth: ArrayLike
    ) -> Anchors | None:
        """Up to 32 pixels of known depth that can be recognised; None where none can."""
        height, width, _ = image.shape
        small = thumbnail(image)
        u, v, depth = (np.asarray(values, np.float64) for values in (u, v, depth))
        chosen: list[int] = []
        looks: list[NDArray[np.uint8]] = []
        order = np.random.default_rng(0).permutation(len(depth))  # spread over all of them
        for index, (x, y) in zip(order, _places(u, v, width, height, small)[order], strict=True):
            if len(chosen) == _MOST:
                break
            square = _square(small, x, y, 0)
            if square is not None and square.std() > _PLAIN:
                chosen.append(index)
                looks.append(square)
        if not chosen:
            return None
        return cls(width, height, u[chosen], v[chosen], depth[chosen], np.array(looks))

    def seen(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """[N] whether an image shows at an anchor's pixel what was there."""
        height, width, _ = image.shape
        if (width, height) != (self.width, self.height):
            return np.zeros(len(self.u), np.bool_)
        small = thumbnail(image)
        places = _places(self.u, self.v, width, height, small)
        return np.array([
            (square := _square(small, x, y, _TREMBLE)) is not None
            and float(cv2.matchTemplate(square, look, cv2.TM_CCOEFF_NORMED).max()) > _ALIKE
            for (x, y), look in zip(places, self.looks, strict=True)
        ], np.bool_)  # fmt: skip

    @property
    def vague(self) -> float:
        """Relative change of distance that could go unnoticed, since most still look the same.

        Anchors that are close together hardly move in the picture when the camera comes nearer.
        """
        pixels = np.column_stack([self.u, self.v]) * min(WIDTH / self.width, 1.0)
        radius = np.sqrt(pixels.var(axis=0).sum()) + _SIDE / 2
        return float((_TREMBLE + 1.0) / radius)

    def plain(self) -> dict[str, Any]:
        """In types that YAML and JSON know."""
        return {
            'width': self.width,
            'height': self.height,
            **{name: getattr(self, name).tolist() for name in ('u', 'v', 'depth')},
            'looks': base64.b64encode(self.looks.tobytes()).decode(),
        }

    @classmethod
    def from_plain(cls, stored: dict[str, Any]) -> Anchors:
        """The inverse of `plain`.

        Raises:
            KeyError, TypeError, ValueError: It is not what `plain` makes.
        """
        u, v, depth = (np.array(stored[name], np.float64) for name in ('u', 'v', 'depth'))
        looks = np.frombuffer(base64.b64decode(stored['looks']), np.uint8)
        return cls(
            int(stored['width']), int(stored['height']), u, v, depth,
            looks.reshape(-1, _SIDE, _SIDE),
        )  # fmt: skip


def _places(
    u: Array, v: Array, width: int, height: int, small: NDArray[np.uint8]
) -> NDArray[np.intp]:
    """Pixels of the small picture, [N, 2]."""
    pixels = to_size(np.column_stack([u, v]), (height, width), small.shape)
    return pixels.round().astype(np.intp)


def _square(small: NDArray[np.uint8], x: int, y: int, wider: int) -> NDArray[np.uint8] | None:
    half = _SIDE // 2 + wider
    square = small[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
    whole = square.shape == (2 * half + 1, 2 * half + 1) and x >= half and y >= half
    return square if whole else None
