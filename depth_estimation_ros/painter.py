# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Colours of one camera's depth maps, in a range that stays from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import colorize, sections
from depth_estimation_ros.frames import DepthMap


class Painter:
    """Paints metres in the range of the options, and inverse depth in one that settles.

    Args:
        options: Range and colours; may be replaced.
    """

    def __init__(self, options: sections.Colorize) -> None:
        self.options = options
        self._settling = colorize.SettlingRange()
        self._range = (0.0, 1.0)

    def paint(
        self, depth_map: DepthMap, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """The colours, near warm and far cold, [H, W, 3] uint8 RGB.

        Args:
            depth_map: Its depth; where there are no metres, what the network says.
            out: Where to write, contiguous.
        """
        values, operations = depth_map.prediction.values, depth_map.prediction.operations
        if out is None:
            out = np.empty((*values.shape, 3), np.uint8)
        options = self.options
        if depth_map.depth is not None:
            near, far = options.min, options.max
            operations.colorize(depth_map.depth, near, far, options.colormap, out)
        else:
            self._range = low, high = self._settling.update(values)
            operations.colorize_inverse(values, low, high, options.colormap, out)
        return out

    def legend(self, depth_map: DepthMap, height: int | None = None) -> NDArray[np.uint8]:
        """A strip for beside what `paint` has made of a depth map, [H, W, 3] uint8 RGB.

        Args:
            depth_map: The one painted last.
            height: In which it is shown; None: as it is.
        """
        height = height or depth_map.prediction.values.shape[0]
        options = self.options
        if depth_map.depth is not None:
            return colorize.legend(height, options.min, options.max, 'm', options.colormap)
        low, high = self._range
        return colorize.legend(height, high, low, '', options.colormap)
