# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a camera's calibration to a sensor, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from depth_estimation_ros.calibrating import made
from depth_estimation_ros.references.gate import Gate
from depth_estimation_ros.ros.asked import Asked, Known
from depth_estimation_ros.ros.calibrations import Identity, identity
from depth_estimation_ros.sections import Reference

if TYPE_CHECKING:
    from depth_estimation_ros.ros.stream import CameraStream

_WITHIN = 0.5  # seconds to wait for a sensor that belongs to a depth map at hand
_PATIENCE = 2.0  # seconds for a fit under way to end


class Continuous:
    """Fits again and again, and keeps the last good fit in force.

    Followed and ended on the executor's thread.

    Args:
        stream: The camera.

    Attributes:
        taken, refused: How many fits were, since it began to follow.
        in_a_row: How many were refused since the last that was taken.
        refusal: Why the last one was refused; empty when it was taken.
    """

    def __init__(self, stream: CameraStream) -> None:
        self._stream = stream
        self._held = contextlib.ExitStack()
        self._configured = Reference()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._ended.set()
        self.taken = self.refused = self.in_a_row = 0
        self.refusal = ''

    @property
    def following(self) -> bool:
        """Whether it keeps the calibration to a sensor."""
        return not self._ended.is_set()

    @property
    def running(self) -> bool:
        """Whether its thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def configure(self, options: Reference) -> None:
        """Follow the sensor that the parameters name, where they were set.

        Set to what they are, they begin anew what a calibration has ended.

        Raises:
            ValueError: It cannot be listened to, or not with these options.
        """
        before = self._configured
        same = (before.continuous, before.options) == (options.continuous, options.options)
        if options is before or (same and self.following):
            pass
        elif options.continuous == 'none':
            self.end()
        else:
            self.follow(Asked.of(options.continuous, 0.0, options.options))
        self._configured = options

    def follow(self, asked: Asked) -> None:
        """Follow a sensor from now on, instead of what may have been followed.

        Raises:
            ValueError: The sensor cannot be listened to.
        """
        self.end()
        self._held.enter_context(self._stream.sensors.held(asked.sensor))
        self.taken = self.refused = self.in_a_row = 0
        self.refusal = ''
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(asked, self._ended), name='continuous calibration', daemon=True
        )
        self._thread.start()

    def end(self) -> bool:
        """Follow no more; whether it had followed."""
        followed = not self._ended.is_set()
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._held.close()
        return followed

    def _run(self, asked: Asked, ended: threading.Event) -> None:
        gate: tuple[Identity, Gate] | None = None
        last = -1
        while not ended.wait(self._stream.config.reference.period):
            kept = self._stream.history.kept
            if not kept or kept[-1].frame.stamp == last:
                continue  # nobody wants depth at present, or no image comes
            last = kept[-1].frame.stamp
            network = identity(self._stream.pipeline.estimator)
            if gate is None or gate[0] != network:
                gate = network, Gate(asked.options)
            try:
                self._fit(asked, gate[1], ended)
            except Exception as error:  # whatever a sensor says, the last good fit stays
                self.refused += 1
                self.in_a_row += 1
                self.refusal = str(error) or type(error).__name__

    def _fit(self, asked: Asked, gate: Gate, ended: threading.Event) -> None:
        """One fit; whatever comes of it, the sensor tells whether the calibration holds."""
        estimator = self._stream.pipeline.estimator
        history = self._stream.history
        known = asked.known(self._stream.sensors, lambda: history.kept, _WITHIN)
        try:
            fitted = asked.fit(known, gate)
            calibration = made(fitted.fit, fitted.depth_map, estimator, fitted.references)
            with history.lock:
                if ended.is_set():  # and the calibration perhaps cleared
                    return
                self._stream.adopt(calibration, fitted.depth_map)
            self.taken += 1
            self.in_a_row, self.refusal = 0, ''
        finally:
            self._check(known)

    def _check(self, known: Known) -> None:
        stamp = known.depth_map.frame.stamp
        for depth_map in self._stream.history.kept:  # under what is in force now
            if depth_map.frame.stamp == stamp and known.references is not None:
                self._stream.pipeline.drift.check(known.references, depth_map)
