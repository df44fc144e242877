# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node says of how it works: /diagnostics."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from depth_estimation_ros.latency import Latency
from depth_estimation_ros.ros.status import hint_for
from depth_estimation_ros.ros.stream import CameraStream

_STUCK = 2.0  # seconds with an image waiting and none coming out, after which it is said


class _Counts(NamedTuple):
    """What a camera had counted when the message before was made; times in monotonic seconds."""

    time: float
    progress: float  # when a frame had come out last, or none was waiting
    received: int = 0
    processed: int = 0
    faults: int = 0


class Diagnostics:
    """Makes the messages of /diagnostics; rates are since the message before."""

    def __init__(self, node_name: str, latency: Latency) -> None:
        self._node_name, self._latency = node_name, latency
        self._before: dict[str, _Counts] = {}

    def message(self, streams: Sequence[CameraStream], stamp: Any) -> DiagnosticArray:
        """One status for each camera."""
        message = DiagnosticArray()
        message.header.stamp = stamp
        message.status = [self._status(stream) for stream in streams]
        return message

    def _status(self, stream: CameraStream) -> DiagnosticStatus:
        counts, moment = stream.faults.counts, time.monotonic()
        before = self._before.get(stream.name, _Counts(moment, moment))
        stuck = stream.due() and stream.processed == before.processed
        progress = before.progress if stuck else moment
        now = _Counts(moment, progress, stream.received, stream.processed, counts.total())
        self._before[stream.name] = now
        level, text = _verdict(stream, before, now)
        status = DiagnosticStatus(
            level=level,
            name=f'{self._node_name}: {stream.name or "camera"}',
            hardware_id=stream.pipeline.estimator.runtime.device,
            message=text,
        )
        status.values = [
            KeyValue(key=key, value=str(value))
            for key, value in self._values(stream, before, now, counts).items()
        ]
        return status

    def _values(
        self, stream: CameraStream, before: _Counts, now: _Counts, faults: Mapping[str, int]
    ) -> dict[str, Any]:
        seconds = now.time - before.time
        rate = (now.processed - before.processed) / seconds if seconds > 0.0 else 0.0
        estimator = stream.pipeline.estimator
        values: dict[str, Any] = {
            'model': estimator.spec.name,
            'preset': estimator.preset,
            'runtime': estimator.runtime.name,
            'rate (Hz)': f'{rate:.1f}',
            'frames received': now.received,
            'frames processed': now.processed,
            'frames dropped': stream.dropped,
            'jumps back in time': stream.history.jumps,
            'memory (MB)': f'{resident_megabytes():.0f}',
        }
        vram = estimator.runtime.memory()
        if vram is not None:
            values['VRAM used / reserved / total (MB)'] = ' / '.join(f'{mb:.0f}' for mb in vram)
        for stage, (p50, p95, p99) in self._latency.percentiles().items():
            values[f'{stage} p50/p95/p99 (ms)'] = (
                f'{p50 * 1e3:.2f} / {p95 * 1e3:.2f} / {p99 * 1e3:.2f}'
            )
        for reason, count in faults.items():
            values[f'fault: {reason}'] = count
        return values | _of_calibration(stream)


def _of_calibration(stream: CameraStream) -> dict[str, Any]:
    values: dict[str, Any] = {'scene cuts': stream.stabilizer.cuts}
    calibration = stream.calibration  # once: the worker may take it away meanwhile
    if calibration is not None:
        values['calibration age (s)'] = f'{time.time() - calibration.created / 1e9:.0f}'
        residual = calibration.fit.rms_relative_error
        values['calibration residual'] = 'unknown' if math.isnan(residual) else f'{residual:.4f}'
        checked = stream.pipeline.drift.of(calibration)
        values['calibration against known depths'] = str(checked)
        if checked.source and checked.stamp <= stream.arrived:  # else time has jumped back
            ago = (stream.arrived - checked.stamp) / 1e9  # by the clock of the images
            values['calibration checked (s ago)'] = f'{ago:.0f}'
        values['scale of the calibration'] = stream.stabilizer.hint or 'kept since it was made'
    following = stream.continuous
    if following.following:
        values['fits to the sensor taken / refused'] = f'{following.taken} / {following.refused}'
        if following.refusal:
            values['last fit to the sensor refused'] = following.refusal
    return values


def _verdict(stream: CameraStream, before: _Counts, now: _Counts) -> tuple[bytes, str]:
    """Level and text: of what was counted since the message before."""
    if now.faults > before.faults:
        return DiagnosticStatus.ERROR, stream.faults.latest
    if not stream.active:
        return DiagnosticStatus.WARN, 'not active: activate the node, or start it with autostart'
    if now.received == before.received:
        topic = stream.subscriptions[0].topic
        return DiagnosticStatus.WARN, f'no image arrives on {topic}'
    if (seconds := now.time - now.progress) > _STUCK:
        text = f'no frame has come out for {seconds:.0f} s: the network is slow'
        return DiagnosticStatus.WARN, '; '.join(filter(None, (text, hint_for(stream))))
    if hint := hint_for(stream):
        return DiagnosticStatus.WARN, hint
    return DiagnosticStatus.OK, 'working'


def resident_megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6
