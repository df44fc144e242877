# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a demonstration does with the node, and what it finds out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray

from depth_estimation_interfaces.srv import CalibrateScale, GetDistance
from depth_estimation_ros import messages, metrics
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.demo import client as topics
from depth_estimation_ros.demo import pixels
from depth_estimation_ros.demo.client import Client

_FRAMES_BEFORE = 5
_FRAMES = 20
_ATTEMPTS = 5  # frames on which calibration is tried
_BETWEEN_ATTEMPTS = 0.4  # seconds
_ROUNDS = 4
_PIXELS = 5  # distances asked for in each round
# A scale and a shift want far-apart depths, a scale alone typical ones.
_REFERENCES = {'relative': (0.05, 0.5, 0.95), 'metric': (0.25, 0.5, 0.75)}
_START = 180.0  # seconds the node has to load its network, which it converts the first time
_RECORDING = 40.0  # seconds


@dataclasses.dataclass(frozen=True)
class Before:
    """What the node said without a calibration.

    Attributes:
        kind: relative or metric.
        frames: Frames it had worked on.
        depth_images, clouds: How many it had published.
        refusal: What get_distance answered when it refused; empty when it did not.
        errors: Of the depth images, by stamp.
    """

    kind: str
    frames: int
    depth_images: int
    clouds: int
    refusal: str
    errors: dict[int, metrics.DepthErrors]


@dataclasses.dataclass(frozen=True)
class Reference:
    """A pixel of known depth along Z, metres."""

    u: int
    v: int
    depth: float


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """What calibrate_scale was told and answered; `refusals` of frames tried before."""

    references: list[Reference]
    scale: float
    shift: float
    rms_relative_error: float
    inliers: int
    message: str
    refusals: list[str]


@dataclasses.dataclass(frozen=True)
class Answer:
    """One distance along its ray, metres; NaN where there is no answer.

    Attributes:
        stamp: Of the frame, ns.
        u, v: The pixel.
        truth: What is known of it.
        distance, std_dev: What get_distance said.
        status: Why, 0 when all is well.
        message: What get_distance said besides.
    """

    stamp: int
    u: int
    v: int
    truth: float
    distance: float
    std_dev: float
    status: int
    message: str

    @property
    def error(self) -> float:
        """Relative to the truth."""
        return abs(self.distance - self.truth) / self.truth


@dataclasses.dataclass(frozen=True)
class Findings:
    """All of it; `errors` are of the recorded depth images under the calibration, by stamp."""

    before: Before
    calibrated: Calibrated
    answers: list[Answer]
    errors: dict[int, metrics.DepthErrors]


def hold(client: Client, seconds: float, say: Callable[[str], None]) -> Findings:
    """Calibrate the node, ask it, record it; the recording stays with the client.

    Args:
        client: Beside a camera and a node that were just started.
        seconds: How long to go on listening behind the recording.
        say: Takes what is begun, for people who wait.

    Raises:
        TimeoutError: The node does not answer, or not in time.
        ValueError: It refuses the calibration.
    """
    client.until(lambda: client.status, 'the node is ready', _START)
    say('the node is ready; what it says before it is calibrated ...')
    before = _before(client)
    say('calibrating with three pixels of known depth ...')
    calibrated = _calibrate(client, before.kind)
    say(f'recording {_FRAMES} frames, asking for {_ROUNDS * _PIXELS} distances ...')
    client.record()
    random = np.random.default_rng(0)
    answers = [
        answer
        for frames in range(_FRAMES // _ROUNDS, _FRAMES + 1, _FRAMES // _ROUNDS)
        for answer in _ask(client, frames, random)
    ]
    recorded = (topics.IMAGE, topics.TRUTH, topics.DEPTH, topics.COLORIZED, topics.POINTS)
    client.until(
        lambda: len(client.stamps(*recorded)) >= _FRAMES, f'{_FRAMES} whole frames', _RECORDING
    )
    client.stop_recording()
    client.listen(seconds)
    return Findings(before, calibrated, answers, _errors(client))


def _before(client: Client) -> Before:
    kind = client.status.depth_kind
    output = topics.INVERSE_DEPTH if kind == 'relative' else topics.DEPTH
    client.record()
    client.until(
        lambda: len(client.stamps(topics.INFO, topics.TRUTH, output)) >= _FRAMES_BEFORE,
        f'{_FRAMES_BEFORE} frames on {output}',
    )
    asked = client.ask(GetDistance, 'get_distance', u=[320.0], v=[240.0])
    count = client.count()
    return Before(
        kind,
        count[output],
        count[topics.DEPTH],
        count[topics.POINTS],
        '' if asked.success else asked.message,
        _errors(client),
    )


def _calibrate(client: Client, kind: str) -> Calibrated:
    """With pixels of the newest frame; with those of a later one when the node refuses them."""
    refusals: list[str] = []
    while True:
        known, answer = _offer_references(client, kind)
        if answer.success:
            break
        refusals.append(f'{known}: {answer.message}')
        if len(refusals) == _ATTEMPTS:
            raise ValueError(f'calibrate_scale refuses {refusals[-1]}')
        client.listen(_BETWEEN_ATTEMPTS)
    return Calibrated(
        known,
        answer.scale,
        answer.shift,
        answer.rms_relative_error,
        int(answer.inliers),
        answer.message,
        refusals,
    )


def _offer_references(client: Client, kind: str) -> tuple[list[Reference], Any]:
    stamp = client.stamps(topics.TRUTH, topics.COLORIZED)[-1]
    truth = _depth(client, topics.TRUTH, stamp)
    chosen = pixels.references(truth, _REFERENCES[kind])
    known = [Reference(int(u), int(v), float(truth[v, u])) for u, v in chosen]
    answer = client.ask(
        CalibrateScale,
        'calibrate_scale',
        u=[float(one.u) for one in known],
        v=[float(one.v) for one in known],
        distance=[one.depth for one in known],
        stamp=_time(stamp),
    )
    return known, answer


def _ask(client: Client, frames: int, random: np.random.Generator) -> list[Answer]:
    """Distances at some pixels of the newest frame, when so many have been recorded."""
    wanted = (topics.INFO, topics.TRUTH, topics.DEPTH)
    client.until(
        lambda: len(client.stamps(*wanted)) >= frames, f'{frames} calibrated frames', _RECORDING
    )
    stamp = client.stamps(*wanted)[-1]
    truth = _depth(client, topics.TRUTH, stamp)
    chosen = pixels.probes(truth, _PIXELS, random)
    u, v = chosen.T.astype(float)
    response = client.ask(
        GetDistance, 'get_distance', u=u.tolist(), v=v.tolist(), stamp=_time(stamp)
    )
    expected = truth[chosen[:, 1], chosen[:, 0]] * _ray_lengths(client, stamp, u, v)
    missing = [float('nan')] * _PIXELS
    return [
        Answer(stamp, column, row, known, distance, std_dev, status, response.message)
        for (column, row), known, distance, std_dev, status in zip(
            chosen.tolist(),
            expected.tolist(),
            response.distance or missing,
            response.std_dev or missing,
            map(int, response.status or [GetDistance.Response.INVALID] * _PIXELS),
            strict=True,
        )
    ]


def _ray_lengths(client: Client, stamp: int, u: Any, v: Any) -> NDArray[np.float64]:
    rays = camera(client, stamp).unproject(u, v)
    lengths: NDArray[np.float64] = np.sqrt(1.0 + (rays**2).sum(axis=1))
    return lengths


def camera(client: Client, stamp: int) -> Camera:
    """The camera of a recorded frame."""
    info = client.message(topics.INFO, stamp)
    return messages.camera_from_info(info, info.width, info.height)


def _errors(client: Client) -> dict[int, metrics.DepthErrors]:
    return {
        stamp: metrics.depth_errors(
            _depth(client, topics.DEPTH, stamp), _depth(client, topics.TRUTH, stamp)
        )
        for stamp in client.stamps(topics.DEPTH, topics.TRUTH)
    }


def _depth(client: Client, topic: str, stamp: int) -> NDArray[np.float32]:
    return messages.decode_depth(client.message(topic, stamp))


def _time(stamp: int) -> Time:
    seconds, nanoseconds = divmod(stamp, 10**9)
    return Time(sec=seconds, nanosec=nanoseconds)
