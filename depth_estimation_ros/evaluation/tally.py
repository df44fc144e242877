# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of the frames that were scored: sums for the figures, and what the report draws."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.metrics import DepthErrors, depth_errors, flicker

Depth = NDArray[np.float32]

DEPTHS = np.geomspace(0.05, 200.0, 401)  # metres: edges of the bins of truth and estimate
ERRORS = np.linspace(-1.0, 1.0, 81)  # edges of the bins of the relative error (Z - t) / t
_EXAMPLES = 3


@dataclasses.dataclass(frozen=True)
class Example:
    """A frame to look at.

    Attributes:
        name, image: Of the frame.
        truth: [H, W] metres, NaN where nothing is scored.
        depth: [H, W] metres, the estimate, not finite where there is none.
        abs_rel: Of the frame.
    """

    name: str
    image: NDArray[np.uint8]
    truth: Depth
    depth: Depth
    abs_rel: float


class Tally:
    """The scores of frames, as they come.

    Attributes:
        joint: Pixels by truth (rows) and estimate (columns), in bins of DEPTHS; what is beyond is
            in the last ones.
        errors: Pixels by relative error, in bins of ERRORS; the same.
        refused: How many draws of points determined no fit, so that others were drawn.
        left_out: Frames without a score, by reason.
    """

    def __init__(self) -> None:
        self.joint = np.zeros((len(DEPTHS) - 1, len(DEPTHS) - 1), np.int64)
        self.errors = np.zeros(len(ERRORS) - 1, np.int64)
        self.refused = 0
        self.left_out: collections.Counter[str] = collections.Counter()
        self._frames: list[DepthErrors] = []
        self._coverage: list[float] = []
        self._flicker: list[float] = []
        self._before: tuple[Depth, Depth] | None = None
        self._examples: list[Example] = []
        self._stride = 1

    def leave_out(self, reason: str) -> None:
        """Count a frame that cannot be scored."""
        self.left_out[reason] += 1
        self._before = None

    def add(
        self,
        name: str,
        image: NDArray[np.uint8],
        depth: Depth,
        truth: Depth,
        follows: bool,
    ) -> None:
        """Score a frame, or leave it out where nothing is answered.

        Args:
            name, image: Of the frame.
            depth: [H, W] metres; not finite where there is no answer.
            truth: [H, W] metres, NaN where nothing is scored; somewhere it is known.
            follows: Whether it came right after the frame before it.
        """
        scored = np.isfinite(truth)
        answered = scored & np.isfinite(depth) & (depth > 0)
        if not answered.any():
            self.leave_out('no answer where the truth counts')
            return
        self._coverage.append(float(answered.sum() / scored.sum()))
        errors = depth_errors(depth, truth, answered)
        if follows and self._before is not None:
            self._flicker.append(flicker(*zip(self._before, (depth, truth), strict=True)))
        self._before = depth, truth
        self._frames.append(errors)
        self._count(depth[answered], truth[answered])
        self._keep(Example(name, image, truth, depth, errors.abs_rel))

    @property
    def frames(self) -> int:
        """How many were scored."""
        return len(self._frames)

    @property
    def pixels(self) -> int:
        """How many were scored, over all frames."""
        return int(sum(frame.pixels for frame in self._frames))

    @property
    def examples(self) -> list[Example]:
        """A few frames, evenly apart."""
        count = len(self._examples)
        chosen = np.linspace(0, count - 1, min(count, _EXAMPLES)).round().astype(int)
        return [self._examples[index] for index in chosen]

    def figures(self) -> dict[str, float]:
        """The mean over frames of each figure, by its usual name; NaN where there is none."""
        means = {
            field.name: _mean([getattr(frame, field.name) for frame in self._frames])
            for field in dataclasses.fields(DepthErrors)
        }
        return {
            **{name: means[field] for name, field in NAMES.items()},
            'coverage': _mean(self._coverage),
            'flicker': _mean(self._flicker),
        }

    def _count(self, depth: Depth, truth: Depth) -> None:
        t, z = (np.clip(metres, DEPTHS[0], DEPTHS[-1]) for metres in (truth, depth))
        self.joint += np.histogram2d(t, z, [DEPTHS, DEPTHS])[0].astype(np.int64)
        relative = np.clip((depth - truth) / truth, ERRORS[0], ERRORS[-1])
        self.errors += np.histogram(relative, ERRORS)[0]

    def _keep(self, example: Example) -> None:
        """Keep frames evenly apart, never more than twice as many as are shown."""
        if (self.frames - 1) % self._stride == 0:
            self._examples.append(example)
        if len(self._examples) > 2 * _EXAMPLES:
            self._examples = self._examples[::2]
            self._stride *= 2


NAMES = {
    'AbsRel': 'abs_rel',
    'SqRel': 'sq_rel',
    'RMSE': 'rmse',
    'RMSElog': 'rmse_log',
    'log10': 'log10',
    'SILog': 'silog',
    'delta1': 'delta1',
    'delta2': 'delta2',
    'delta3': 'delta3',
}


def _mean(values: list[Any]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float('nan')
