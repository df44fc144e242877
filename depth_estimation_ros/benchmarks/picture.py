# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture that is worked on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def picture(width: int, height: int, seed: int = 0, noise: float = 8.0) -> NDArray[np.uint8]:
    """A picture with detail everywhere, so that nothing about it is cheap: [height, width, 3].

    Without noise it is smooth, and however it is resized, the result is much the same.
    """
    v, u = np.mgrid[:height, :width]
    waves = np.stack([np.sin(u / 7.0 + v / 31.0), np.sin(v / 11.0), np.cos(u / 23.0)], axis=-1)
    grain = np.random.default_rng(seed).normal(0.0, noise, waves.shape)
    return np.clip(127.0 + 100.0 * waves + grain, 0, 255).astype(np.uint8)
