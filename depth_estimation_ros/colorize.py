# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth as colours: a fixed range, near warm and far cold, unknown black."""

from __future__ import annotations

import functools
from typing import cast

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

# OpenCV's map, and where it begins: not at 0 where that is black, which stands for unknown.
_COLORMAPS = {
    'turbo': (cv2.COLORMAP_TURBO, 0),
    'inferno': (cv2.COLORMAP_INFERNO, 30),
    'gray': (None, 40),
}
_WARMEST = 255  # of the table; 1 is the coldest colour and 0 stands for unknown
_SETTLING_FRAMES = 30
_PERCENTILES = (2.0, 98.0)
_LEGEND_HEIGHT = 480  # up to which its text keeps its size
_WHITE = (255, 255, 255)
_STRIDE = 8  # pixels between the samples of which percentiles are taken


def colorize(
    depth: NDArray[np.float32],
    near: float,
    far: float,
    colormap: str = 'turbo',
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Colours of metric depth, linear in Z.

    Args:
        depth: [H, W] float32 in metres; NaN becomes black, +Inf the coldest colour and -Inf the
            warmest.
        near, far: Depths in metres of the warmest and the coldest colour.
        colormap: 'turbo', 'inferno' or 'gray'.
        out: Where to write, [H, W, 3] uint8, contiguous.

    Returns:
        [H, W, 3] uint8 RGB.

    Raises:
        ValueError: Unknown colour map, or near not below far.
    """
    return _paint(depth, *depth_ends(near, far), colormap, out)


def colorize_inverse(
    values: NDArray[np.float32],
    low: float,
    high: float,
    colormap: str = 'turbo',
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Colours of inverse depth without unit, linear in it: high is near and therefore warm.

    Args:
        values: [H, W] float32, as a relative model says; NaN becomes black.
        low, high: Values of the coldest and the warmest colour.
        colormap, out: As for `colorize`.

    Returns:
        [H, W, 3] uint8 RGB.

    Raises:
        ValueError: Unknown colour map, or low not below high.
    """
    return _paint(values, *inverse_ends(low, high), colormap, out)


def depth_ends(near: float, far: float) -> tuple[float, float]:
    """The coldest and the warmest depth; raises as `colorize`."""
    if not near < far:
        raise ValueError(f'near={near:g} must be below far={far:g}')
    return far, near


def inverse_ends(low: float, high: float) -> tuple[float, float]:
    """The coldest and the warmest inverse depth; raises as `colorize_inverse`."""
    if not low < high:
        raise ValueError(f'low={low:g} must be below high={high:g}')
    return low, high


def to_index(cold: float, warm: float) -> tuple[float, float]:
    """Factor and offset from a value between cold and warm to its index in `table`."""
    step = (warm - cold) / (_WARMEST - 1)
    return 1.0 / step, 1.0 - cold / step


def _paint(
    values: NDArray[np.float32],
    cold: float,
    warm: float,
    colormap: str,
    out: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    factor, offset = to_index(cold, warm)
    inside = np.clip(values, min(cold, warm), max(cold, warm))
    cv2.patchNaNs(inside, -offset / factor)  # index 0, one step beyond the coldest
    index = cv2.convertScaleAbs(inside, alpha=factor, beta=offset)
    return cast('NDArray[np.uint8]', cv2.applyColorMap(index, table(colormap), out))


@functools.cache
def table(colormap: str) -> NDArray[np.uint8]:
    """The colours of a map, [256, 1, 3] uint8 RGB: 0 black (unknown), 1 coldest to 255 warmest."""
    if colormap not in _COLORMAPS:
        raise ValueError(f'unknown colormap {colormap!r}: known are {", ".join(_COLORMAPS)}')
    code, first = _COLORMAPS[colormap]
    ramp = np.linspace(first, 255, _WARMEST).round().astype(np.uint8)[:, None]
    colours = np.zeros((256, 1, 3), np.uint8)
    colours[1:] = ramp[..., None] if code is None else cv2.applyColorMap(ramp, code)[..., ::-1]
    return colours


def legend(
    height: int, near: float, far: float, unit: str = 'm', colormap: str = 'turbo'
) -> NDArray[np.uint8]:
    """A strip that says which colour means what, to stand beside a coloured picture.

    Args:
        height: Height in pixels; the width follows from the text.
        near, far: Values at the bottom (warmest) and at the top (coldest); for inverse depth near
            is the larger one.
        unit: Written behind each value.

    Returns:
        [height, W, 3] uint8 RGB on black.
    """
    size = max(height / _LEGEND_HEIGHT, 1.0)  # as large as in a small picture
    font, line, ticks = cv2.FONT_HERSHEY_SIMPLEX, round(size), 5
    margin, bar, gap = round(10 * size), round(18 * size), round(8 * size)
    values = np.linspace(far, near, ticks)
    texts = [f'{value:.3g} {unit}'.strip() for value in values]
    width = max(cv2.getTextSize(text, font, 0.45 * size, line)[0][0] for text in texts)
    strip = np.zeros((height, margin + bar + gap + width + margin, 3), np.uint8)
    rows = max(height - 2 * margin, 1)
    ramp = np.linspace(far, near, rows, dtype=np.float32)[:, None]
    strip[margin : margin + rows, margin : margin + bar] = _paint(ramp, far, near, colormap, None)
    right = margin + bar
    for text, row in zip(texts, np.linspace(margin, margin + rows - 1, ticks), strict=True):
        y, down = int(row), round(5 * size)
        cv2.line(strip, (right, y), (right + gap // 2, y), _WHITE, line)
        at = (right + gap, y + down)
        cv2.putText(strip, text, at, font, 0.45 * size, _WHITE, line, cv2.LINE_AA)
    return strip


class SettlingRange:
    """The colour range of a model without unit: the mean over the first frames, then fixed.

    A range chosen anew for every frame would make colours flicker and mean nothing.
    """

    def __init__(self) -> None:
        self._seen: list[NDArray[np.float64]] = []
        self._range = (0.0, 1.0)

    def update(self, values: ArrayLike) -> tuple[float, float]:
        """Take in a frame while the range settles, and tell the range.

        Args:
            values: [H, W] inverse depth without unit; what is not finite is left out.

        Returns:
            Low and high, low below high.
        """
        if len(self._seen) < _SETTLING_FRAMES:
            sample = np.asarray(values, np.float32)[::_STRIDE, ::_STRIDE]
            sample = sample[np.isfinite(sample)]
            if sample.size:
                self._seen.append(np.percentile(sample, _PERCENTILES))
                low, high = np.mean(self._seen, axis=0).tolist()
                self._range = low, max(high, low + 1e-6 * max(abs(low), 1.0))
        return self._range
