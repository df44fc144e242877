# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the demonstration: the one place of it that prints."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from depth_estimation_ros import bag, messages
from depth_estimation_ros.demo import client as topics
from depth_estimation_ros.demo import picture, report, scenario
from depth_estimation_ros.demo.client import Client
from depth_estimation_ros.demo.processes import Processes, free_domain
from depth_estimation_ros.demo.session import Findings, hold


def run(
    output: Path, bag_path: Path | None = None, weights: Path | None = None, seconds: float = 3.0
) -> int:
    """Camera, node and client in three processes; report, picture and bag in a folder.

    Args:
        output: The folder; one that a demonstration wrote is replaced.
        bag_path: Play the frames of this bag into METER, instead of rendered ones into the bundled
            network.
        weights: METER's weights.
        seconds: How long to go on counting behind the recording.

    Returns:
        0, or 1 when a distance has no answer or their median error is above 15 %.

    Raises:
        ValueError: The folder holds something else, or something of the bag is missing.
        OSError: Bag or weights are missing, or a process has ended or does not answer.
    """
    output = output.absolute()
    _check_replaceable(output)
    chosen = scenario.recorded(bag_path, weights) if bag_path else scenario.rendered()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.demo-', dir=output.parent) as temporary:
        folder = Path(temporary, 'demo')
        folder.mkdir()
        made = _hold(chosen, folder, seconds)
        if output.exists():
            shutil.rmtree(output)
        folder.rename(output)
    print(f'report.json, frame.png and bag are in {output}')
    if made['reason']:
        print(f'depth-estimation: {made["reason"]}', file=sys.stderr)
    return int(not made['passed'])


def _check_replaceable(output: Path) -> None:
    if not output.exists() or report.is_report(output / 'report.json'):
        return
    if not output.is_dir() or any(output.iterdir()):
        raise ValueError(
            f'{output} holds something that no demonstration wrote: move it away, or give '
            'another folder as --output'
        )


def _hold(chosen: scenario.Scenario, folder: Path, seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    say = partial(print, flush=True)
    say(
        f'starting a camera ({chosen.title}) and the node ({chosen.model}); the first time it '
        'prepares its network, up to a minute ...'
    )
    domain = free_domain()
    processes = Processes(domain, folder)
    with Client(domain, processes.check) as client, processes:
        processes.start('camera', 'demo.camera', *chosen.camera)
        processes.start('node', 'ros.node', *chosen.node_arguments())
        findings = hold(client, seconds, say)
        made = report.report(chosen, client, findings)
    say(report.table(made, findings))
    say('writing picture and bag ...')
    made['bag'] = _write_bag(client, folder / 'bag')
    picture.draw(_shown(chosen, client, findings, made), folder / 'frame.png')
    made['seconds'] = round(time.monotonic() - started, 1)
    report.write(made, folder / 'report.json')
    return made


def _write_bag(client: Client, path: Path) -> dict[str, int]:
    """Write what was recorded of the frames that have an answer; the messages by topic."""
    answered = set(client.stamps(topics.DEPTH))
    of_camera = (topics.IMAGE, topics.INFO, topics.TRUTH)
    recorded = [
        message
        for topic, kept in client.kept.items()
        for stamp, message in kept.items()
        if topic not in of_camera or stamp in answered
    ]
    bag.write(path, topics.TOPICS, recorded)
    counted = [message.topic for message in recorded]
    return {topic.name: counted.count(topic.name) for topic in topics.TOPICS}


def _shown(
    chosen: scenario.Scenario, client: Client, findings: Findings, made: dict[str, Any]
) -> picture.Shown:
    """The frame in the middle of the recording, as it came over the wire."""
    stamps = client.stamps(
        topics.IMAGE, topics.TRUTH, topics.DEPTH, topics.COLORIZED, topics.POINTS
    )
    stamp = stamps[len(stamps) // 2]
    depth = messages.decode_depth(client.message(topics.DEPTH, stamp))
    cloud = np.frombuffer(client.message(topics.POINTS, stamp).data, np.float32)
    return picture.Shown(
        title=f'depth_estimation_ros: {chosen.title}, {chosen.model} calibrated with '
        f'{len(findings.calibrated.references)} pixels',
        subtitle=_subtitle(made),
        image=messages.decode_image(client.message(topics.IMAGE, stamp)),
        colours=messages.decode_image(client.message(topics.COLORIZED, stamp)),
        depth=depth,
        truth=messages.decode_depth(client.message(topics.TRUTH, stamp)),
        truth_name=chosen.truth,
        points=cloud.reshape(*depth.shape, 4),
        near=chosen.near,
        far=chosen.far,
        references=findings.calibrated.references,
        answers=findings.answers,
    )


def _subtitle(made: dict[str, Any]) -> str:
    depth, uncalibrated = made['depth_images'], made['before_calibration']['errors']['abs_rel']
    before = '' if uncalibrated is None else f'{uncalibrated:.3f}, calibrated '
    return (
        f'{made["rate_hz"]:.1f} Hz, image to depth {made["image_to_depth_ms"]["p50"]:.0f} ms'
        f'      AbsRel {before}{depth["abs_rel"]:.3f}, δ1 {depth["delta1"]:.3f} over '
        f'{depth["frames"]} depth images      median error of {len(made["distances"])} distances '
        f'{made["median_relative_error"] or math.nan:.1%}'
    )
