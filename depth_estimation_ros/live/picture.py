# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a frame, as arrays: picture, colours and legend, and what is said of it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PANEL = 640  # pixels of the longer side of the picture, as it is shown
_ROW, _MARGIN, _FONT, _TEXT = 24, 10, cv2.FONT_HERSHEY_SIMPLEX, 0.5
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


@dataclasses.dataclass(frozen=True)
class Seen:
    """A frame and what came of it.

    Attributes:
        image: [H, W, 3] uint8 RGB.
        colours: Its depth, [H, W, 3] uint8 RGB.
        legend: [h, w, 3] uint8 RGB, as high as the picture is shown.
        mark: Pixel of the image whose distance is told.
        lines: What is said of it.
        hint: What can be done.
    """

    image: Picture
    colours: Picture
    legend: Picture
    mark: tuple[float, float]
    lines: tuple[str, ...]
    hint: str = ''

    def panels(self) -> Picture:
        """Picture and colours beside each other, as large as they are shown, and marked."""
        panels = [_resized(picture) for picture in (self.image, self.colours)]
        height, width, _ = panels[0].shape
        u, v = (
            round((at + 0.5) * shown / size - 0.5)
            for at, shown, size in zip(
                self.mark, (width, height), self.image.shape[1::-1], strict=True
            )
        )
        for panel in panels:
            for colour, thickness in ((_BLACK, 3), (_WHITE, 1)):
                cv2.drawMarker(panel, (u, v), colour, cv2.MARKER_CROSS, 17, thickness)
        return np.hstack(panels)

    def window(self) -> Picture:
        """All of it, the lines beneath, [H, W, 3] uint8 RGB."""
        shown = np.hstack([self.panels(), self.legend])
        lines = (*self.lines, self.hint)
        bar = np.zeros((_ROW * len(lines) + _MARGIN, shown.shape[1], 3), np.uint8)
        for i, line in enumerate(lines):
            at = (_MARGIN, _ROW * (i + 1) - _MARGIN // 2)
            cv2.putText(bar, line, at, _FONT, _TEXT, _WHITE, 1, cv2.LINE_AA)
        return np.vstack([shown, bar])

    def pixel(self, x: int, y: int) -> tuple[float, float] | None:
        """The pixel of the image at a place in the window; None: neither picture nor colours."""
        (height, width), (rows, columns) = self.image.shape[:2], shown_size(*self.image.shape[:2])
        if not (0 <= x < 2 * columns and 0 <= y < rows):
            return None
        return (
            round((x % columns + 0.5) * width / columns - 0.5),
            round((y + 0.5) * height / rows - 0.5),
        )


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Height and width in which an image of this size is shown."""
    scale = PANEL / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _resized(picture: Picture) -> Picture:
    rows, columns = shown_size(*picture.shape[:2])
    how = cv2.INTER_AREA if rows < len(picture) else cv2.INTER_LINEAR
    return np.array(cv2.resize(picture, (columns, rows), interpolation=how), np.uint8)


def half_blocks(picture: Picture, columns: int, rows: int) -> list[str]:
    """A picture as lines for a terminal: upper half blocks, each of two pixels in true colour.

    Args:
        picture: [H, W, 3] uint8 RGB.
        columns, rows: Of the terminal that it must fit; its proportions are kept.
    """
    height, width, _ = picture.shape
    scale = min(columns / width, 2 * rows / height)
    size = max(int(width * scale), 1), max(int(height * scale) // 2 * 2, 2)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return [
        ''.join(
            f'\x1b[38;2;{r};{g};{b};48;2;{R};{G};{B}m▀'
            for (r, g, b), (R, G, B) in zip(upper, lower, strict=True)
        )
        + '\x1b[0m'
        for upper, lower in zip(small[::2].tolist(), small[1::2].tolist(), strict=True)
    ]
