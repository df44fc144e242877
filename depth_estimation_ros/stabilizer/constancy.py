# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How constant a network is by itself, and how sure its scale is when a scene is lost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.stabilizer.alignment import Alignment
from depth_estimation_ros.stabilizer.middle import middle
from depth_estimation_ros.stabilizer.scale import Scale

Array = NDArray[np.float64]

_FLOOR = 0.05  # relative sigma that is always reckoned with from one scene to another
_ASSUMED = 0.1  # relative sigma of a frame's scale before any was seen
_LEAST = 0.007  # relative sigma that one set of anchors hands to the next at least
_MEMORY = 100.0  # frames over which means are taken


class Constancy:
    """Holds the scale of a calibration where it can, and otherwise returns to the usual one.

    While the scene of the calibration was never lost, its scale is held: errors add up slowly.
    Otherwise the scale is that of the network's mean over frames, in which its flicker is lost,
    taken as constant but for a floor: what it says of one scene may be off in another.

    Args:
        scale: What numbers of the network mean.
        held: The scale starts with what the calibration was fitted on.

    Attributes:
        usual: The mean of the alignments while it was held; the identity before.
    """

    def __init__(self, scale: Scale, held: bool) -> None:
        self.usual = Alignment()
        self._held, self._missed = held, False
        self._scale = scale
        self._learnt = self._told = self._frames = 0
        self._grown = self._now = 0.0  # variances: of all changes of anchors, of this frame
        self._spread = _ASSUMED**2  # variance, of frames about the usual

    @property
    def held(self) -> bool:
        """Whether this frame has the scale of the calibration."""
        return self._held and not self._missed

    @property
    def sigma(self) -> float:
        """Relative error of depth that the scale of this frame has."""
        return math.sqrt(self._grown + self._now) if self.held else self._free()

    @property
    def unsure(self) -> float:
        """The same for a frame that was compared with nothing."""
        return math.sqrt(_FLOOR**2 + self._spread)

    def _free(self) -> float:
        frames = 0 if self._missed else min(self._frames, _MEMORY)
        return math.sqrt(_FLOOR**2 + self._spread / (1.0 + frames))

    def settle(self, found: Alignment, said: Array) -> tuple[Alignment, Alignment]:
        """Take note of a frame's alignment.

        Args:
            found: To what is expected.
            said: [N] by the network, of what is expected.

        Returns:
            The alignment to apply, and how what is expected changes: not at all while the scale
            is held, otherwise slowly towards the usual.
        """
        self._now, self._missed = found.sigma**2, False
        self._told += 1
        share = 1.0 / (1.0 + min(self._told, _MEMORY))
        self._spread += share * (self._away(found, said) ** 2 - self._spread)
        self._frames += 1
        self._held = self._held and self.sigma < self._free()
        if self._held:
            self._learn(found)
        if self._held or not self._scale.metric:  # without metres all that counts is that it stays
            return found, Alignment()
        return self._drawn(found)

    def renewed(self, share: float) -> None:
        """This share of the anchors is in the scale of this frame from now on."""
        self._grown += share * max(self._now, _LEAST**2)

    def miss(self) -> None:
        """This frame could not be compared."""
        self._missed = True

    def lose(self) -> None:
        """What was expected is lost for good."""
        self._held, self._missed, self._frames = False, True, 0

    def _away(self, found: Alignment, said: Array) -> float:
        """How far the usual alignment is from the found one, as relative depth."""
        usual = self.usual.scale * said + self.usual.shift
        wanted = found.scale * said + found.shift
        return middle(self._scale.weight(wanted) * (usual - wanted))

    def _learn(self, found: Alignment) -> None:
        self._learnt += 1
        share = 1.0 / min(self._learnt, _MEMORY)
        scale = self.usual.scale * (found.scale / self.usual.scale) ** share
        shift = self.usual.shift + share * (found.shift - self.usual.shift)
        self.usual = Alignment(scale, shift)

    def _drawn(self, found: Alignment) -> tuple[Alignment, Alignment]:
        share = 1.0 / (1.0 + min(self._frames, _MEMORY))
        factor = (self.usual.scale / found.scale) ** share
        offset = found.shift * (1.0 - factor) + share * (self.usual.shift - found.shift)
        drawn = Alignment(factor * found.scale, factor * found.shift + offset, found.sigma)
        return drawn, Alignment(factor, offset)
