# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A method of calibrate_from with its value and options, and the fit that comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from depth_estimation_ros.calibration import Fit
from depth_estimation_ros.fitting import factor
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references import References, fit_to, methods
from depth_estimation_ros.references.gate import Gate, GateOptions
from depth_estimation_ros.ros.sensors import Sensors
from depth_estimation_ros.tunable import option


@dataclasses.dataclass(frozen=True)
class _Grounded:
    """What a method that wants gravity takes beside its own options."""

    ground_frame: str = option(
        '',
        'Frame whose origin lies on the ground and whose z points up, such as base_footprint: '
        'gravity, and with a value of 0 the height too, come from transforms.',
    )


class Known(NamedTuple):
    """What a method knows of a depth map; a plain factor has no references."""

    depth_map: DepthMap
    references: References | None
    value: float


class Fitted(NamedTuple):
    """A fit, and what it was made of."""

    fit: Fit
    depth_map: DepthMap
    references: References | None

    @property
    def remark(self) -> str:
        """What people should know of it."""
        found = self.references.remark if self.references is not None else ''
        return '; '.join(filter(None, (found, self.fit.remark)))


@dataclasses.dataclass(frozen=True)
class Asked:
    """What somebody asks for.

    Attributes:
        method: How to calibrate.
        value: Its number.
        options: Its options.
    """

    method: methods.Method
    value: float
    options: Any

    @classmethod
    def of(cls, name: str, value: float, text: str) -> Asked:
        """From what calibrate_from is called with.

        Raises:
            ValueError: No such method or option, or a value that it does not take.
        """
        method = methods.method(name)
        kind = method.options
        if method.sensor == 'down':
            kind = dataclasses.make_dataclass(
                kind.__name__, (), bases=(_Grounded, kind), frozen=True
            )
        options = methods.parse(name, text, kind)
        if value and not method.value:
            raise ValueError(f'method {name} takes no value, not {value:g}: leave it out')
        if method.value and not value and not getattr(options, 'ground_frame', ''):
            alone = ', or 0 with the option ground_frame' if method.sensor == 'down' else ''
            raise ValueError(f'method {name} takes a value: the {method.value}{alone}')
        return cls(method, value, options)

    @property
    def sensor(self) -> str:
        """What must be listened to: depth, points, down (gravity), or empty."""
        if self.method.sensor == 'down':
            return 'down' if self.options.ground_frame else ''
        return self.method.sensor

    @property
    def continuous(self) -> bool:
        """Whether to fit again and again."""
        return isinstance(self.options, GateOptions) and self.options.continuous

    def known(
        self, sensors: Sensors, maps: Callable[[], Sequence[DepthMap]], within: float
    ) -> Known:
        """What the method knows now; takes its time, on any thread.

        Args:
            sensors: Of the camera; that of this method is held.
            maps: Gives the depth maps at hand, the newest last, and at least one.
            within: Seconds to wait for the sensor.

        Raises:
            ValueError: It knows nothing; the text says why, and what would help.
        """
        value, reading = self.value, None
        if self.method.sensor in ('depth', 'points'):
            depth_map, reading = sensors.match(self.sensor, maps, self.options.max_age, within)
        else:
            depth_map = maps()[-1]
        if self.sensor == 'down':
            frame = self.options.ground_frame
            reading, height = sensors.gravity(depth_map, frame, within)
            value = value or height
        if self.method.references is None:
            return Known(depth_map, None, value)
        references = self.method.references(depth_map, value, self.options, reading)
        return Known(depth_map, references, value)

    def fit(self, known: Known, gate: Gate | None = None) -> Fitted:
        """Fit what the network says to what the method knows.

        Args:
            known: What it knows.
            gate: What fits that may go on must pass; None: one that knows of none before.

        Raises:
            ValueError: It does not come to a fit; the text says why, and what would help.
        """
        depth_map, references, value = known
        if references is None:
            return Fitted(factor(depth_map.prediction.kind, value), depth_map, None)
        fit = fit_to(references, depth_map)
        if isinstance(self.options, GateOptions):
            (gate or Gate(self.options)).check(fit, depth_map)
        return Fitted(fit, depth_map, references)
