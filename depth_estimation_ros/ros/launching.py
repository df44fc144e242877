# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share; they alone import it, since `launch` is not everywhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, LogInfo
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from depth_estimation_ros.transforms import Transform


def declared(arguments: Mapping[str, tuple[Any, str]]) -> list[DeclareLaunchArgument]:
    """Arguments by name, each with its default (None: it must be given) and its description."""
    return [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in arguments.items()
    ]


def given(context: LaunchContext, names: Iterable[str]) -> dict[str, str]:
    """The values of arguments by their names."""
    return {name: LaunchConfiguration(name).perform(context) for name in names}


def is_true(name: str, text: str) -> bool:
    """Whether an argument is true, by the words that conditions of launch take.

    Raises:
        ValueError: It is neither true nor false.
    """
    if text.lower() not in ('true', '1', 'false', '0'):
        raise ValueError(f'{name}:={text} is neither true nor false')
    return text.lower() in ('true', '1')


def depth(file: str, **arguments: str) -> IncludeLaunchDescription:
    """Include depth.launch.py, which lies beside a launch file, with some arguments set.

    Its other arguments are arguments of that launch file, too, with its defaults where it has any.
    """
    source = PythonLaunchDescriptionSource(str(Path(file).with_name('depth.launch.py')))
    return IncludeLaunchDescription(source, launch_arguments=arguments.items())


def static_transform(base_frame: str, frame_id: str, pose: str) -> Node | LogInfo:
    """Say where the optical frame of a camera lies.

    Args:
        base_frame: Its parent.
        frame_id: Its name.
        pose: `x y z roll pitch yaw` of the camera, as `Transform.optical` takes it.

    Raises:
        ValueError: The pose is none.
    """
    try:
        optical = Transform.optical([float(number) for number in pose.split()])
    except ValueError as error:
        raise ValueError(f'camera_pose:="{pose}": {error}, such as "0.1 0 0.3 0 0.2 0"') from error
    if not installed('tf2_ros'):
        return LogInfo(msg=f'tf2_ros is not installed, no static transform: {install("tf2_ros")}')
    numbers = map(str, [*optical.translation, *optical.rotation])
    flags = ('--x', '--y', '--z', '--qx', '--qy', '--qz', '--qw')
    placed = [text for pair in zip(flags, numbers, strict=True) for text in pair]
    frames = ['--frame-id', base_frame, '--child-frame-id', frame_id]
    program = 'static_transform_publisher'
    return Node(package='tf2_ros', executable=program, arguments=[*placed, *frames])


def rviz_node(config: str, use_sim_time: bool) -> Node | LogInfo:
    """RViz with a configuration file."""
    if not installed('rviz2'):
        return LogInfo(msg=f'rviz2 is not installed, nothing is shown: {install("rviz2")}')
    return Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', config],
        parameters=[{'use_sim_time': use_sim_time}],
    )


def temporary(text: str, suffix: str) -> str:
    """The path of a new file with this text."""
    with tempfile.NamedTemporaryFile('w', suffix=suffix, delete=False) as file:
        file.write(text)
    return file.name


def installed(package: str) -> bool:
    """Whether there is such a ROS package."""
    try:
        get_package_share_directory(package)
    except PackageNotFoundError:
        return False
    return True


def install(*packages: str) -> str:
    """The command that brings ROS packages."""
    distribution = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
    names = (f'ros-{distribution}-{package.replace("_", "-")}' for package in packages)
    return f'sudo apt install {" ".join(names)}'
