# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A USB camera, the node and RViz. Every argument of depth.launch.py is an argument here, too.

The camera's driver is v4l2_camera or usb_cam, whichever is installed, or else the camera_publisher
of this package, which plays video files and streams as well. A static transform places the optical
frame (x right, y down, z forward) in `camera_link` (x forward, y left, z up).
"""

from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from depth_estimation_ros.ros.launching import declared, depth, given, install, installed, is_true

ARGUMENTS = {
    'driver': (
        'auto',
        'v4l2_camera, usb_cam, camera_publisher, or auto: the first of them that is installed.',
    ),
    'video_device': ('/dev/video0', 'The camera; for camera_publisher also a video file or URL.'),
    'loop': ('true', 'Begin a video file again at its end.'),
    'width': ('640', 'Width of the images, pixels.'),
    'height': ('480', 'Height of the images, pixels.'),
    'frame_rate': ('', 'Images per second; empty, and for v4l2_camera: as the camera gives.'),
    'camera_info_url': ('', 'Calibration of the lens, such as file:///home/me/camera.yaml.'),
    'frame_id': ('camera_optical_frame', 'Frame of the images.'),
    'static_transform': ('true', 'Publish where frame_id lies in base_frame.'),
    'rviz': ('true', 'Show image, depth, cloud and frames in RViz.'),
}


def generate_launch_description() -> LaunchDescription:
    """Node, transform and RViz, then the camera, which sees the environment that the node has."""
    return LaunchDescription(
        [
            *declared(ARGUMENTS),
            depth(__file__, image='image_raw', camera_info='camera_info'),
            OpaqueFunction(function=_camera),
        ]
    )


def _camera(context: LaunchContext) -> list[Node]:
    values = given(context, ARGUMENTS)
    driver = _chosen(values['driver'], values['video_device'])
    package, executable, how = {
        'v4l2_camera': ('v4l2_camera', 'v4l2_camera_node', {'parameters': [_v4l2_camera(values)]}),
        'usb_cam': ('usb_cam', 'usb_cam_node_exe', {'parameters': [_usb_cam(values)]}),
        'camera_publisher': ('depth_estimation_ros', driver, {'arguments': _publisher(values)}),
    }[driver]
    namespace = LaunchConfiguration('namespace')
    return [
        Node(package=package, executable=executable, namespace=namespace, output='screen', **how)
    ]


def _chosen(driver: str, device: str) -> str:
    drivers = ('v4l2_camera', 'usb_cam')
    if driver == 'auto':
        camera = '://' not in device and not Path(device).is_file()
        there = [name for name in drivers if camera and installed(name)]
        return [*there, 'camera_publisher'][0]
    if driver in drivers and not installed(driver):
        raise RuntimeError(f'driver:={driver} is not installed: {install(driver)}')
    if driver not in (*drivers, 'camera_publisher'):
        raise RuntimeError(f'driver:={driver} is none of {", ".join(drivers)}, camera_publisher')
    return driver


def _v4l2_camera(values: dict[str, str]) -> dict[str, Any]:
    return {
        'video_device': values['video_device'],
        'image_size': [int(values['width']), int(values['height'])],
        'camera_info_url': values['camera_info_url'],
        'camera_frame_id': values['frame_id'],
    }


def _usb_cam(values: dict[str, str]) -> dict[str, Any]:
    return {
        'video_device': values['video_device'],
        'image_width': int(values['width']),
        'image_height': int(values['height']),
        'framerate': float(values['frame_rate'] or 30.0),
        'camera_info_url': values['camera_info_url'],
        'frame_id': values['frame_id'],
    }


def _publisher(values: dict[str, str]) -> list[str]:
    calibration = values['camera_info_url'].removeprefix('file://')
    return [
        *('--device', values['video_device'], '--frame-id', values['frame_id']),
        *('--size', f'{values["width"]}x{values["height"]}'),
        *(['--rate', values['frame_rate']] if values['frame_rate'] else []),
        *(['--camera', calibration] if calibration else []),
        *(['--loop'] if is_true('loop', values['loop']) else []),
    ]
