# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Image files in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_rgb(file: Path) -> NDArray[np.uint8]:
    """A picture, [H, W, 3] uint8 RGB, upright as its EXIF data says.

    Raises:
        FileNotFoundError, ValueError: There is none, or it is none.
    """
    import cv2
    import numpy as np

    image = cv2.cvtColor(_read(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return np.asarray(image, np.uint8)


def read_depth(file: Path, unit: float) -> NDArray[np.float32]:
    """A depth image of 16 bits or floating point, [H, W] float32 m; NaN where it is 0.

    Args:
        file: PNG, TIFF or EXR.
        unit: Metres of one.

    Raises:
        FileNotFoundError, ValueError: There is none, or it is none.
    """
    import cv2
    import numpy as np

    if not 0.0 < unit < math.inf:
        raise ValueError(f'a unit of {unit:g} m is none: give the metres of one, such as 0.001')
    stored = _read(file, cv2.IMREAD_UNCHANGED)
    if stored.ndim != 2 or stored.dtype == np.uint8:
        raise ValueError(
            f'{file} holds {stored.dtype} {stored.shape}, which is no depth: give one channel of '
            '16 bits or of floating point'
        )
    return np.where(stored > 0, stored * np.float32(unit), np.float32(np.nan)).astype(np.float32)


def _read(file: Path, how: int) -> Any:
    import cv2

    if not file.is_file():
        raise FileNotFoundError(f'there is no file {file}: check the path')
    image = cv2.imread(str(file), how)
    if image is None:
        raise ValueError(f'{file} is no image that can be read: give a PNG or a JPEG')
    return image
