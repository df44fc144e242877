# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings as numbers for machines, as a table for people, and the verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

import depth_estimation_ros
from depth_estimation_ros.demo import client as topics
from depth_estimation_ros.demo.client import Client
from depth_estimation_ros.demo.scenario import Scenario
from depth_estimation_ros.demo.session import Answer, Findings
from depth_estimation_ros.metrics import DepthErrors

PROGRAM = 'depth-estimation demo'
_TOLERATED = 0.15
_FIELDS = ('abs_rel', 'rmse', 'delta1')
_STAGE = ' p50/p95/p99 (ms)'


def report(scenario: Scenario, client: Client, findings: Findings) -> dict[str, Any]:
    """All findings as JSON values; what is unknown is null."""
    status, values = client.status, _diagnostics(client)
    reason = fault(findings, client.count())
    made: dict[str, Any] = {
        'program': PROGRAM,
        'version': depth_estimation_ros.__version__,
        'created': dt.datetime.now(dt.timezone.utc).isoformat(timespec='seconds'),
        'passed': not reason,
        'reason': reason,
        'source': scenario.title,
        'truth': scenario.truth,
        'machine': _machine(),
        'model': {
            name: getattr(status, name)
            for name in ('model', 'depth_kind', 'runtime', 'device', 'licence')
        },
        'network_size': [status.network_width, status.network_height],
        'messages': dict(client.count()),
        'rate_hz': _rate(client.heard[topics.DEPTH]),
        'image_to_depth_ms': _delay(client.heard[topics.DEPTH]),
        'latency_ms': {
            name.removesuffix(_STAGE): dict(
                zip(('p50', 'p95', 'p99'), map(float, value.split('/')), strict=True)
            )
            for name, value in values.items()
            if name.endswith(_STAGE)
        },
        'node': {name: value for name, value in values.items() if not name.endswith(_STAGE)},
        'before_calibration': {
            **dataclasses.asdict(findings.before),
            'errors': _mean(findings.before.errors),
        },
        'calibration': dataclasses.asdict(findings.calibrated),
        'distances': [
            {**dataclasses.asdict(one), 'relative_error': one.error} for one in findings.answers
        ],
        'median_relative_error': median_error(findings.answers),
        'depth_images': _mean(findings.errors),
    }
    known: dict[str, Any] = _nulls(made)
    return known


def fault(findings: Findings, counts: Mapping[str, int]) -> str:
    """Why the demonstration failed, in one line; empty when it did not.

    Args:
        findings: What was found out.
        counts: How many messages came, by topic.
    """
    unanswered = [one for one in findings.answers if not math.isfinite(one.distance)]
    if unanswered:
        first = unanswered[0]
        return (
            f'{len(unanswered)} of {len(findings.answers)} distances have no answer, the first at '
            f'({first.u}, {first.v}): {first.message or f"status {first.status}"}'
        )
    error = median_error(findings.answers)
    if not error <= _TOLERATED:
        return f'the median error of the distances is {error:.1%}, above {_TOLERATED:.0%}'
    before = findings.before
    if before.kind == 'relative' and (before.depth_images or before.clouds or not before.refusal):
        return 'a relative network gave metres before it was calibrated'
    silent = {topic for topic, count in counts.items() if not count}
    if before.kind != 'relative':
        silent.discard(topics.INVERSE_DEPTH)  # a metric network has none
    if silent:
        return f'nothing came on {", ".join(sorted(silent))}'
    return ''


def median_error(answers: list[Answer]) -> float:
    """The median of the relative errors; NaN where one has no answer."""
    errors = [one.error for one in answers]
    return float('nan') if any(map(math.isnan, errors)) else median(errors)


def table(made: dict[str, Any], findings: Findings) -> str:
    """The report in short, as plain text."""
    model, refusals = made['model'], findings.calibrated.refusals
    lines = [
        f'{made["source"]} -> {model["model"]} ({model["runtime"]}, {model["device"]})',
        _before_in_words(made['before_calibration']),
        f'calibrated with {len(findings.calibrated.references)} pixels of known depth: '
        + ', '.join(f'({r.u}, {r.v}) {r.depth:.2f} m' for r in findings.calibrated.references)
        + (f' ({findings.calibrated.message})' if findings.calibrated.message else '')
        + (f' (refused before: {len(refusals)} times)' if refusals else ''),
        '',
        '   pixel         true   answered  +- sigma    error',
        *(_row(one) for one in findings.answers),
        '',
        _accuracy_in_words(made),
        _speed_in_words(made),
    ]
    return '\n'.join(lines)


def _before_in_words(before: dict[str, Any]) -> str:
    if before['kind'] == 'relative':
        return (
            f'before calibration: {before["frames"]} frames of inverse depth, '
            f'{before["depth_images"]} in metres, {before["clouds"]} clouds'
        )
    errors = before['errors']
    return f'before calibration: {errors["frames"]} depth images, AbsRel {errors["abs_rel"]:.3f}'


def _accuracy_in_words(made: dict[str, Any]) -> str:
    depth = made['depth_images']
    return (
        f'median error {made["median_relative_error"] or math.nan:.1%} of '
        f'{len(made["distances"])} distances; {depth["frames"]} depth images against the '
        f'{made["truth"]}: AbsRel {depth["abs_rel"]:.3f}, delta1 {depth["delta1"]:.3f}'
    )


def _speed_in_words(made: dict[str, Any]) -> str:
    delay = made['image_to_depth_ms']
    stages = (f'{stage} {value["p50"]:.1f}' for stage, value in made['latency_ms'].items())
    return (
        f'{made["rate_hz"]:.1f} Hz; from image to depth {delay["p50"]:.0f} ms '
        f'(p95 {delay["p95"]:.0f}); in the node, median ms: {", ".join(stages)}'
    )


def _row(one: Answer) -> str:
    return (
        f'  ({one.u:3d}, {one.v:3d})  {one.truth:7.3f} m {one.distance:7.3f} m '
        f'{one.std_dev:7.3f} m  {one.error:6.1%}'
    )


def write(made: dict[str, Any], path: Path) -> None:
    """Write the report as JSON."""
    path.write_text(json.dumps(made, indent=1, allow_nan=False) + '\n', encoding='utf-8')


def is_report(path: Path) -> bool:
    """Whether a file is a report that a demonstration wrote."""
    try:
        made = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    return isinstance(made, dict) and made.get('program') == PROGRAM


def _diagnostics(client: Client) -> dict[str, str]:
    if client.diagnostics is None:
        return {}
    return {one.key: one.value for one in client.diagnostics.status[0].values}


def _mean(errors: dict[int, DepthErrors]) -> dict[str, float]:
    return {
        'frames': len(errors),
        **{
            name: fmean(getattr(one, name) for one in errors.values()) if errors else math.nan
            for name in _FIELDS
        },
    }


def _rate(heard: list[tuple[int, int]]) -> float:
    """By the stamps, which this process' own pauses do not touch."""
    if len(heard) < 2:
        return math.nan
    return (len(heard) - 1) * 1e9 / (heard[-1][1] - heard[0][1])


def _delay(heard: list[tuple[int, int]]) -> dict[str, float]:
    """Milliseconds from the stamp, when the camera published, to the arrival of depth."""
    delays = [(arrived - stamp) / 1e6 for arrived, stamp in heard] or [math.nan]
    return {f'p{percent}': float(np.percentile(delays, percent)) for percent in (50, 95)}


def _machine() -> dict[str, Any]:
    import rclpy

    return {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'system': platform.platform(),
        'python': platform.python_version(),
        'ros': os.environ.get('ROS_DISTRO', 'wheels'),
        'middleware': rclpy.get_rmw_implementation_identifier(),
    }


def _processor() -> str:
    try:
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except OSError:
        return platform.processor()
    named = [line for line in text.splitlines() if line.startswith('model name')]
    return named[0].partition(':')[2].strip() if named else platform.machine()


def _nulls(value: Any) -> Any:
    """The value with null for what is not a finite number, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _nulls(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_nulls(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
