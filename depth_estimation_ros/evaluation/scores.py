# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The scores of a network on a data set."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.evaluation.alignment import Alignment
from depth_estimation_ros.evaluation.base import DataSet, Sample
from depth_estimation_ros.evaluation.tally import Tally
from depth_estimation_ros.frames import DepthMap


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is scored, and how.

    Attributes:
        alignment: How an answer is brought to the truth.
        crop: Name of the part of an image that is scored; none: all of it.
        cap: Truth from here on does not count, and farther estimates count as this; metres, or
            None.
        seed: Of the points that are drawn; each frame has its own draw, the same for all models.
        limit: How many frames at most; None: all.
    """

    alignment: Alignment = Alignment()  # noqa: RUF009 (it is frozen)
    crop: str = 'none'
    cap: float | None = None
    seed: int = 0
    limit: int | None = None

    def scored(self, data: DataSet, truth: NDArray[np.float32]) -> NDArray[np.bool_]:
        """[H, W] where truth is known, nearer than the cap and in the crop.

        Raises:
            ValueError: The data has no such crop.
        """
        scored = np.isfinite(truth) & (truth > 0)
        if self.cap is not None:
            scored &= truth < self.cap
        if self.crop == 'none':
            return scored
        if self.crop not in data.crops:
            raise ValueError(
                f'no crop {self.crop} is defined for {data.layout}: take '
                + ' or '.join(['none', *data.crops])
            )
        inside = np.zeros_like(scored)
        inside[data.crops[self.crop](*scored.shape)] = True
        return scored & inside


def evaluate(
    estimator: DepthEstimator,
    data: DataSet,
    protocol: Protocol,
    watch: Callable[[Iterable[Sample]], Iterable[Sample]] = iter,
) -> Tally:
    """Score a network.

    Args:
        estimator: The network.
        data: The frames.
        protocol: What is scored of them.
        watch: Passes the samples on, and may show how far it is.

    Raises:
        ValueError: A relative network without alignment, no such crop, or no frame can be scored.
    """
    alignment = protocol.alignment
    alignment.check(estimator.spec.name, estimator.spec.kind)
    tally = Tally()
    for index, sample in enumerate(watch(itertools.islice(data.samples(), protocol.limit))):
        random = np.random.default_rng([protocol.seed, index])
        (prediction,) = estimator.predict([sample.frame.image])
        depth_map = DepthMap(sample.frame, prediction, None)
        _score(tally, sample, depth_map, data, protocol, random)
    if not tally.frames:
        reasons = '; '.join(f'{count} frames: {why}' for why, count in tally.left_out.items())
        raise ValueError(f'no frame could be scored ({data.split}): {reasons or "there is none"}')
    return tally


def _score(
    tally: Tally,
    sample: Sample,
    depth_map: DepthMap,
    data: DataSet,
    protocol: Protocol,
    random: np.random.Generator,
) -> None:
    scored = protocol.scored(data, sample.truth)
    if not scored.any():
        tally.leave_out('no truth in the crop and below the cap')
        return
    try:
        aligned = protocol.alignment.apply(depth_map, sample.truth, scored, random)
    except ValueError as error:
        tally.leave_out(_reason(error))
        return
    depth = aligned.depth
    if protocol.cap is not None:
        depth = np.minimum(depth, np.float32(protocol.cap))
    tally.refused += aligned.refused
    truth = np.where(aligned.scored, sample.truth, np.float32(np.nan))
    tally.add(sample.name, sample.frame.image, depth, truth, sample.follows)


def _reason(error: ValueError) -> str:
    """Without the numbers of a frame, so that frames of equal fate are counted together."""
    return re.sub(r'-?\d[\d.]*(e[+-]?\d+)?', '…', str(error).partition(' (')[0].partition(':')[0])


def row(
    estimator: DepthEstimator, path: str, data: DataSet, protocol: Protocol, tally: Tally
) -> dict[str, Any]:
    """All that is said of an evaluation, as JSON has it: None where a figure is not known."""
    figures = tally.figures().items()
    return {
        'model': estimator.spec.name,
        'kind': estimator.spec.kind.value,
        'runtime': estimator.runtime.name,
        'device': estimator.runtime.device,
        'preset': estimator.preset,
        'data': path,
        'layout': data.layout,
        'split': data.split + f', the first {protocol.limit}' * (protocol.limit is not None),
        'crop': protocol.crop,
        'cap_m': protocol.cap,
        'align': str(protocol.alignment),
        'seed': protocol.seed,
        'frames': tally.frames,
        'pixels': tally.pixels,
        **{name: value if math.isfinite(value) else None for name, value in figures},
        'refused': tally.refused,
        'left_out': dict(tally.left_out),
    }
