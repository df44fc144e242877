# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node. Every parameter is an argument: `model:=meter-nyu-xxs range.max:=5`.

Arguments win over the parameter file, whatever section the file names; what is not given stays as
the file says. The other launch files include this one and take its arguments, too.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from depth_estimation_ros.config import parameters
from depth_estimation_ros.ros import rviz, transport
from depth_estimation_ros.ros.launching import (
    declared,
    given,
    is_true,
    rviz_node,
    static_transform,
    temporary,
)

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
    'base_frame': ('camera_link', "Frame that the camera sits in; RViz' fixed frame."),
    'static_transform': (
        'false',
        'Publish where frame_id lies in base_frame, for a camera that no robot description has.',
    ),
    'frame_id': ('camera_optical_frame', 'Optical frame of the images: x right, y down.'),
    'camera_pose': (
        '0 0 0 0 0 0',
        'Where static_transform places the camera in base_frame: x y z (m) roll pitch yaw (rad).',
    ),
    'rviz': ('false', 'Show image, depth, cloud and frames in RViz.'),
    'rviz_config': ('', 'RViz configuration; empty: the one of this package, for these topics.'),
}


def generate_launch_description() -> LaunchDescription:
    """Arguments, environment, node, transform, RViz."""
    tunables = [
        DeclareLaunchArgument(
            one.name, default_value='', description=f'{one.help} Not given: as params_file says.'
        )
        for one in parameters()
    ]
    when = {name: IfCondition(LaunchConfiguration(name)) for name in ('static_transform', 'rviz')}
    return LaunchDescription(
        [
            *declared(ARGUMENTS),
            *tunables,
            OpaqueFunction(function=_environment),
            OpaqueFunction(function=_node),
            OpaqueFunction(function=_transform, condition=when['static_transform']),
            OpaqueFunction(function=_rviz, condition=when['rviz']),
        ]
    )


def _environment(context: LaunchContext) -> list[SetEnvironmentVariable]:
    profile = LaunchConfiguration('fastdds_profile').perform(context)
    if not profile:
        return [SetEnvironmentVariable(transport.SWITCH, 'system')]
    wanted = {**transport.missing(os.environ), transport.profile_variable(os.environ): profile}
    return [SetEnvironmentVariable(name, value) for name, value in wanted.items()]


def _node(context: LaunchContext) -> list[Node]:
    values = given(context, ARGUMENTS)
    return [
        Node(
            package='depth_estimation_ros',
            executable='depth_node',
            name=values['name'],
            namespace=values['namespace'],
            output='screen',
            emulate_tty=True,
            parameters=[values['params_file'], _overrides(context, values['params_file'])],
            remappings=_remappings(values),
            ros_arguments=['--log-level', values['log_level']],
        )
    ]


def _remappings(values: dict[str, str]) -> list[tuple[str, str]]:
    """Those that are given by hand come first and win."""
    rules = [rule.partition(':=')[::2] for rule in shlex.split(values['remap'])]
    return [
        *rules,
        ('image', values['image']),
        ('image/compressed', f'{values["image"]}/compressed'),
        ('camera_info', values['camera_info']),
        ('reference/depth', values['reference_depth']),
        ('reference/points', values['reference_points']),
    ]


def _overrides(context: LaunchContext, params_file: str) -> str:
    """A parameter file of the arguments that were given, under every section of `params_file`.

    A section that names the node beats `/**`, also one in a later file; so the arguments stand
    under each of them.
    """
    texts = given(context, ['use_sim_time', *(one.name for one in parameters())])
    strings = {one.name for one in parameters() if isinstance(one.default, str)}
    values = {  # the text of reference.options is a mapping, which must stay a text
        name: text if name in strings else yaml.safe_load(text)
        for name, text in texts.items()
        if text
    }
    with open(params_file, encoding='utf-8') as file:  # noqa: PTH123
        sections = _with_values(yaml.safe_load(file) or {}, values)
    sections.setdefault('/**', {'ros__parameters': values})
    return temporary(json.dumps(sections), '.yaml')  # without aliases, which rcl does not read


def _with_values(sections: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    if 'ros__parameters' in sections:
        return {'ros__parameters': values}
    return {name: _with_values(section, values) for name, section in sections.items()}


def _in_force(context: LaunchContext, params_file: str, name: str) -> Any:
    """A parameter as given, else of the first section of the file that has it; None: of none."""
    if text := LaunchConfiguration(name).perform(context):
        return yaml.safe_load(text)
    with open(params_file, encoding='utf-8') as file:  # noqa: PTH123
        waiting = [yaml.safe_load(file) or {}]
    for section in waiting:
        if name in section.get('ros__parameters', {}):
            return section['ros__parameters'][name]
        waiting += [one for one in section.values() if isinstance(one, dict)]
    return None


def _transform(context: LaunchContext) -> list[Node | LogInfo]:
    values = given(context, ARGUMENTS)
    return [static_transform(values['base_frame'], values['frame_id'], values['camera_pose'])]


def _rviz(context: LaunchContext) -> list[Node | LogInfo]:
    values = given(context, ARGUMENTS)

    def in_force(name: str) -> Any:
        return _in_force(context, values['params_file'], name)

    config = values['rviz_config']
    if not config:
        template = Path(__file__).resolve().parents[1] / 'config' / 'depth.rviz'
        topics = rviz.Topics(values['namespace'], values['name'], _remappings(values))
        config = rviz.configuration(
            template.read_text(encoding='utf-8'),
            in_force('cameras') or [''],
            topics,
            values['base_frame'],
            compressed=in_force('image_transport') == 'compressed',
        )
        config = temporary(config, '.rviz')
    sim_time = in_force('use_sim_time')
    return [rviz_node(config, use_sim_time=is_true('use_sim_time', str(sim_time or False)))]
