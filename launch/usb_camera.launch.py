# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A USB camera, the node and RViz. Every argument of depth.launch.py is an argument here, too.

The camera's driver is v4l2_camera or usb_cam, whichever is installed. A static transform places
the optical frame (x right, y down, z forward) in `camera_link` (x forward, y left, z up), which is
RViz' fixed frame.
"""

import os
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

ARGUMENTS = {
    'driver': (
        'auto',
        'v4l2_camera, usb_cam, or auto for the one that is installed.',
    ),
    'video_device': ('/dev/video0', 'The camera.'),
    'width': ('640', 'Width of the images, pixels.'),
    'height': ('480', 'Height of the images, pixels.'),
    'frame_rate': ('30.0', 'Images per second; v4l2_camera takes what the camera gives.'),
    'camera_info_url': ('', 'Calibration of the lens, such as file:///home/me/camera.yaml.'),
    'frame_id': ('camera_optical_frame', 'Frame of the images.'),
    'base_frame': ('camera_link', "Frame that the camera sits in; RViz' fixed frame."),
    'rviz': ('true', 'Show image, depth and cloud in RViz.'),
    'rviz_config': ('', 'RViz configuration; empty: the one of this package.'),
}
DRIVERS = ('v4l2_camera', 'usb_cam')


def generate_launch_description() -> LaunchDescription:
    """Camera, transform, node, RViz; they see the environment that depth.launch.py sets."""
    share = Path(__file__).resolve().parents[1]
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / 'launch' / 'depth.launch.py')),
        launch_arguments={'image': 'image_raw', 'camera_info': 'camera_info'}.items(),
    )
    return LaunchDescription(
        [
            *declared,
            depth,
            OpaqueFunction(function=_camera),
            _transform(),
            OpaqueFunction(
                function=_rviz, args=[share], condition=IfCondition(LaunchConfiguration('rviz'))
            ),
        ]
    )


def _installed(package: str) -> bool:
    try:
        get_package_share_directory(package)
    except PackageNotFoundError:
        return False
    return True


def _chosen(driver: str) -> str:
    for name in DRIVERS if driver == 'auto' else (driver,):
        if name in DRIVERS and _installed(name):
            return name
    distribution = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
    raise RuntimeError(
        f'no camera driver: {" or ".join(DRIVERS) if driver == "auto" else driver} is not '
        f'installed; sudo apt install ros-{distribution}-v4l2-camera (or ros-{distribution}-'
        'usb-cam), or start the driver you have and depth.launch.py image:=/its/topic'
    )


def _camera(context: LaunchContext) -> list[Node]:
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    driver = _chosen(given['driver'])
    executable, parameters = (
        ('v4l2_camera_node', _v4l2_camera(given))
        if driver == 'v4l2_camera'
        else ('usb_cam_node_exe', _usb_cam(given))
    )
    return [
        Node(
            package=driver,
            executable=executable,
            namespace=LaunchConfiguration('namespace'),
            parameters=[parameters],
            output='screen',
        )
    ]


def _v4l2_camera(given: dict[str, str]) -> dict[str, Any]:
    return {
        'video_device': given['video_device'],
        'image_size': [int(given['width']), int(given['height'])],
        'camera_info_url': given['camera_info_url'],
        'camera_frame_id': given['frame_id'],
    }


def _usb_cam(given: dict[str, str]) -> dict[str, Any]:
    return {
        'video_device': given['video_device'],
        'image_width': int(given['width']),
        'image_height': int(given['height']),
        'framerate': float(given['frame_rate']),
        'camera_info_url': given['camera_info_url'],
        'frame_id': given['frame_id'],
    }


def _transform() -> Node:
    """From a frame with x forward to the optical frame (REP 103)."""
    return Node(
        package='tf2_ros',
        executable='static_transform_publisher',
        arguments=[
            *('--roll', '-1.5707963', '--pitch', '0', '--yaw', '-1.5707963'),
            *('--frame-id', LaunchConfiguration('base_frame')),
            *('--child-frame-id', LaunchConfiguration('frame_id')),
        ],
    )


def _rviz(context: LaunchContext, share: Path) -> list[Node | LogInfo]:
    if not _installed('rviz2'):
        return [LogInfo(msg='rviz2 is not installed: nothing is shown')]
    config = LaunchConfiguration('rviz_config').perform(context) or share / 'config' / 'depth.rviz'
    frame = LaunchConfiguration('base_frame').perform(context)
    return [Node(package='rviz2', executable='rviz2', arguments=['-d', str(config), '-f', frame])]
