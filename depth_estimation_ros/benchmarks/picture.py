# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture that is worked on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def picture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture with detail everywhere, so that nothing about it is cheap: [height, width, 3]."""
    v, u = np.mgrid[:height, :width]
    waves = np.stack([np.sin(u / 7.0 + v / 31.0), np.sin(v / 11.0), np.cos(u / 23.0)], axis=-1)
    noise = np.random.default_rng(seed).normal(0.0, 8.0, waves.shape)
    return np.clip(127.0 + 100.0 * waves + noise, 0, 255).astype(np.uint8)
