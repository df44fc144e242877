# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The services: requests to calls of the core, answers back; every refusal says why."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import Point
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from depth_estimation_interfaces.srv import CalibrateFrom, CalibrateScale, GetDistance
from depth_estimation_ros import calibration_file
from depth_estimation_ros.calibrating import made
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.distance import Distances, measure
from depth_estimation_ros.drift import Checked
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.references import fit_to
from depth_estimation_ros.references.points import points
from depth_estimation_ros.ros.asked import Asked, Fitted
from depth_estimation_ros.ros.background import Background
from depth_estimation_ros.ros.stream import CameraStream

_WITHIN = 5.0  # seconds to wait for a sensor or a transform

Handler = TypeVar('Handler', bound=Callable[..., Any])


def _refusing(handler: Handler) -> Handler:
    """Answer what the core refuses with success false and its reason."""

    @functools.wraps(handler)
    def answer(self: Any, request: Any, response: Any) -> Any:
        response.success = False
        try:
            handler(self, request, response)
        except (ValueError, OSError) as error:
            response.success = False
            response.message = str(error)
        return response

    return answer  # type: ignore[return-value]


class Services:
    """The services of a node.

    They live as long as the node: a call may outlast the lifecycle states around it, and rclpy
    cannot answer it when its service is gone.

    Args:
        node: Owner.
        streams: The cameras by name; none while the node is not configured.
        window: The parameter distance.window, at the time of a call.
        on_change: Called when a calibration came or went.
        active: Whether frames are worked on.
    """

    def __init__(
        self,
        node: Node,
        streams: Mapping[str, CameraStream],
        window: Callable[[], int],
        on_change: Callable[[], None],
        active: Callable[[], bool],
    ) -> None:
        self._node, self._streams = node, streams
        self._window, self._on_change, self._active = window, on_change, active
        self._background = Background(node, 'calibration')
        # Reentrant: the executor goes on with everything else while one awaits.
        waiting = ReentrantCallbackGroup()
        for kind, name, handler, group in (
            (GetDistance, 'get_distance', self.get_distance, None),
            (CalibrateScale, 'calibrate_scale', self.calibrate_scale, None),
            (CalibrateFrom, 'calibrate_from', self.calibrate_from, waiting),
            (Trigger, 'clear_calibration', self.clear_calibration, None),
            (Trigger, 'save_calibration', self.save_calibration, None),
        ):
            node.create_service(kind, f'~/{name}', handler, callback_group=group)

    @property
    def running(self) -> bool:
        """Whether a thread calibrates; it ends by itself, after seconds."""
        return self._background.running

    def _stream(self, name: str) -> CameraStream:
        if not self._active():
            raise ValueError('the node is not active: activate it, or start it with autostart')
        if name == '' and len(self._streams) == 1:
            return next(iter(self._streams.values()))
        if name not in self._streams:
            there = ', '.join(map(repr, self._streams))
            raise ValueError(
                f'no camera {name!r}: '
                + ('there is one, without a name' if '' in self._streams else f'there is {there}')
            )
        return self._streams[name]

    @_refusing
    def get_distance(self, request: Any, response: Any) -> None:
        """Metric distance at pixels."""
        stream = self._stream(request.camera)
        depth_map = stream.at(request.stamp)
        response.header = _header(depth_map)
        if depth_map.depth is None:
            raise ValueError(
                'the depth is relative and not calibrated, so there are no metres: call '
                f'{self._node.get_fully_qualified_name()}/calibrate_scale with pixels of known '
                'distance first'
            )
        window = request.window or self._window()
        found = measure(depth_map, request.u, request.v, window, stream.history.kept)
        _fill(response, found)
        response.success = True
        response.message = _remarks(depth_map, stream.pipeline.drift.of(depth_map.calibration))

    @_refusing
    def calibrate_scale(self, request: Any, response: Any) -> None:
        """Fit scale and shift to pixels of known distance."""
        stream = self._stream(request.camera)
        depth_map = stream.at(request.stamp)
        given = points(depth_map, request.u, request.v, request.distance, request.along_ray)
        fitted = fit_to(given, depth_map, request.shift, self._window())
        calibration = made(fitted, depth_map, stream.pipeline.estimator, given)
        self._take(stream, calibration, Fitted(fitted, depth_map, given), request, response)
        response.success = True

    async def calibrate_from(self, request: Any, response: Any) -> Any:
        """Fit to a marker, the ground, an object, a sensor, or take a factor.

        What takes long is in another thread, so that the sensors are heard meanwhile.
        """
        try:
            await self._calibrate_from(request, response)
            response.success = True
        except (ValueError, OSError) as error:
            response.message = str(error)
        return response

    async def _calibrate_from(self, request: Any, response: Any) -> None:
        stream = self._stream(request.camera)
        try:
            asked = Asked.of(request.method, request.value, request.options)
            fitted, calibration = await self._fitted(stream, asked)
        except ValueError as error:
            stays = 'there is still no calibration'
            if stream.calibration is not None:
                stays = 'the calibration stays as it was'
            raise ValueError(f'{error}; {stays}') from error
        if self._stream(request.camera) is not stream:
            raise ValueError('the node was configured anew meanwhile: call again')
        self._take(stream, calibration, fitted, request, response)
        if asked.continuous:
            stream.continuous.follow(asked)

    async def _fitted(self, stream: CameraStream, asked: Asked) -> tuple[Fitted, Calibration]:
        history, estimator = stream.history, stream.pipeline.estimator

        def maps() -> list[DepthMap]:
            history.newest()  # asks for it where nobody else does
            return history.kept

        def fit() -> tuple[Fitted, Calibration]:
            fitted = asked.fit(asked.known(stream.sensors, maps, _WITHIN))
            return fitted, made(fitted.fit, fitted.depth_map, estimator, fitted.references)

        with stream.sensors.held(asked.sensor):
            return await self._background.run(fit)

    def _take(
        self,
        stream: CameraStream,
        calibration: Calibration,
        fitted: Fitted,
        request: Any,
        response: Any,
    ) -> None:
        """Put a calibration in force instead of a sensor's that may be followed, and say so."""
        stream.continuous.end()
        stream.adopt(calibration, fitted.depth_map)
        self._on_change()
        fit = calibration.fit
        response.scale, response.shift = fit.scale, fit.shift
        response.rms_relative_error = fit.rms_relative_error
        response.inliers, response.references = fit.inliers, fit.references
        response.message = fitted.remark
        if request.save:
            self._save(stream)

    @_refusing
    def clear_calibration(self, _request: Any, response: Any) -> None:
        """Take the calibration of every camera out of force; files stay."""
        cleared = [repr(s.name) for s in self._streams.values() if s.calibration is not None]
        for stream in self._streams.values():
            stream.continuous.end()
            stream.calibrate(None)
        self._on_change()
        response.success = True
        response.message = f'cleared: {", ".join(cleared) or "there was none"}'

    @_refusing
    def save_calibration(self, _request: Any, response: Any) -> None:
        """Write the calibration of every camera that has one."""
        calibrated = [s for s in self._streams.values() if s.calibration is not None]
        if not calibrated:
            raise ValueError('there is no calibration to save: call calibrate_scale first')
        files = [self._save(stream) for stream in calibrated]
        response.success = True
        response.message = f'saved to {", ".join(files)}'

    def _save(self, stream: CameraStream) -> str:
        if stream.calibration is None:
            raise ValueError('there is no calibration to save')
        file = stream.calibration_file()
        try:
            calibration_file.save(stream.calibration, file)
        except OSError as error:
            raise OSError(
                f'the calibration is in force but not saved: {error}; set calibration.directory '
                'to a folder that can be written'
            ) from error
        return str(file)


def _fill(response: Any, found: Distances) -> None:
    response.depth = found.depth.tolist()
    response.distance = found.distance.tolist()
    response.std_dev = found.std_dev.tolist()
    response.points = [Point(x=x, y=y, z=z) for x, y, z in found.points.tolist()]
    response.status = found.status.tolist()


def _header(depth_map: DepthMap) -> Header:
    seconds, nanoseconds = divmod(depth_map.frame.stamp, 10**9)
    return Header(
        stamp=TimeMessage(sec=seconds, nanosec=nanoseconds), frame_id=depth_map.frame.frame_id
    )


def _remarks(depth_map: DepthMap, checked: Checked) -> str:
    remarks = [f'the calibration has {checked}'] if checked.drifted else []
    if depth_map.frame.camera is None:
        remarks.append(
            'no intrinsics, so distance and points are unknown: publish a camera_info that fits '
            'the image (/diagnostics says why one is refused), or set camera.fx or camera.hfov'
        )
    elif depth_map.frame.camera.approximate:
        remarks.append('the intrinsics are approximate (parameters, no calibrated camera_info)')
    if depth_map.calibration is None:
        remarks.append('not calibrated for this camera, so std_dev is unknown: calibrate_scale')
    return '; '.join(remarks)
