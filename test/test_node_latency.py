# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node before a camera that is too fast: the newest frame, every drop counted, flat memory."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')

from diagnostic_msgs.msg import DiagnosticArray
from rig import Rig, image_message, info_message, rendered
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depth_estimation_ros.benchmarks import latency, memory


def test_of_a_burst_the_newest_comes_out_and_the_rest_is_counted(ros):
    rig = Rig(model='bundled', diagnostics__period=0.2)
    try:
        assert rig.node.autostart()
        rig.connect()
        topics = {'depth/image': Image, 'depth/camera_info': CameraInfo, 'points': PointCloud2}
        outputs = [rig.listen(kind, f'/depth_estimation/{name}') for name, kind in topics.items()]
        said = rig.listen(DiagnosticArray, '/diagnostics')
        message = image_message(rendered()[0])
        rig.send(message, info_message(message))
        rig.until(lambda: all(outputs), 'the first frame')
        stream = rig.node.streams['']
        for number in range(2, 52):
            message.header.stamp.sec = number
            rig.image.publish(message)
            rig.until(lambda number=number: stream.received == number, f'image {number} arrives')
        rig.until(lambda: outputs[-1][-1].header.stamp.sec == 51, 'the newest comes out')
        for topic in outputs:
            stamps = [output.header.stamp.sec for output in topic]
            assert stamps == sorted(set(stamps))
        seen = len(said)
        rig.until(lambda: len(said) > seen + 1, 'diagnostics')
        values = {pair.key: pair.value for pair in said[-1].status[0].values}
        received, processed, dropped = (
            int(values[f'frames {what}']) for what in ('received', 'processed', 'dropped')
        )
        assert received == 51 == processed + dropped
        assert dropped > 0
    finally:
        rig.close()


@pytest.mark.alone
def test_before_a_camera_twice_as_fast_the_newest_is_served_and_drops_are_counted():
    lag = latency.measure(slow_frames=8, fast_frames=60)
    assert len(lag.overdue) >= 20
    assert lag.received == lag.processed + lag.dropped
    assert lag.dropped > 0
    assert lag.received <= lag.sent == 68
    assert lag.late <= 0.05, f'overdue {sorted(lag.overdue)[-5:]}, allowed {lag.allowance}'


def test_memory_is_modest_and_flat(conversions_at_hand):
    used = memory.measure(300)
    assert 100 < used.start <= used.peak <= memory.LIMIT
    assert used.growth <= memory.GROWTH
