# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration as users run it, and the parts that decide what it shows and says."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')
pytest.importorskip('matplotlib', reason='matplotlib is not installed')

from rosbags.highlevel import AnyReader

from depth_estimation_ros import messages, metrics
from depth_estimation_ros.demo import camera, pixels, processes, report, run, scenario
from depth_estimation_ros.demo.client import DEPTH, KINDS, POINTS, TRUTH
from depth_estimation_ros.demo.session import (
    Answer,
    Before,
    Calibrated,
    Findings,
    Reference,
)
from depth_estimation_ros.demo.view import side_view

ROOT = Path(__file__).resolve().parents[1]


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process group of its own, which its children share."""
    return subprocess.Popen(
        [sys.executable, '-m', 'depth_estimation_ros.cli', 'demo', *arguments],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def group_is_gone(process: subprocess.Popen[str]) -> bool:
    """Within seconds: a child that was just being started gets the signal, but has no parent."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def finished(process: subprocess.Popen[str]) -> str:
    """What it printed; every process that it started must be gone."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert group_is_gone(process)
    return out


def check_results(folder: Path) -> dict:
    """The promises of report, picture and bag, held against each other; gives the report."""
    made = json.loads((folder / 'report.json').read_text())
    assert made['passed']
    assert len(made['distances']) == 20
    errors = [abs(one['distance'] - one['truth']) / one['truth'] for one in made['distances']]
    assert made['median_relative_error'] == pytest.approx(np.median(errors))
    assert made['median_relative_error'] <= 0.15
    assert {'network', 'publish', 'total'} <= set(made['latency_ms'])
    assert cv2.imread(str(folder / 'frame.png')).shape == (1140, 1920, 3)
    with AnyReader([folder / 'bag']) as reader:
        counts = {topic: info.msgcount for topic, info in reader.topics.items()}
        assert counts == made['bag']
        depths, truths = (by_stamp(reader, topic) for topic in (DEPTH, TRUTH))
    assert counts[POINTS] >= 20
    both = depths.keys() & truths.keys()  # on a busy machine a true depth does not arrive
    assert made['depth_images']['frames'] == len(both) >= 20
    errors = [metrics.depth_errors(depths[stamp], truths[stamp]).abs_rel for stamp in both]
    assert made['depth_images']['abs_rel'] == pytest.approx(np.mean(errors))
    return made


def by_stamp(reader: AnyReader, topic: str) -> dict[tuple[int, int], np.ndarray]:
    found = {}
    for connection, _, data in reader.messages(reader.topics[topic].connections):
        message = reader.deserialize(data, connection.msgtype)
        stamp = message.header.stamp
        found[stamp.sec, stamp.nanosec] = messages.decode_depth(message)
    return found


def test_the_rendered_camera_gives_report_picture_and_bag(tmp_path):
    folder = tmp_path / 'new' / 'demo_output'
    printed = finished(started('--output', str(folder)))
    made = check_results(folder)
    before = made['before_calibration']
    assert before['kind'] == 'relative'
    assert before['frames'] >= 5
    assert before['depth_images'] == before['clouds'] == 0
    assert 'calibrate_scale' in before['refusal']
    assert all(made['messages'].values())
    assert all(made['bag'].values())
    assert made['rate_hz'] > 3.0
    assert f'{made["median_relative_error"]:.1%}' in printed
    assert [one.name for one in folder.parent.iterdir()] == ['demo_output']


def test_a_bag_gives_meters_depth_beside_the_sensors(tmp_path, assets):
    bag = assets / 'bags' / 'tum_fr1_2frames'
    finished(started('--bag', str(bag), '--output', str(tmp_path / 'out')))
    made = check_results(tmp_path / 'out')
    assert made['model']['model'] == 'meter-nyu-xxs'
    assert made['truth'] == "sensor's depth"
    before = made['before_calibration']['errors']
    assert before['abs_rel'] < 0.35
    assert made['depth_images']['abs_rel'] < before['abs_rel']


def test_ctrl_c_ends_every_process_and_leaves_nothing_behind(tmp_path):
    process = started('--output', str(tmp_path / 'out'))
    deadline = time.monotonic() + 30.0
    while not list(tmp_path.glob('.demo-*/demo/node.log')):
        assert time.monotonic() < deadline, 'the node was not started'
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.strip().splitlines()[-1] == 'depth-estimation: interrupted'
    assert group_is_gone(process)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / 'report.json').write_text('{"program": "another"}')
    with pytest.raises(ValueError, match='no demonstration wrote'):
        run.run(tmp_path)
    assert (tmp_path / 'report.json').read_text() == '{"program": "another"}'


def test_a_bag_that_is_missing_or_without_weights_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no bag .*nowhere'):
        scenario.recorded(tmp_path / 'nowhere', None)
    with pytest.raises(FileNotFoundError, match=r'meter-nyu-xxs: .*absent'):
        scenario.recorded(tmp_path, tmp_path / 'absent')


def test_a_process_that_ends_is_told_with_its_last_words(tmp_path):
    with processes.Processes(processes.free_domain(), tmp_path) as running:
        running.start('node', 'no_such_module')
        running.running['node'].wait(20)
        with pytest.raises(ChildProcessError, match=r'the node ended with code 1: .*no_such'):
            running.check()


def test_the_camera_frames_are_exact_and_move():
    (first, depth), (second, _) = camera.rendered(2)
    assert first.image.shape == (480, 640, 3)
    assert first.camera.distortion_model == 'plumb_bob'
    assert any(first.camera.distortion)
    assert np.isfinite(depth).all()
    assert (first.image != second.image).any()
    np.testing.assert_array_equal(camera.rendered(1)[0][0].image, first.image)


def step(width: int = 160, height: int = 120) -> np.ndarray:
    """Two metres on the left, three on the right, and a hole in the right part."""
    depth = np.full((height, width), 2.0, np.float32)
    depth[:, width // 2 :] = 3.0
    depth[50:70, 110:120] = np.nan
    return depth


def test_pixels_to_measure_at_are_away_from_edges_holes_and_borders():
    flat = pixels.measurable(step())
    assert flat[60, 60]
    assert not flat[60, 79]
    assert not flat[60, 107]
    assert not flat[60, 3]
    chosen = pixels.references(step(), (0.05, 0.95))
    assert [float(step()[v, u]) for u, v in chosen] == [2.0, 3.0]
    asked = pixels.probes(step(), 8, np.random.default_rng(1))
    assert len({tuple(pixel) for pixel in asked}) == 8
    assert sorted({float(step()[v, u]) for u, v in asked}) == [2.0, 3.0]
    with pytest.raises(ValueError, match='0 pixels'):
        pixels.probes(np.full((120, 160), np.nan, np.float32), 5, np.random.default_rng(1))


def test_the_nearer_point_of_the_cloud_hides_the_farther():
    def patch(centre: tuple[float, float, float], colour: int) -> np.ndarray:
        side = np.linspace(-0.3, 0.3, 90)
        x, y = np.meshgrid(side, side)
        points = np.stack([x, y, 0 * x, 0 * x], axis=-1).astype(np.float32)
        points[..., :3] += np.array(centre, np.float32)
        points[..., 3] = np.array(colour, np.uint32).view(np.float32)
        return points

    # The eye stands at x < 0: what is left of something stands before it.
    green = patch((-0.4, 0.0, 2.0), 0x00FF00)
    red = patch((0.6, 0.0, 2.3), 0xFF0000)
    unknown = np.full_like(green, np.nan)
    pictures = [
        side_view(np.concatenate(order), 4.0, (400, 300))
        for order in ((green, red, unknown), (red, green, unknown))
    ]
    np.testing.assert_array_equal(*pictures)
    colours = {tuple(colour) for colour in pictures[0].reshape(-1, 3).tolist()}
    assert {(0, 255, 0), (255, 0, 0)} <= colours


def findings(distance: float = 2.1, **before: object) -> Findings:
    answer = Answer(1, 10, 20, 2.0, distance, 0.1, 0, '')
    return Findings(
        dataclasses.replace(Before('relative', 5, 0, 0, 'call calibrate_scale', {}), **before),
        Calibrated([Reference(10, 20, 2.0)], 1.0, 0.0, 0.0, 1, '', []),
        [answer] * 3,
        {},
    )


def test_the_verdict_names_what_is_wrong():
    counts = dict.fromkeys(KINDS, 5)
    assert report.fault(findings(), counts) == ''
    assert 'median error of the distances is 20.0%' in report.fault(findings(2.4), counts)
    assert '3 of 3 distances have no answer' in report.fault(findings(math.nan), counts)
    assert 'before it was calibrated' in report.fault(findings(clouds=1), counts)
    assert 'before it was calibrated' in report.fault(findings(refusal=''), counts)
    assert report.fault(findings(), {**counts, POINTS: 0}) == f'nothing came on {POINTS}'
