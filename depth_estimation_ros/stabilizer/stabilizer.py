# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the answers of a network in one scale, by what is known of the scene already.

Corners are followed from picture to picture, each with what the network said of it. Where there
are metres and intrinsics, the camera's motion is found from them, so that what comes nearer is
expected nearer: aligning a frame with the one before would take a drive towards a wall for a
change of scale. Otherwise only corners that stay where they are in the picture are compared, and a
frame with too few of them is left as it is. What is expected of the corners, and what the network
says of them now, gives the frame's scale (and shift, for a relative model).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import sections
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.stabilizer import tracks
from depth_estimation_ros.stabilizer.alignment import Alignment, align
from depth_estimation_ros.stabilizer.constancy import Constancy
from depth_estimation_ros.stabilizer.expectation import Picture, Scene
from depth_estimation_ros.stabilizer.middle import middle
from depth_estimation_ros.stabilizer.scale import Scale
from depth_estimation_ros.stabilizer.smoothing import Smoothing
from depth_estimation_ros.thumbnail import thumbnail, to_size

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_CORNERS = 80
_FEW = 15  # fewer corners say nothing
_LOST = 0.3  # of the corners: fewer that are found again are a scene cut
_RENEW = 0.75  # of the corners of the last renewal: fewer ask for new ones
_MEMORY = 30.0  # frames over which what is expected of a corner is averaged
_GRID = np.stack(np.meshgrid([-2, 0, 2], [-2, 0, 2]), axis=-1).reshape(-1, 2)
_STANDS = 0.1  # pixels of the thumbnail by which corners of a camera that stands tremble
_EDGE = 0.15  # relative range of depth around a corner that is on an edge


@dataclasses.dataclass(frozen=True)
class Steadied:
    """A prediction in the scale of those before.

    Attributes:
        prediction: Its values are scaled and shifted.
        drift: Relative error of depth, one sigma, from keeping the scale of a calibration; 0
            without one.
    """

    prediction: Prediction
    drift: float = 0.0


class Stabilizer:
    """One camera's. Not for two threads at once.

    Attributes:
        options: Whether it does anything, and smooths.
        alignment: Of the last frame.
        cuts: How often the scene was lost.
    """

    def __init__(self, options: sections.Stabilizer | None = None) -> None:
        self.options = options or sections.Stabilizer()
        self.alignment = Alignment()
        self.cuts = 0
        self._forget()
        self._smoothing = Smoothing()
        self._stands = False
        self._scale = Scale(DepthKind.RELATIVE, None)
        self._constancy = Constancy(self._scale, held=False)
        self._camera: Camera | None = None
        self._calibration: Calibration | None = None
        self._circumstances: tuple[object, ...] | None = None
        self._stamp = self._since = 0  # of the last frame; of the first one in its scale

    def steady(
        self,
        frame: Frame,
        prediction: Prediction,
        calibration: Calibration | None,
        basis: DepthMap | None = None,
    ) -> Steadied:
        """The prediction in the scale of those before.

        Args:
            frame: The image.
            prediction: What the network says of it.
            calibration: In force for it.
            basis: What the calibration was fitted on, if it was just now: from there its scale is
                kept. Otherwise nobody knows how well the scale of today's first frame is that of
                the calibration's.
        """
        if not self.options.enabled:
            self.reset()
            return Steadied(prediction)
        here = (prediction.kind, prediction.preset, frame.camera, frame.image.shape)
        same = here == self._circumstances and frame.stamp >= self._stamp
        if not same or calibration is not self._calibration:
            followed = (
                same and basis is not None and self._since <= basis.frame.stamp <= self._stamp
            )
            self._begin(frame, prediction.kind, calibration, basis, followed)
            self._calibration, self._circumstances = calibration, here
        self._stamp = frame.stamp
        picture = thumbnail(frame.image)
        self.alignment = self._follow(picture, prediction)
        steadied = self._applied(prediction)
        self._renew(picture, steadied)
        weight = self.options.smooth if self._stands else 0.0
        steadied = self._smoothing.smooth(picture, steadied, weight)
        drift = 0.0 if calibration is None else self._constancy.sigma
        return Steadied(steadied, drift)

    def reset(self) -> None:
        """Forget everything, as when another network takes over or frames were missed."""
        self._calibration, self._circumstances = None, None
        self._stamp = self._since = 0

    @property
    def hint(self) -> str:
        """Why the last frame may not have the scale of its calibration; empty when it has."""
        if not self.options.enabled:
            return 'nothing keeps it, stabilizer.enabled is false: it wavers with the network'
        if self._calibration is None or self._constancy.held:
            return ''
        cure = '' if self._camera is not None else ', or publish a camera_info that fits the image'
        return (
            'the scene has changed since the calibration was made: its metres are as constant as '
            f'the network, within {self._constancy.sigma:.0%}; calibrate again{cure}'
        )

    @property
    def unsure(self) -> float:
        """Relative sigma of the scale of a frame that was not followed from the calibration."""
        return self._constancy.unsure

    def _begin(
        self,
        frame: Frame,
        kind: DepthKind,
        calibration: Calibration | None,
        basis: DepthMap | None,
        followed: bool,
    ) -> None:
        """Anew under a calibration; where its basis was followed until now, from there."""
        self._scale = Scale(kind, calibration.fit if calibration else None)
        self._camera = frame.camera if self._scale.metric else None
        self._constancy = Constancy(self._scale, basis is not None)
        if followed and self._reference is not None and not self._missed:
            picture, pixels, values = self._picture, self._pixels, self._reference.values()
            since, known = self._since, self._scale.known(values)
            self._forget()
            self._add(picture, pixels[known], values[known])
            self._since = since
            return
        self._forget()
        self._smoothing = Smoothing()
        if basis is not None and basis.frame.image.shape == frame.image.shape:
            self._stamp = frame.stamp  # those between the basis and this one are in another scale
            self._renew(thumbnail(basis.frame.image), basis.prediction)

    def _forget(self) -> None:
        self._reference: Picture | Scene | None = None
        self._picture = np.empty((0, 0), np.uint8)
        self._pixels = np.empty((0, 2), np.float32)
        self._seen = np.empty(0)
        self._full = self._missed = 0

    def _follow(self, picture: tracks.Picture, prediction: Prediction) -> Alignment:
        """Scale and shift of this frame; the usual ones where nothing tells."""
        self._stands = False
        if self._reference is None or len(self._pixels) < _FEW:
            self._forget()
            self._constancy.lose()
            return self._constancy.usual
        pixels, found = tracks.follow(self._picture, picture, self._pixels)
        wanted = self._reference.expect(pixels, found)
        said, _ = _around(prediction, pixels, picture.shape)
        expected = np.isfinite(wanted)
        good = expected & np.isfinite(said)
        alignment = None
        if expected.sum() >= max(_FEW, _LOST * len(pixels)) and good.any():
            weight = self._scale.weight(wanted[good])
            relative = prediction.kind is DepthKind.RELATIVE
            seen = self._seen[good]
            fresh = float((seen / (seen + 1.0)).sum()) / len(seen)
            alignment = align(said[good], wanted[good], weight, relative, fresh)
        if alignment is None:
            return self._lost(found)
        self._stands = middle(np.abs(pixels - self._pixels)[expected].ravel()) < _STANDS
        alignment, drawn = self._constancy.settle(alignment, said[good])
        self._missed, self._picture, self._pixels = 0, picture, pixels
        if drawn != Alignment():
            self._since = self._stamp
        wanted = drawn.scale * wanted + drawn.shift
        self._learn(self._reference, wanted, alignment.scale * said + alignment.shift)
        return alignment

    def _lost(self, found: Mask) -> Alignment:
        """One frame may be spoilt; after two in a row the scene is taken for another one."""
        self._missed += 1
        self._constancy.miss()
        moves = isinstance(self._reference, Picture) and found.sum() > _LOST * len(found)
        if self._missed > 1 or moves:
            self.cuts += not moves
            self._forget()
            self._constancy.lose()
        return self._constancy.usual

    def _learn(self, reference: Picture | Scene, wanted: Array, steadied: Array) -> None:
        """Corners take the mean of what was said of them; what was not expected is dropped."""
        share = 1.0 / (np.minimum(self._seen, _MEMORY) + 1.0)
        learnt = wanted + share * (steadied - wanted)
        reference.put(np.where(np.isfinite(learnt), learnt, wanted))
        which = np.isfinite(wanted)
        reference.keep(which)
        self._pixels, self._seen = self._pixels[which], self._seen[which] + 1.0

    def _renew(self, picture: tracks.Picture, prediction: Prediction) -> None:
        """More corners where too few are left, as they are said to be in this frame."""
        if self._missed or len(self._pixels) > _RENEW * self._full:
            return
        pixels = tracks.corners(picture, self._pixels, _CORNERS - len(self._pixels))
        said, spread = _around(prediction, pixels, picture.shape)
        known = self._scale.known(said)  # and not on an edge
        if known.any():
            known[known] = self._scale.weight(said[known]) * spread[known] < _EDGE
        if known.any():
            self._add(picture, pixels[known], said[known])
            self._constancy.renewed(known.sum() / self._full)

    def _add(self, picture: tracks.Picture, pixels: tracks.Points, values: Array) -> None:
        if self._reference is None:
            self._reference, self._since = self._first(picture), self._stamp
        self._reference.add(pixels, values)
        self._picture = picture
        self._pixels = np.concatenate([self._pixels, pixels])
        self._seen = np.concatenate([self._seen, np.ones(len(pixels))])
        self._full = len(self._pixels)

    def _first(self, picture: tracks.Picture) -> Picture | Scene:
        if self._camera is None:
            return Picture()
        height, width = picture.shape
        return Scene(self._camera.scaled(width, height), self._scale)

    def _applied(self, prediction: Prediction) -> Prediction:
        if (self.alignment.scale, self.alignment.shift) == (1.0, 0.0):
            return prediction
        values = prediction.operations.affine(
            prediction.values, self.alignment.scale, self.alignment.shift
        )
        return dataclasses.replace(prediction, values=values)


def _around(
    prediction: Prediction, pixels: tracks.Points, small: tuple[int, ...]
) -> tuple[Array, Array]:
    """Median and range of what is said around [N, 2] pixels of the small picture, [N] each."""
    height, width = prediction.values.shape
    centres = to_size(pixels, small, (height, width))
    near = (centres[:, None] + _GRID).round().astype(np.intp)
    near = np.minimum(np.maximum(near, 0), (width - 1, height - 1))
    u, v = near.reshape(-1, 2).T
    said = prediction.operations.sample(prediction.values, u, v).reshape(near.shape[:2])
    ordered = np.sort(said, axis=1).astype(np.float64)
    ordered[~np.isfinite(ordered).all(axis=1)] = np.nan
    return ordered[:, ordered.shape[1] // 2], ordered[:, -1] - ordered[:, 0]
