# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One node for several cameras, whose drivers run already: `cameras:="[front, rear]"`.

Every argument of depth.launch.py is an argument here, too. A camera whose topics follow no pattern
is remapped by hand: `remap:="front/image:=/cam0/image_rect"`.
"""

import shlex

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction, SetLaunchConfiguration
from launch.substitutions import LaunchConfiguration

from depth_estimation_ros.ros.launching import declared, depth, given, is_true

ARGUMENTS = {
    'cameras': ('[front, rear]', 'Names of the cameras, each the namespace of its topics.'),
    'images': ('/{camera}/image_raw', 'Topic of the images of each camera, by its name.'),
    'camera_infos': ('/{camera}/camera_info', 'Topic of the intrinsics of each, by its name.'),
    'base_frame': ('base_link', "Frame that the cameras sit in; RViz' fixed frame."),
}


def generate_launch_description() -> LaunchDescription:
    """Arguments, remappings of each camera, node, RViz."""
    single = {'image': 'image', 'camera_info': 'camera_info'}  # topics that nobody uses here
    return LaunchDescription(
        [*declared(ARGUMENTS), OpaqueFunction(function=_remap), depth(__file__, **single)]
    )


def _remap(context: LaunchContext) -> list[SetLaunchConfiguration]:
    """Add the topics of each camera to the remappings; those given by hand come first and win."""
    values = given(context, ARGUMENTS)
    placed = LaunchConfiguration('static_transform', default='false').perform(context)
    if is_true('static_transform', placed):
        raise ValueError(
            'static_transform places one camera, not several: describe the robot (URDF), or run '
            'static_transform_publisher for each'
        )
    rules = shlex.split(LaunchConfiguration('remap', default='').perform(context))
    for camera in _names(values['cameras']):
        image = _topic(values['images'], camera)
        rules += [
            f'{camera}/image:={image}',
            f'{camera}/image/compressed:={image}/compressed',
            f'{camera}/camera_info:={_topic(values["camera_infos"], camera)}',
        ]
    return [SetLaunchConfiguration('remap', shlex.join(rules))]


def _names(text: str) -> list[str]:
    names = yaml.safe_load(text)
    if not (isinstance(names, list) and names and all(isinstance(one, str) for one in names)):
        raise ValueError(f'cameras:={text} is no list of names, which is such as "[front, rear]"')
    return names


def _topic(pattern: str, camera: str) -> str:
    if '{camera}' not in pattern:
        raise ValueError(f'{pattern} would be the topic of every camera: write {{camera}} in it')
    return pattern.replace('{camera}', camera)
