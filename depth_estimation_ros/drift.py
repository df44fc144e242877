# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a calibration still fits the scene, checked against any known depths."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.anchors import Anchors
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.operations import FloatImage
from depth_estimation_ros.references import References

Array = NDArray[np.float64]

_TOLERATED = 0.05  # relative error of depth that is no drift, whatever the fit has left
_SHARE = 0.3  # of the newest check in the running mean
_PERIOD = 500_000_000  # ns from one look for the anchors to the next
_SILENT = 10_000_000_000  # ns from the latest check: a source that was not heard in it has no say
_GRID = np.stack(np.meshgrid([-2, 0, 2], [-2, 0, 2]), axis=-1).reshape(-1, 2)


@dataclasses.dataclass(frozen=True)
class Checked:
    """What checks of a calibration have found since it came into force.

    Attributes:
        error: Mean relative error of depth: 0.1 is 10 % too far. NaN: never checked.
        tolerated: Error up to which it does not count as drifted.
        stamp: Of the last frame that was checked, ns.
        source: What it was checked with.
    """

    error: float = math.nan
    tolerated: float = _TOLERATED
    stamp: int = 0
    source: str = ''

    @property
    def drifted(self) -> bool:
        """Whether it no longer holds."""
        return abs(self.error) > self.tolerated

    @property
    def sigma(self) -> float:
        """What it adds to the relative standard deviation of depths."""
        return 0.0 if math.isnan(self.error) else abs(self.error)

    def __str__(self) -> str:
        if math.isnan(self.error):
            return 'not checked'
        away = 'far' if self.error > 0.0 else 'near'
        found = f'{abs(self.error):.0%} too {away} by {self.source}'
        return f'drifted, {found}: calibrate again' if self.drifted else f'holds, {found}'


class Drift:
    """Collects what is known of the depths of one camera, from any thread."""

    def __init__(self) -> None:
        self._known: tuple[Calibration | None, dict[str, Checked]] = None, {}  # by source
        self._looked: tuple[Calibration | None, int] = None, 0

    def of(self, calibration: Calibration | None) -> Checked:
        """What is known of a calibration; nothing, unless it is the one checked last.

        Of several recent sources, the one that finds the largest error counts.
        """
        checked, known = self._known
        if checked is not calibration or not known:
            return Checked()
        *_, latest = known.values()
        speaking = (one for one in known.values() if abs(latest.stamp - one.stamp) <= _SILENT)
        return max(speaking, key=lambda one: abs(one.error) / one.tolerated)

    def look(self, depth_map: DepthMap) -> None:
        """Check against the anchors of the calibration now and then, when they are in sight."""
        calibration, stamp = depth_map.calibration, depth_map.frame.stamp
        if calibration is None or calibration.anchors is None:
            return
        looked, at = self._looked
        if looked is calibration and 0 <= stamp - at < _PERIOD:
            return
        self._looked = calibration, stamp
        seen = _in_sight(calibration.anchors, depth_map)
        self.check(seen, depth_map, calibration.anchors.vague)

    def check(self, references: References, depth_map: DepthMap, vague: float = 0.0) -> None:
        """Compare calibrated depths with known ones of this frame, from whatever source.

        Args:
            references: Of known depth.
            depth_map: Of the frame.
            vague: Relative error that the known depths themselves may have.
        """
        calibration = depth_map.calibration
        if calibration is None or depth_map.depth is None or not len(references.depth):
            return
        errors = _around(depth_map.depth, depth_map, references) / references.depth - 1.0
        errors = errors[np.isfinite(errors)]
        if not len(errors):
            return
        checked, known = self._known
        known = known if checked is calibration else {}
        source, error = references.source, float(np.median(errors))
        if source in known:
            error = known[source].error + _SHARE * (error - known[source].error)
        left = calibration.fit.rms_relative_error  # NaN for a plain factor
        tolerated = max(_TOLERATED, vague, 0.0 if math.isnan(left) else 2.0 * left)
        found = Checked(error, tolerated, depth_map.frame.stamp, source)
        others = {name: one for name, one in known.items() if name != source}
        self._known = calibration, {**others, source: found}  # the latest at the end


def _in_sight(anchors: Anchors, depth_map: DepthMap) -> References:
    """The anchors that look as before; none where most do not: another scene may be alike."""
    seen = anchors.seen(depth_map.frame.image)
    if seen.sum() * 2 <= len(seen):
        seen[:] = False
    return References(anchors.u[seen], anchors.v[seen], anchors.depth[seen], 'anchors')


def _around(depth: FloatImage, depth_map: DepthMap, references: References) -> Array:
    """Median depth around each reference, [N] m; NaN where it is not known all around."""
    height, width = depth.shape
    near = np.column_stack([references.u, references.v])[:, None] + _GRID
    u, v = near.round().astype(np.intp).transpose(2, 0, 1)
    u, v = u.clip(0, width - 1), v.clip(0, height - 1)
    sampled = depth_map.prediction.operations.sample(depth, u.ravel(), v.ravel())
    return np.median(sampled.reshape(u.shape).astype(np.float64), axis=1)
