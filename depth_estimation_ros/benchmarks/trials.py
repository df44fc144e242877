# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random calibrations of which the truth is known: scenes, networks, references and their errors.

A scene reaches from 0.5 to 2 m on to 2 to 8 times as far, and depths in it are drawn evenly in
their logarithm. The network errs by a normal share of Z, alike at the references and at a new
pixel, and answers up to a scale of e⁻⁴ to e⁴ and a shift: up to ±1 per metre for a relative one,
up to ±0.3 of the nearest depth for a metric one whose shift is fitted, none otherwise. Gross
errors make a reference 2 to 5 times as far, or as near.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind

Array = NDArray[np.float64]
KINDS = ((DepthKind.RELATIVE, True), (DepthKind.METRIC, False), (DepthKind.METRIC, True))


@dataclasses.dataclass(frozen=True)
class Conditions:
    """Between what is drawn.

    Attributes:
        references: Fewest and most, drawn evenly in their logarithm.
        noise: Least and largest standard deviation of what the network errs, relative in Z.
        kinds: Kinds of networks, each with whether a shift is fitted.
        gross_trials: Share of the trials that have gross errors, of those with eight references
            or more: with fewer, that many cannot be told.
        gross: Least and largest share of references with gross errors in these, rounded down.
    """

    references: tuple[int, int] = (3, 40)
    noise: tuple[float, float] = (0.01, 0.08)
    kinds: tuple[tuple[DepthKind, bool], ...] = KINDS
    gross_trials: float = 1 / 3
    gross: tuple[float, float] = (0.2, 0.3)


@dataclasses.dataclass(frozen=True)
class Trial:
    """What was drawn.

    Attributes:
        kind, shift_fitted: What the fit is told.
        scale, shift: The true ones.
        unit: What the shift is held against: the smallest inverse depth, or the smallest depth.
        said, depths: [N] what the network says of the references, and what they say, m.
        spread: Of what the network says of the whole scene.
        new_said, new_depth: What the network says of a new pixel, and its true depth, m.
    """

    kind: DepthKind
    shift_fitted: bool
    scale: float
    shift: float
    unit: float
    said: Array
    depths: Array
    spread: float
    new_said: float
    new_depth: float

    def fit(self) -> Fit:
        """The fit to its references.

        Raises:
            ValueError: They do not determine it.
        """
        return fit(self.said, self.depths, self.kind, self.shift_fitted, self.spread)

    def error(self, found: Fit) -> float:
        """The larger of the relative errors of scale and shift."""
        shift = abs(found.shift - self.shift) / max(abs(self.shift), self.unit)
        return max(abs(found.scale / self.scale - 1.0), shift)

    def holds(self, found: Fit) -> bool:
        """Whether the new pixel lies within ±1.96 standard deviations."""
        off = abs(float(found.depth(self.new_said)) - self.new_depth)
        return off <= 1.96 * float(found.std_dev(self.new_said))


def draw(conditions: Conditions, random: np.random.Generator) -> Trial:
    """One trial."""
    kind, shift_fitted = conditions.kinds[random.integers(len(conditions.kinds))]
    fewest, most = conditions.references
    count = math.floor(math.exp(random.uniform(math.log(fewest), math.log(most + 1))))
    near = random.uniform(0.5, 2.0)
    far = near * random.uniform(2.0, 8.0)
    depths = np.exp(random.uniform(math.log(near), math.log(far), count + 1))
    scale = math.exp(random.uniform(-4.0, 4.0))
    largest = 1.0 if kind is DepthKind.RELATIVE else 0.3 * near * shift_fitted
    shift = largest * random.uniform(-1.0, 1.0)

    def said(z: Array) -> Array:
        return ((1.0 / z if kind is DepthKind.RELATIVE else z) - shift) / scale

    noise = random.uniform(*conditions.noise)
    answers = said(depths * (1.0 + noise * random.standard_normal(count + 1)))
    given = depths[:-1].copy()
    if count >= 8 and random.random() < conditions.gross_trials:
        wrong = random.permutation(count)[: int(count * random.uniform(*conditions.gross))]
        given[wrong] *= random.uniform(2.0, 5.0, len(wrong)) ** random.choice([-1, 1], len(wrong))
    return Trial(
        kind,
        shift_fitted,
        scale,
        shift,
        1.0 / far if kind is DepthKind.RELATIVE else near,
        answers[:-1],
        given,
        float(np.ptp(said(np.array([near, far])))),
        float(answers[-1]),
        float(depths[-1]),
    )


def run(conditions: Conditions, count: int, seed: int = 0) -> tuple[list[tuple[Trial, Fit]], int]:
    """So many trials with their fits, and how many more were refused as not determining one."""
    random = np.random.default_rng(seed)
    done: list[tuple[Trial, Fit]] = []
    refused = 0
    while len(done) < count:
        trial = draw(conditions, random)
        try:
            done.append((trial, trial.fit()))
        except ValueError:
            refused += 1
    return done, refused


def coverage(done: list[tuple[Trial, Fit]]) -> float:
    """Share of the trials whose new pixel lies within ±1.96 standard deviations."""
    return float(np.mean([trial.holds(found) for trial, found in done]))
