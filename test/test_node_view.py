# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the node makes, seen without RViz: depth-estimation node --view."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')
pytest.importorskip('rerun', reason='rerun is not installed: it needs NumPy 2')


import documents
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from recording import entities
from rig import Rig, image_message, info_message, rendered
from sensor_msgs.msg import CameraInfo, Image

NODE = [sys.executable, '-m', 'depth_estimation_ros.cli', 'node']
SECOND = 1_000_000_000


def test_a_view_is_somebody_who_wants_depth(ros, tmp_path):
    from depth_estimation_ros.config import Config
    from depth_estimation_ros.view import View

    said: list[str] = []
    view = View(str(tmp_path / 'node.rrd'), Config(), said.append, live=True)
    rig = Rig(view=view, model='bundled-relative', runtime='torch', cameras=['front'])
    try:
        assert rig.node.autostart()
        (stream,) = rig.node.streams.values()
        image = rig.client.create_publisher(Image, 'front/image', 5)
        rig.until(image.get_subscription_count, 'node subscribes')
        image.publish(image_message(rendered()[0], 7 * SECOND))
        rig.until(lambda: stream.processed == 1, 'a frame is processed')
        view.close()
        image.publish(image_message(rendered()[0], 8 * SECOND))
        rig.spin(0.5)
        assert stream.processed == 1  # nobody sees it any more
    finally:
        rig.close()
    assert said == []
    ((stamp, _),) = entities(tmp_path / 'node.rrd')['/front/inverse_depth']
    assert stamp == 7 * SECOND


def test_the_command_writes_what_the_node_makes_until_it_is_interrupted(
    ros, tmp_path, monkeypatch, spin_until
):
    file = tmp_path / 'node.rrd'
    (line,) = documents.arguments('node')
    arguments = [*shlex.split(line)[1:], '-p', 'model:=bundled', '-p', 'runtime:=torch']
    monkeypatch.chdir(tmp_path)
    executor, client = SingleThreadedExecutor(), Node('client')
    executor.add_node(client)
    topics = [
        client.create_publisher(*topic, 5)
        for topic in ((CameraInfo, 'camera/camera_info'), (Image, 'camera/image_raw'))
    ]
    message = image_message(rendered()[0])
    with subprocess.Popen([*NODE, *arguments], stderr=subprocess.PIPE, text=True) as process:
        try:
            spin_until(
                executor,
                lambda: all(t.get_subscription_count() for t in topics),
                'node subscribes',
                40.0,
            )
            topics[0].publish(info_message(message))
            sent, deadline = 0, time.monotonic() + 20.0
            while file.stat().st_size < 3e6:
                assert time.monotonic() < deadline, process.stderr.read()
                sent += 1
                message.header.stamp.sec = sent
                topics[1].publish(message)
                executor.spin_once(timeout_sec=0.1)
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20.0)
        finally:
            process.kill()
            client.destroy_node()
    assert process.returncode == 0, said
    held = entities(file)
    stamps = [stamp for stamp, _ in held['/camera/optical/depth']]
    assert set(stamps) <= {number * SECOND for number in range(1, sent + 1)}
    assert len(held['/camera/points']) == len(stamps) >= 2


def test_a_place_that_is_none_is_told_before_anything_starts(tmp_path):
    command = [*NODE, '--view', 'room.bag', '--ros-args', '-p', 'model:=bundled']
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert "'room.bag' is no place for a view" in answer.stderr.splitlines()[-1]
    listed = subprocess.run([*NODE, '--help'], capture_output=True, text=True, check=True)
    assert '--view' in listed.stdout
