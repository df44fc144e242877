# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node alone. Every parameter is an argument: `model:=meter-nyu-xxs range.max:=5`.

Arguments win over the parameter file, whatever section the file names; what is not given stays as
the file says.
"""

import json
import os
import shlex
import tempfile
from typing import Any

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from depth_estimation_ros.config import parameters
from depth_estimation_ros.ros import transport

ARGUMENTS = {
    'name': ('depth_estimation', 'Name of the node; its topics and services lie under it.'),
    'namespace': ('', 'Namespace of the node.'),
    'image': ('image', 'Topic of the images, sensor_msgs/Image; compressed ones lie below it.'),
    'camera_info': ('camera_info', 'Topic of the intrinsics, sensor_msgs/CameraInfo.'),
    'reference_depth': (
        'reference/depth',
        'Topic of a depth camera to calibrate against, its image registered to the camera.',
    ),
    'reference_points': ('reference/points', 'Topic of a lidar to calibrate against.'),
    'remap': (
        '',
        'More remappings, separated by spaces: "~/points:=/cloud ~/status:=/state".',
    ),
    'params_file': (
        [FindPackageShare('depth_estimation_ros'), '/config/depth.yaml'],
        'YAML file of parameters.',
    ),
    'use_sim_time': ('', 'Take the time from /clock, as when a bag is played.'),
    'log_level': ('info', 'debug, info, warn, error or fatal.'),
    'fastdds_profile': (
        str(transport.profile_path()),
        'Fast DDS profile; empty leaves middleware and malloc as they are.',
    ),
}


def generate_launch_description() -> LaunchDescription:
    """Arguments, environment, node."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    declared += [
        DeclareLaunchArgument(
            one.name, default_value='', description=f'{one.help} Not given: as params_file says.'
        )
        for one in parameters()
    ]
    return LaunchDescription(
        [*declared, OpaqueFunction(function=_environment), OpaqueFunction(function=_node)]
    )


def _environment(context: LaunchContext) -> list[SetEnvironmentVariable]:
    profile = LaunchConfiguration('fastdds_profile').perform(context)
    if not profile:
        return [SetEnvironmentVariable(transport.SWITCH, 'system')]
    wanted = {**transport.missing(os.environ), transport.profile_variable(os.environ): profile}
    return [SetEnvironmentVariable(name, value) for name, value in wanted.items()]


def _node(context: LaunchContext) -> list[Node]:
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    remappings = [tuple(rule.split(':=', 1)) for rule in shlex.split(given['remap'])]
    remappings += [
        ('image', given['image']),
        ('image/compressed', f'{given["image"]}/compressed'),
        ('camera_info', given['camera_info']),
        ('reference/depth', given['reference_depth']),
        ('reference/points', given['reference_points']),
    ]
    return [
        Node(
            package='depth_estimation_ros',
            executable='depth_node',
            name=given['name'],
            namespace=given['namespace'],
            output='screen',
            emulate_tty=True,
            parameters=[given['params_file'], _overrides(context, given['params_file'])],
            remappings=remappings,
            ros_arguments=['--log-level', given['log_level']],
        )
    ]


def _overrides(context: LaunchContext, params_file: str) -> str:
    """A parameter file of the arguments that were given, under every section of `params_file`.

    A section that names the node beats `/**`, also one in a later file; so the arguments stand
    under each of them.
    """
    names = ['use_sim_time', *(one.name for one in parameters())]
    texts = {name: LaunchConfiguration(name).perform(context) for name in names}
    values = {name: yaml.safe_load(text) for name, text in texts.items() if text}
    with open(params_file, encoding='utf-8') as file:  # noqa: PTH123
        sections = _with_values(yaml.safe_load(file) or {}, values)
    sections.setdefault('/**', {'ros__parameters': values})
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        json.dump(sections, file)  # YAML without aliases, which rcl does not read
    return file.name


def _with_values(sections: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    if 'ros__parameters' in sections:
        return {'ros__parameters': values}
    return {name: _with_values(section, values) for name, section in sections.items()}
