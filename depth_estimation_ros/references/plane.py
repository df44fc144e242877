# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The plane that the ground is, in what a network says of an image.

The inverse depth of a plane is linear in the ray, g · (X/Z, Y/Z, 1). A network says it in a unit
of its own, and a relative one with an offset c: what it says is g · ray + c. So a plane is held
as [4], (g, c), and is sought among those that a basis [4, P] spans: with gravity known, g is along
it.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.references.base import Array

HORIZON = 0.06  # of ray · down: nearer to it, half a degree is more than 10 % of the depth

_HYPOTHESES = 500
_REFINED = 30  # the best of them
_JUDGES = 1500  # pixels that they are judged by
_NARROWINGS = 10
_ON = 0.1  # relative error within which a pixel is on the plane, until its noise is known
_SIGMAS = 2.0  # of the noise, within which a pixel is on the plane
_FOOT = 1.2  # of that, how far up a wall is left out
_STRAIGHT = 1.25  # by which inverse depth differs over the image, at most, when seen from above
_CLOSE = 0.05  # to tell a plane that fits from one that cuts through something
_BELOW = 0.15  # relative error from which on it is below the plane
_FLAT = 0.7  # share of the pixels on the plane that must be close: 0.5 of what is cut through
_MOST_BELOW = 0.1  # share of the pixels under the horizon
_MOST_BEYOND = 0.1  # share of all pixels, to which the plane leaves less than no inverse depth
_MOST_LEANING = 35  # degrees between the normal and where it should point
_LEANING = math.cos(math.radians(_MOST_LEANING))
_CURE = (
    'point the camera at more free ground, from farther away from walls, and check pitch and roll '
    'or TF'
)


@dataclasses.dataclass(frozen=True)
class View:
    """Pixels of an image, and the planes that the ground may be.

    Attributes:
        rays: [N, 3], Z = 1.
        column: [N] of the image, by any number that is not negative.
        inverse: [N] what the network says there, affine in 1/Z.
        basis: [4, P] spans the planes.
        down: [3] where the normal of the ground should point, unit vector.
    """

    rays: Array
    column: NDArray[np.intp]
    inverse: Array
    basis: Array
    down: Array

    def part(self, chosen: NDArray[np.intp]) -> View:
        """The view of some of the pixels."""
        return dataclasses.replace(
            self,
            rays=self.rays[chosen],
            column=self.column[chosen],
            inverse=self.inverse[chosen],
        )


@dataclasses.dataclass(frozen=True)
class Ground:
    """A plane, and which pixels are on it.

    Attributes:
        normal: [3] unit vector, down.
        on: [N].
    """

    normal: Array
    on: NDArray[np.bool_]


def find_ground(view: View, min_share: float) -> Ground:
    """The lowest plane that many pixels are on.

    Args:
        view: What is known of the pixels.
        min_share: Of the pixels under the horizon, those that must be on the plane.

    Raises:
        ValueError: There is none, or what was found cannot be the ground.
    """
    random = np.random.default_rng(0)
    judges = view.part(random.permutation(len(view.rays))[:_JUDGES])
    planes = _hypotheses(view, random)
    best = planes[np.argsort(-_scores(_excess(judges, planes)))[:_REFINED]]
    refined = np.array([_narrowed(judges, plane) for plane in best]).reshape(-1, 4)
    refined = refined[_upright(view, refined)]
    if len(refined) == 0:
        raise ValueError(
            f'nothing that the network says looks like ground within {_MOST_LEANING} degrees of '
            f'what pitch or TF tell, or of a level camera where neither is known: {_CURE}'
        )
    plane = _narrowed(view, refined[_scores(_excess(judges, refined)).argmax()])
    excess = _excess(view, plane)
    on = _on(view, plane, excess)
    _check(view, plane, excess, on, min_share)
    return Ground(plane[:3] / np.linalg.norm(plane[:3]), on)


def _hypotheses(view: View, random: np.random.Generator) -> Array:
    """Planes [H, 4] through as few pixels as determine one, with the normal about down."""
    under = view.part(np.flatnonzero(view.rays @ view.down > HORIZON))
    sets = random.integers(len(under.rays), size=(_HYPOTHESES, view.basis.shape[1]))
    rows = _rows(under)[sets]
    sound = np.abs(np.linalg.det(rows)) > 1e-9
    solutions = np.linalg.solve(rows[sound], under.inverse[sets[sound]][..., None])[..., 0]
    planes = solutions @ view.basis.T
    return np.asarray(planes[_upright(view, planes)], np.float64)


def _rows(view: View) -> Array:
    """[N, P] whose product with coordinates in the basis is what the network says of a plane."""
    return np.asarray(np.insert(view.rays, 3, 1.0, axis=1) @ view.basis, np.float64)


def _upright(view: View, planes: Array) -> NDArray[np.bool_]:
    lengths = np.linalg.norm(planes[:, :3], axis=1)
    return np.asarray(planes[:, :3] @ view.down > _LEANING * lengths)


def _excess(view: View, planes: Array) -> Array:
    """By how much of itself the inverse depth of pixels exceeds that of planes.

    Planes [..., 4] to [..., N]: positive is nearer than the plane, above it; negative below it;
    NaN above its horizon, and close to it.
    """
    inverse = planes[..., :3] @ view.rays.T
    lengths = np.linalg.norm(planes[..., :3], axis=-1)[..., None]
    inverse = np.where(inverse > HORIZON * lengths, inverse, np.nan)
    return np.asarray((view.inverse - planes[..., 3:]) / inverse - 1.0, np.float64)


def _scores(excess: Array) -> NDArray[np.intp]:
    """Pixels close to the plane, less those below it: [..., N] to [...]."""
    return np.asarray((np.abs(excess) < _CLOSE).sum(axis=-1) - (excess < -_BELOW).sum(axis=-1))


def _narrowed(view: View, plane: Array) -> Array:
    """Least squares of the relative error over the pixels on the plane, told anew each time."""
    rows = _rows(view)
    for _ in range(_NARROWINGS):
        on = np.flatnonzero(_on(view, plane, _excess(view, plane)))
        inverse = view.rays[on] @ plane[:3]
        weighted = rows[on] / inverse[:, None]
        solution = np.linalg.lstsq(weighted, view.inverse[on] / inverse, rcond=None)[0]
        plane = view.basis @ solution
    return np.asarray(plane, np.float64)


def _on(view: View, plane: Array, excess: Array) -> NDArray[np.bool_]:
    """[N] which pixels are on the plane.

    The foot of a wall looks like ground: it exceeds the plane by as much as the ray has risen
    above the ground there. So what is on the plane is told by the noise of those below it, where
    there is nothing else, and the end of each column is left out, where the foot may be; but for a
    camera that looks straight down, whose columns have no far end.
    """
    lower = -excess[(excess < 0.0) & (excess > -_ON)]
    noise = 1.4826 * float(np.median(lower)) if len(lower) else _ON
    band = min(max(_SIGMAS * noise, 0.01), _ON)
    on = np.asarray(np.abs(excess) < band)
    inverse = view.rays @ plane[:3]
    if inverse.max() < _STRAIGHT * inverse.min():
        return on
    farthest = np.full(view.column.max() + 1, np.inf)
    np.minimum.at(farthest, view.column[on], inverse[on])
    return np.asarray(on & (inverse > (1.0 + _FOOT * band) * farthest[view.column]))


def _check(
    view: View, plane: Array, excess: Array, on: NDArray[np.bool_], min_share: float
) -> None:
    """Refuse a plane that is not the ground."""
    under = max(int(np.isfinite(excess).sum()), 1)
    share = on.sum() / under
    if not share >= min_share:
        raise ValueError(
            f'only {share:.0%} of the image below the horizon is on one plane, and min_share is '
            f'{min_share:.0%}: {_CURE}'
        )
    if not _upright(view, plane[None])[0]:
        raise ValueError(
            f'the plane that was found ({share:.0%} of the image below its horizon) is upright, '
            f'not the ground: {_CURE}'
        )
    close = np.mean(np.abs(excess[np.abs(excess) < _ON]) < _CLOSE)
    if close < _FLAT:
        raise ValueError(
            f'what looks most like the ground ({share:.0%} of the image below the horizon) is not '
            f'flat, only {close:.0%} of it within {_CLOSE:.0%}: {_CURE}'
        )
    below = (excess < -_BELOW).sum() / under
    if below > _MOST_BELOW:
        raise ValueError(
            f'{below:.0%} of the image below the horizon lies lower than the plane that was found '
            f'({share:.0%} of it): it is no ground, but something above it; {_CURE}'
        )
    beyond = np.mean(view.inverse - plane[3] < -HORIZON * np.linalg.norm(plane[:3]))
    if beyond > _MOST_BEYOND:
        raise ValueError(
            f'if the plane that was found ({share:.0%} of the image below the horizon) were the '
            f'ground, {beyond:.0%} of the image would be farther than infinity: it is something '
            f'upright; {_CURE}'
        )
