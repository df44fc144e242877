# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the documents tell people to call: the services exist, and take and answer it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from depth_estimation_ros.config import parameters

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')

from rig import CAMERA, Rig, image_message, info_message, rendered
from sensor_msgs.msg import CameraInfo, Image

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')))
CALLS = [
    pytest.param(*call, id=f'{path.name}: {call[0]} {call[2][:30]}')
    for path in DOCUMENTS
    for call in re.findall(
        r'^ {4}ros2 service call /depth_estimation/(\w+) (\S+) "(.*)"$',
        path.read_text(),
        re.MULTILINE,
    )
]
LAUNCHES = {
    (name, argument)
    for path in DOCUMENTS
    for name, arguments in re.findall(
        r'^    ros2 launch depth_estimation_ros (\S+)(.*)$', path.read_text(), re.MULTILINE
    )
    for argument in ['', *re.findall(r' ([\w.]+):=', arguments)]
}

# What an example calls for is not in this room: by service, or method of calibrate_from.
LACKS = {
    'calibrate_scale': 'references agree',
    'marker': 'no marker',
    'ground': 'no transform of frame',
    'depth': 'nothing has arrived on',
    'lidar': 'nothing has arrived on',
}


@pytest.mark.parametrize(('name', 'kind', 'text'), CALLS)
def test_a_service_call_of_the_documents_succeeds(ros, monkeypatch, name, kind, text):
    monkeypatch.setattr('depth_estimation_ros.ros.services._WITHIN', 0.5)
    package, _, service = kind.split('/')
    fields = yaml.safe_load(text)
    camera = fields.get('camera', '')
    rig = Rig(model='bundled', runtime='torch', cameras=[camera])
    try:
        assert rig.node.autostart()
        prefix = f'{camera}/' if camera else ''
        publishers = [
            rig.client.create_publisher(message, f'{prefix}{topic}', 5)
            for message, topic in ((CameraInfo, 'camera_info'), (Image, 'image'))
        ]
        for publisher in publishers:
            rig.until(publisher.get_subscription_count, 'node subscribes')
        image = image_message(rendered()[0].repeat(2, axis=0).repeat(2, axis=1))  # 640x480
        publishers[0].publish(info_message(image, CAMERA.scaled(640, 480)))
        publishers[1].publish(image)
        rig.until(lambda: rig.node.streams[camera].received, 'image arrives')
        kind_of_service = getattr(importlib.import_module(f'{package}.srv'), service)
        fields = {
            key: [float(one) for one in value] if isinstance(value, list) else value
            for key, value in fields.items()
        }
        answer = rig.ask(kind_of_service, name, **fields)
        lacks = LACKS.get(fields.get('method', name), 'nothing')
        assert answer.success or lacks in answer.message, answer.message
    finally:
        rig.close()


@pytest.mark.parametrize(('name', 'argument'), sorted(LAUNCHES))
def test_a_launch_file_of_the_documents_is_there_and_takes_the_argument(name, argument):
    text = (ROOT / 'launch' / name).read_text() + (ROOT / 'launch/depth.launch.py').read_text()
    known = {one.name for one in parameters()} | {''}
    assert argument in known or f"'{argument}': (" in text
