# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bag, the node on the bag's time, and RViz. Every argument of depth.launch.py is one here, too.

Topics and frame of the camera are found in the bag, as `depth-estimation bag` finds them. Without
/tf in the bag a static transform places the camera.
"""

import shlex
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    SetLaunchConfiguration,
    TimerAction,
)
from launch.substitutions import LaunchConfiguration

from depth_estimation_ros.bag import open_bag
from depth_estimation_ros.bag.cameras import find_cameras
from depth_estimation_ros.ros.launching import declared, depth, given, install, installed, is_true

ARGUMENTS = {
    'bag': (None, 'Folder or file of the bag.'),
    'rate': ('1.0', 'How much faster than it was recorded.'),
    'loop': ('false', 'Begin again at its end, without end.'),
    'start': ('0.0', 'Seconds from its beginning to leave out.'),
    'delay': ('5.0', 'Seconds until it is played, in which the node loads its network.'),
    'clock': ('100', 'Messages per second on /clock.'),
    'play': ('', 'More for ros2 bag play, such as "--start-paused --topics /a /b".'),
    'image': ('', 'Topic of the images; empty: the only one in the bag.'),
    'camera_info': ('', 'Topic of the intrinsics; empty: the one beside the images.'),
    'base_frame': ('', "RViz' fixed frame; empty: camera_link, or frame_id where /tf is."),
    'frame_id': ('', 'Optical frame of the images; empty: as the bag says.'),
    'static_transform': ('', 'Publish where frame_id lies in base_frame; empty: if no /tf does.'),
    'use_sim_time': ('true', 'Take the time from /clock.'),
    'rviz': ('true', 'Show image, depth, cloud and frames in RViz.'),
}


def generate_launch_description() -> LaunchDescription:
    """What the bag tells, node, transform and RViz, then the player."""
    return LaunchDescription(
        [
            *declared(ARGUMENTS),
            OpaqueFunction(function=_found),
            depth(__file__),
            TimerAction(
                period=LaunchConfiguration('delay'), actions=[OpaqueFunction(function=_player)]
            ),
        ]
    )


def _found(context: LaunchContext) -> list[LogInfo | SetLaunchConfiguration]:
    """Set what was not given by what the bag tells."""
    if not installed('ros2bag'):
        wanted = install('ros2bag', 'rosbag2_storage_mcap')
        raise RuntimeError(f'ros2bag is not installed, nothing would play the bag: {wanted}')
    values = given(context, ARGUMENTS)
    if Path(values['bag']).suffix == '.bag':
        raise ValueError(
            f'{values["bag"]} is of ROS 1: rosbags-convert --src {values["bag"]} '
            '--dst FOLDER makes one of ROS 2'
        )
    named = [[values[name]] if values[name] else [] for name in ('image', 'camera_info')]
    notes: list[str] = []
    with open_bag(Path(values['bag'])) as source:
        try:
            (camera,) = find_cameras(source, *named, say=notes.append)
        except ValueError as error:
            raise ValueError(f'{error} (here: image:=TOPIC camera_info:=TOPIC)') from error
        first = next(source.messages([camera.image]), None)
        frame = source.decode(first).header.frame_id if first is not None else ''
        moves = '/tf' in source.topics or '/tf_static' in source.topics
    remap = LaunchConfiguration('remap', default='').perform(context)
    found = {
        'image': camera.image,
        'camera_info': camera.info or 'camera_info',
        'frame_id': frame,
        'base_frame': frame if moves else 'camera_link',
        'static_transform': 'false' if moves else 'true',
    }
    if camera.compressed:
        found['image_transport'] = 'compressed'
        found['remap'] = f'{remap} image/compressed:={camera.image}'.strip()
    notes.append(', '.join(f'{name}:={value}' for name, value in found.items()))
    return [
        *(LogInfo(msg=f'{values["bag"]}: {note}') for note in notes),
        *(SetLaunchConfiguration(*one) for one in found.items() if not values.get(one[0])),
    ]


def _player(context: LaunchContext) -> list[ExecuteProcess]:
    values = given(context, ARGUMENTS)
    command = ['ros2', 'bag', 'play', values['bag'], '--clock', values['clock']]
    command += ['--rate', values['rate'], '--start-offset', values['start']]
    command += ['--loop'] if is_true('loop', values['loop']) else []
    command += ['--disable-keyboard-controls', *shlex.split(values['play'])]
    return [ExecuteProcess(cmd=command, output='screen')]
