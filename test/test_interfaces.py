# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages and services that were built are those of the contract, field by field."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs a ROS 2 installation')
interfaces = pytest.importorskip(
    'depth_estimation_interfaces.srv', reason='needs depth_estimation_interfaces to be built'
)
from depth_estimation_interfaces.msg import DepthStatus  # noqa: E402

CALIBRATED = {
    'success': 'boolean',
    'message': 'string',
    'scale': 'double',
    'shift': 'double',
    'rms_relative_error': 'double',
    'inliers': 'uint32',
    'references': 'uint32',
}
CONTRACT = {
    DepthStatus: {
        'header': 'std_msgs/Header',
        'model': 'string',
        'depth_kind': 'string',
        'runtime': 'string',
        'device': 'string',
        'network_width': 'uint32',
        'network_height': 'uint32',
        'licence': 'string',
        'cameras': 'sequence<string>',
        'calibrated': 'sequence<boolean>',
        'scale': 'sequence<double>',
        'shift': 'sequence<double>',
        'rms_relative_error': 'sequence<double>',
        'calibrated_at': 'sequence<builtin_interfaces/Time>',
        'hint': 'string',
    },
    interfaces.GetDistance.Request: {
        'camera': 'string',
        'u': 'sequence<float>',
        'v': 'sequence<float>',
        'window': 'uint8',
        'stamp': 'builtin_interfaces/Time',
    },
    interfaces.GetDistance.Response: {
        'success': 'boolean',
        'message': 'string',
        'header': 'std_msgs/Header',
        'depth': 'sequence<double>',
        'distance': 'sequence<double>',
        'std_dev': 'sequence<double>',
        'points': 'sequence<geometry_msgs/Point>',
        'status': 'sequence<uint8>',
    },
    interfaces.CalibrateScale.Request: {
        'camera': 'string',
        'u': 'sequence<float>',
        'v': 'sequence<float>',
        'distance': 'sequence<double>',
        'along_ray': 'boolean',
        'shift': 'boolean',
        'save': 'boolean',
        'stamp': 'builtin_interfaces/Time',
    },
    interfaces.CalibrateScale.Response: CALIBRATED,
    interfaces.CalibrateFrom.Request: {
        'camera': 'string',
        'method': 'string',
        'value': 'double',
        'options': 'string',
        'save': 'boolean',
    },
    interfaces.CalibrateFrom.Response: CALIBRATED,
    interfaces.SetModel.Request: {'model': 'string', 'preset': 'string', 'runtime': 'string'},
    interfaces.SetModel.Response: {
        'success': 'boolean',
        'message': 'string',
        'status': 'depth_estimation_interfaces/DepthStatus',
    },
}


@pytest.mark.parametrize('kind', CONTRACT, ids=lambda kind: kind.__name__)
def test_fields(kind):
    assert kind().get_fields_and_field_types() == CONTRACT[kind]


def test_status_of_a_pixel():
    names = ('OK', 'OUTSIDE_IMAGE', 'INVALID', 'TOO_NEAR', 'TOO_FAR')
    assert [getattr(interfaces.GetDistance.Response, name) for name in names] == [0, 1, 2, 3, 4]
