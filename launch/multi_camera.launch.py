# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One node for several cameras, whose drivers run already: `cameras:="[front, rear]"`.

Every argument of depth.launch.py is an argument here, too. A camera whose topics follow no pattern
is remapped by hand: `remap:="front/image:=/cam0/image_rect"`.
"""

import copy
import shlex
import tempfile
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

ARGUMENTS = {
    'cameras': ('[front, rear]', 'Names of the cameras, each the namespace of its topics.'),
    'images': ('/{camera}/image_raw', 'Topic of the images of each camera, by its name.'),
    'camera_infos': ('/{camera}/camera_info', 'Topic of the intrinsics of each, by its name.'),
    'rviz': ('false', 'Show images, depth and clouds in RViz.'),
    'base_frame': ('base_link', "Frame that the cameras sit in; RViz' fixed frame."),
}


def generate_launch_description() -> LaunchDescription:
    """Arguments, remappings of each camera, node, RViz."""
    share = Path(__file__).resolve().parents[1]
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    depth = PythonLaunchDescriptionSource(str(share / 'launch' / 'depth.launch.py'))
    single = {'image': 'image', 'camera_info': 'camera_info'}  # topics that nobody uses here
    return LaunchDescription(
        [
            *declared,
            OpaqueFunction(function=_remap),
            IncludeLaunchDescription(depth, launch_arguments=single.items()),
            OpaqueFunction(
                function=_rviz, args=[share], condition=IfCondition(LaunchConfiguration('rviz'))
            ),
        ]
    )


def _remap(context: LaunchContext) -> list[SetLaunchConfiguration]:
    """Add the topics of each camera to the remappings; those given by hand come first and win."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    rules = shlex.split(LaunchConfiguration('remap', default='').perform(context))
    for camera in yaml.safe_load(given['cameras']):
        image = given['images'].format(camera=camera)
        rules += [
            f'{camera}/image:={image}',
            f'{camera}/image/compressed:={image}/compressed',
            f'{camera}/camera_info:={given["camera_infos"].format(camera=camera)}',
        ]
    return [SetLaunchConfiguration('remap', shlex.join(rules))]


def _rviz(context: LaunchContext, share: Path) -> list[Node | LogInfo]:
    try:
        get_package_share_directory('rviz2')
    except PackageNotFoundError:
        return [LogInfo(msg='rviz2 is not installed: nothing is shown')]
    given = {
        name: LaunchConfiguration(name).perform(context)
        for name in ('cameras', 'images', 'base_frame', 'namespace', 'name')
    }
    config = yaml.safe_load((share / 'config' / 'depth.rviz').read_text(encoding='utf-8'))
    manager = config['Visualization Manager']
    manager['Displays'] = _displays(manager['Displays'], given)
    with tempfile.NamedTemporaryFile('w', suffix='.rviz', delete=False) as file:
        yaml.safe_dump(config, file)
    arguments = ['-d', file.name, '-f', given['base_frame']]
    return [Node(package='rviz2', executable='rviz2', arguments=arguments)]


def _displays(displays: list[dict[str, Any]], given: dict[str, str]) -> list[dict[str, Any]]:
    """Those that show a topic once for each camera, the others as they are."""
    node = '/'.join(['', *filter(None, [given['namespace'].strip('/')]), given['name']])
    made = [one for one in displays if 'Topic' not in one]
    for camera in yaml.safe_load(given['cameras']):
        for display in (copy.deepcopy(one) for one in displays if 'Topic' in one):
            topic = display['Topic']
            display['Name'] = f'{camera}: {display["Name"]}'
            topic['Value'] = (
                given['images'].format(camera=camera)
                if topic['Value'] == '/image_raw'
                else topic['Value'].replace('/depth_estimation', f'{node}/{camera}', 1)
            )
            made.append(display)
    return made
