# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How steady a network whose scale and shift change from frame to frame is made.

Rendered rooms, 640x480, seen by a camera that drives and looks around, or that stands while a ball
moves. What a network would say is made of the truth: a random scale in each frame, for a relative
one a random shift too, and noise of pixels and of whole regions. It is calibrated once, with
pixels of the first frame; then the picture changes to another room. The figures of metres are
those of the first room.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import synthetic
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.metrics import depth_errors, flicker
from depth_estimation_ros.stabilizer import Stabilizer
from depth_estimation_ros.synthetic.scene import Sphere
from depth_estimation_ros.table import table

WANTED_FLICKER = 0.2  # of that before
WANTED_ABS_REL = 0.05
WANTED_CUT = 2  # frames
WANTED_MS = 1.5

_CHANGE = 0.2  # of scale and shift, to both sides
_NOISE = 0.01  # of a pixel, and of a region of a twelfth of the width
_REFERENCES = 30  # pixels of the first frame
_AFTER = 10  # frames after the cut

Image = NDArray[np.uint8]
Depth = NDArray[np.float32]


class Outcome(NamedTuple):
    """One sequence: flicker before and after, errors, frames until the cut was seen, times."""

    before: float
    after: float
    abs_rel: float
    worst: float
    cut: int
    seconds: list[float]


def moving(seed: int, frames: int, camera: Camera) -> Iterator[tuple[Image, Depth]]:
    """Pictures and depth of a camera that drives to and fro and looks around."""
    room = synthetic.make_room(seed)
    for pose in synthetic.trajectory(room, frames):
        yield synthetic.render(room, camera, pose)


def standing(seed: int, frames: int, camera: Camera) -> Iterator[tuple[Image, Depth]]:
    """The same of a camera that stands while a ball goes round before it."""
    room = synthetic.make_room(seed)
    (pose,) = synthetic.trajectory(room, 1)
    for frame in range(frames):
        angle = 0.05 * frame
        ahead = np.array([1.2 * np.sin(angle), 0.2, 1.6 + 0.5 * np.cos(angle)])
        place = pose.position + pose.rotation @ ahead
        ball = Sphere(place.astype(np.float32), 0.3, room.boxes[0].surface)
        with_ball = dataclasses.replace(room, spheres=(*room.spheres, ball))
        # A hundredth of a millimetre, so that the noise of the picture is another one.
        trembling = dataclasses.replace(pose, position=pose.position + 1e-5 * frame)
        yield synthetic.render(with_ball, camera, trembling)


SCENES = {'moving camera': moving, 'standing camera, moving ball': standing}


def answer(truth: Depth, kind: DepthKind, rng: np.random.Generator) -> Depth:
    """What a network would say, [H, W]."""
    said = 1.0 / truth if kind is DepthKind.RELATIVE else truth
    regions = cv2.resize(
        rng.standard_normal((9, 12)), truth.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    noise = _NOISE * (rng.standard_normal(truth.shape) + regions)
    scale = rng.uniform(1.0 - _CHANGE, 1.0 + _CHANGE)
    shift = rng.uniform(-_CHANGE, _CHANGE) * np.median(said)
    said = scale * said * (1.0 + noise) + (shift if kind is DepthKind.RELATIVE else 0.0)
    return np.asarray(said, np.float32)


def calibrate(
    image: Image, truth: Depth, said: Prediction, camera: Camera, rng: np.random.Generator
) -> tuple[Calibration, DepthMap]:
    """A fit to pixels of a frame whose depth is known, and the frame."""
    v, u = (rng.integers(0, size, _REFERENCES) for size in truth.shape)
    values = np.asarray(said.values)
    fitted = fit(values[v, u], truth[v, u], said.kind, spread=float(np.ptp(values)))
    basis = DepthMap(Frame(image, camera=camera), said, None)
    return Calibration(fitted, 'rendered', camera, 0), basis


def measure(
    scene: str, seed: int, frames: int, kind: DepthKind, camera: Camera = synthetic.WEBCAM
) -> Outcome:
    """Run one sequence, and the cut at its end."""
    rng = np.random.default_rng(seed)
    stabilizer, calibration, basis = Stabilizer(), None, None
    seconds, errors, found, pairs = [], [], 0, []
    cut_to = itertools.islice(moving(seed + 1, _AFTER, camera), _AFTER)
    last = None
    for index, (image, truth) in enumerate(
        itertools.chain(SCENES[scene](seed, frames, camera), cut_to)
    ):
        said = Prediction(answer(truth, kind, rng), kind)
        if calibration is None:
            calibration, basis = calibrate(image, truth, said, camera, rng)
        frame = Frame(image, index, camera=camera)
        started = time.perf_counter()
        steadied = stabilizer.steady(frame, said, calibration, basis)
        seconds.append(time.perf_counter() - started)
        found = found or (index - frames + 1) * stabilizer.cuts
        if index < frames:
            depth = [calibration.fit.depth(one.values) for one in (said, steadied.prediction)]
            errors.append(depth_errors(depth[1], truth).abs_rel)
            if last is not None:
                pairs.append([
                    flicker([before, now], [last[1], truth])
                    for before, now in zip(last[0], depth, strict=True)
                ])  # fmt: skip
            last = depth, truth
    before, after = np.mean(pairs, axis=0).tolist()
    return Outcome(before, after, float(np.mean(errors)), max(errors), found, seconds)


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when something that is promised does not hold."""
    parser = argparse.ArgumentParser(prog='benchmark steady', description=__doc__)
    parser.add_argument('--frames', type=int, default=200, help='default: %(default)s')
    parser.add_argument(
        '--rooms', type=int, nargs='+', default=[3, 6], help='seeds; default: %(default)s'
    )
    options = parser.parse_args(argv)
    rows, held = [], []
    for scene, seed, kind in itertools.product(
        SCENES, options.rooms, (DepthKind.RELATIVE, DepthKind.METRIC)
    ):
        outcome = measure(scene, seed, options.frames, kind)
        rows.append([scene, str(seed), kind.value, *_cells(outcome)])
        held.append(_holds(outcome))
    titles = ['scene', 'room', 'model', 'flicker', 'after', 'share', 'AbsRel', 'worst', 'cut seen']
    print(table([*titles, 'ms', 'fastest tenth', 'p95'], rows, words=3))
    print(
        f'\nwanted: share <= {WANTED_FLICKER:.0%}, worst AbsRel <= {WANTED_ABS_REL}, cut seen '
        f'within {WANTED_CUT} frames, median <= {WANTED_MS} ms: '
        f'{"kept" if all(held) else "missed"}; load {os.getloadavg()[0]:.1f}'
    )
    return int(not all(held))


def _cells(outcome: Outcome) -> list[str]:
    median, fastest, slow = (np.percentile(outcome.seconds, q) * 1e3 for q in (50, 10, 95))
    return [
        f'{outcome.before:.4f}',
        f'{outcome.after:.4f}',
        f'{outcome.after / outcome.before:.1%}',
        f'{outcome.abs_rel:.4f}',
        f'{outcome.worst:.4f}',
        str(outcome.cut),
        f'{median:.2f}',
        f'{fastest:.2f}',
        f'{slow:.2f}',
    ]


def _holds(outcome: Outcome) -> bool:
    return (
        outcome.after <= WANTED_FLICKER * outcome.before
        and outcome.worst <= WANTED_ABS_REL
        and 1 <= outcome.cut <= WANTED_CUT
        and float(np.median(outcome.seconds)) * 1e3 <= WANTED_MS
    )
