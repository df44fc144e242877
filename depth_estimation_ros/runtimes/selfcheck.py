# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a runtime answers what PyTorch answers in fp32, and how long it takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes.base import Session

_FP16 = 10.0  # how much more than fp32 a runtime in half precision may deviate
# A measurement ends after so many turns, or so many seconds, but takes three turns at least.
_MOST, _SECONDS, _LEAST = 50, 3.0, 3


def reference_pixels(width: int, height: int) -> NDArray[np.uint8]:
    """[1, height, width, 3], always the same: shading, edges, texture, and the ends of the range.

    It is not drawn by a random generator, whose numbers may change with its version.
    """
    y, x = np.mgrid[:height, :width].astype(np.float64)
    shading = np.stack([x / width, y / height, 1.0 - x / width], axis=-1)
    boards = (x // (1 + width // 7) + y // (1 + height // 5)) % 2
    texture = np.modf(np.abs(np.sin(12.9898 * x + 78.233 * y)) * 43758.5453)[0]
    values = 255 * (0.5 * shading + 0.25 * boards[..., None] + 0.25 * texture[..., None])
    return np.asarray(np.clip(1.1 * values - 12.0, 0, 255), np.uint8)[np.newaxis]


def difference(output: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Largest difference over the mean magnitude of the reference.

    Raises:
        ValueError: The shapes differ.
    """
    if output.shape != reference.shape:
        raise ValueError(f'it answers {output.shape} instead of {reference.shape}')
    difference = np.abs(output.astype(np.float64) - reference).max()
    # A network that answers 0 everywhere has no magnitude: then any difference counts whole.
    return float(difference / (np.abs(reference).mean(dtype=np.float64) or 1.0))


def tolerance(spec: ModelSpec, half: bool) -> float:
    """How much a runtime may deviate for this model, in fp32 or in half precision."""
    return spec.tolerance * (_FP16 if half else 1.0)


def milliseconds(sessions: Sequence[Session], pixels: NDArray[np.uint8]) -> list[float]:
    """Median time of a run of each; they take turns, so that a busy moment hits all alike."""
    for session in sessions:
        session.run(pixels)  # the first run is slow
    started = time.perf_counter()
    times: list[list[float]] = [[] for _ in sessions]
    for turn in range(_MOST):
        for session, durations in zip(sessions, times, strict=True):
            before = time.perf_counter()
            session.run(pixels)
            durations.append(1e3 * (time.perf_counter() - before))
        if turn + 1 >= _LEAST and time.perf_counter() - started > _SECONDS:
            break
    return list(map(statistics.median, times))
