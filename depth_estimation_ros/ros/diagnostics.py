# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node says of itself: /diagnostics and ~/status."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time as TimeMessage
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from depth_estimation_interfaces.msg import DepthStatus
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.latency import Latency
from depth_estimation_ros.ros.stream import CameraStream


class Diagnostics:
    """Makes the messages of /diagnostics; rates are since the message before."""

    def __init__(self, node_name: str, latency: Latency) -> None:
        self._node_name, self._latency = node_name, latency
        self._before: dict[str, tuple[float, int, int]] = {}

    def message(self, streams: Sequence[CameraStream], stamp: Any) -> DiagnosticArray:
        """One status for each camera."""
        message = DiagnosticArray()
        message.header.stamp = stamp
        message.status = [self._status(stream) for stream in streams]
        return message

    def _status(self, stream: CameraStream) -> DiagnosticStatus:
        level, text = self._verdict(stream)
        status = DiagnosticStatus(
            level=level,
            name=f'{self._node_name}: {stream.name or "camera"}',
            hardware_id=stream.pipeline.estimator.runtime.device,
            message=text,
        )
        status.values = [
            KeyValue(key=key, value=str(value)) for key, value in self._values(stream).items()
        ]
        return status

    def _verdict(self, stream: CameraStream) -> tuple[bytes, str]:
        _, received, faults = self._before.get(stream.name, (0.0, 0, 0))
        if stream.faults.counts.total() > faults:
            return DiagnosticStatus.ERROR, next(reversed(stream.faults.counts))
        topic = stream.subscriptions[0].topic
        if stream.received == received:
            return DiagnosticStatus.WARN, f'no image arrives on {topic}'
        if hint := hint_for(stream):
            return DiagnosticStatus.WARN, hint
        return DiagnosticStatus.OK, 'working'

    def _values(self, stream: CameraStream) -> dict[str, Any]:
        now = time.monotonic()
        then, processed, _ = self._before.get(stream.name, (now, 0, 0))
        values: dict[str, Any] = {
            'rate (Hz)': f'{(stream.processed - processed) / max(now - then, 1e-9):.1f}'
            if now > then
            else '0.0',
            'frames received': stream.received,
            'frames processed': stream.processed,
            'frames dropped': stream.dropped,
            'memory (MB)': f'{resident_megabytes():.0f}',
        }
        for stage, (p50, p95, p99) in self._latency.percentiles().items():
            values[f'{stage} p50/p95/p99 (ms)'] = (
                f'{p50 * 1e3:.2f} / {p95 * 1e3:.2f} / {p99 * 1e3:.2f}'
            )
        for reason, count in stream.faults.counts.items():
            values[f'fault: {reason}'] = count
        if stream.calibration is not None:
            age = time.time() - stream.calibration.created / 1e9
            values['calibration age (s)'] = f'{age:.0f}'
            values['calibration residual'] = f'{stream.calibration.fit.rms_relative_error:.4f}'
        self._before[stream.name] = (now, stream.processed, stream.faults.counts.total())
        return values


def hint_for(stream: CameraStream) -> str:
    """What to do next for this camera; empty when all is well."""
    spec = stream.pipeline.estimator.spec
    if spec.kind is DepthKind.RELATIVE and stream.calibration is None:
        return (
            'the model answers relative depth: no metres and no cloud until calibrate_scale is '
            'called with pixels of known distance'
        )
    return ''


def depth_status(
    estimator: DepthEstimator, streams: Sequence[CameraStream], stamp: Any
) -> DepthStatus:
    """The message of ~/status."""
    message = DepthStatus()
    message.header.stamp = stamp
    message.model, message.licence = estimator.spec.name, estimator.spec.licence
    message.runtime, message.device = estimator.runtime.name, estimator.runtime.device
    message.network_width, message.network_height = estimator.network_size
    message.cameras = [stream.name for stream in streams]
    calibrations = [stream.calibration for stream in streams]
    message.calibrated = [one is not None for one in calibrations]
    nan = float('nan')
    message.scale = [nan if one is None else one.fit.scale for one in calibrations]
    message.shift = [nan if one is None else one.fit.shift for one in calibrations]
    message.rms_relative_error = [
        nan if one is None else one.fit.rms_relative_error for one in calibrations
    ]
    message.calibrated_at = [
        TimeMessage() if one is None else _time(one.created) for one in calibrations
    ]
    message.depth_kind = (
        DepthKind.CALIBRATED if all(message.calibrated) else estimator.spec.kind
    ).value
    message.hint = '; '.join(dict.fromkeys(filter(None, map(hint_for, streams))))
    return message


def resident_megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def _time(nanoseconds: int) -> TimeMessage:
    seconds, rest = divmod(nanoseconds, 10**9)
    return TimeMessage(sec=seconds, nanosec=rest)
