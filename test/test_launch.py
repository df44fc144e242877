# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Launch files and RViz configuration; with `launch` installed they are built and run for real.

`launch` is not among the wheels that bring ROS 2 to other machines. Without it the files are
compiled, read, and those functions of them are called that do not need it. To run everything:
source a ROS 2 installation, or put launch, launch_ros and ros2cli on PATH and PYTHONPATH.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from depth_estimation_ros.config import parameters
from depth_estimation_ros.ros.rviz import Topics, configuration

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
DEPTH, MULTI, ROSBAG, USB = (
    ROOT / 'launch' / f'{name}.launch.py'
    for name in ('depth', 'multi_camera', 'rosbag', 'usb_camera')
)
PARAMS = str(ROOT / 'config' / 'depth.yaml')
by_name = pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)


def _function(path: Path, name: str, **scope: Any):
    """A function of a launch file that needs no more than the scope, without importing it."""
    wanted = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    names = {'Any': object, 'Path': Path, 'yaml': yaml, **scope}
    exec(compile(ast.Module(wanted, []), str(path), 'exec'), names)  # noqa: S102
    return names[name]


@by_name
def test_every_argument_is_described_and_used(path):
    text = path.read_text()
    table = next(
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS'
    )
    elsewhere = DEPTH.read_text() if path != DEPTH else ''
    for key, value in zip(table.keys, table.values, strict=True):
        description = value.elts[1].value
        assert description.endswith('.'), key.value
        used = rf"(?:values\[|LaunchConfiguration\(|when\[)['\"]{key.value}['\"]"
        handed_on = f"'{key.value}': (" in elsewhere or f"'{key.value}', *(one.name" in text
        assert re.search(used, text) or handed_on, f'{key.value} is declared and has no effect'


def test_arguments_win_under_every_section():
    with_values = _function(DEPTH, '_with_values')
    given = {'model': 'mine'}
    sections = {
        '/**': {'ros__parameters': {'model': 'one', 'device': 'cpu'}},
        'front': {'depth_estimation': {'ros__parameters': {'model': 'two'}}},
    }
    assert with_values(sections, given) == {
        '/**': {'ros__parameters': given},
        'front': {'depth_estimation': {'ros__parameters': given}},
    }


@pytest.mark.parametrize(
    ('driver', 'device', 'there', 'chosen'),
    [
        ('auto', '/dev/video0', {'v4l2_camera', 'usb_cam'}, 'v4l2_camera'),
        ('auto', '/dev/video0', {'usb_cam'}, 'usb_cam'),
        ('auto', '/dev/video0', set(), 'camera_publisher'),
        ('auto', __file__, {'usb_cam'}, 'camera_publisher'),
        ('auto', 'rtsp://camera/stream', {'usb_cam'}, 'camera_publisher'),
        ('usb_cam', '/dev/video0', {'v4l2_camera', 'usb_cam'}, 'usb_cam'),
        ('usb_cam', '/dev/video0', set(), 'is not installed: apt install usb_cam'),
        ('other', '/dev/video0', set(), 'is none of v4l2_camera, usb_cam, camera_publisher'),
    ],
)
def test_the_driver_is_the_one_that_is_installed_and_can_open_it(driver, device, there, chosen):
    scope = {'installed': there.__contains__, 'install': 'apt install {}'.format}
    choose = _function(USB, '_chosen', **scope)
    if ' ' in chosen:
        with pytest.raises(RuntimeError, match=chosen):
            choose(driver, device)
    else:
        assert choose(driver, device) == chosen


@pytest.mark.parametrize('text', ['front', '[]', '[1, 2]', '{front: 1}', '""'])
def test_cameras_that_are_no_list_of_names_are_refused(text):
    with pytest.raises(ValueError, match=re.escape(f'cameras:={text} is no list of names')):
        _function(MULTI, '_names')(text)


def test_a_pattern_without_the_cameras_name_is_refused():
    topic = _function(MULTI, '_topic')
    assert topic('/cams/{camera}/rgb', 'front') == '/cams/front/rgb'
    with pytest.raises(ValueError, match='/image_raw would be the topic of every camera'):
        topic('/image_raw', 'front')


TEMPLATE = (ROOT / 'config' / 'depth.rviz').read_text()


def shown(text: str) -> dict[str, dict[str, Any]]:
    """The displays of an RViz configuration that have a topic, by it."""
    displays = yaml.safe_load(text)['Visualization Manager']['Displays']
    return {one['Topic']['Value']: one for one in displays if 'Topic' in one}


def test_rviz_shows_what_is_published():
    displays = shown(TEMPLATE)
    policies = {
        topic: (
            one['Class'].partition('/')[2],
            one['Topic']['Reliability Policy'],
            one['Topic']['Durability Policy'],
        )
        for topic, one in displays.items()
    }
    assert policies == {
        # A reliable subscription needs a reliable publisher, and driver and bag may be none.
        '/image_raw': ('Image', 'Best Effort', 'Volatile'),
        '/depth_estimation/colorized/image': ('Image', 'Reliable', 'Volatile'),
        '/depth_estimation/points': ('PointCloud2', 'Reliable', 'Volatile'),
    }
    every = yaml.safe_load(TEMPLATE)['Visualization Manager']['Displays']
    assert 'rviz_default_plugins/TF' in {one['Class'] for one in every}


def test_rviz_shows_the_topics_and_the_frame_at_hand():
    made = configuration(TEMPLATE, [''], Topics('', 'depth_estimation'), 'camera_link')
    assert list(shown(made)) == ['/image', *list(shown(TEMPLATE))[1:]]
    rules = [('~/points', '/cloud'), ('image/compressed', '/bag/image'), ('image', '/raw')]
    made = configuration(TEMPLATE, [''], Topics('robot/', 'eye', rules), 'map', compressed=True)
    assert list(shown(made)) == ['/bag/image', '/robot/eye/colorized/image', '/cloud']
    options = yaml.safe_load(made)['Visualization Manager']['Global Options']
    assert options['Fixed Frame'] == 'map'


def test_rviz_shows_every_camera():
    topics = Topics('robot', 'eye', [('rear/image', '/odd'), ('front/image', 'front/rgb')])
    made = configuration(TEMPLATE, ['front', 'rear'], topics, 'base_link')
    assert {topic: one['Name'] for topic, one in shown(made).items()} == {
        '/robot/front/rgb': 'front: Camera image',
        '/robot/eye/front/colorized/image': 'front: Depth',
        '/robot/eye/front/points': 'front: Points',
        '/odd': 'rear: Camera image',
        '/robot/eye/rear/colorized/image': 'rear: Depth',
        '/robot/eye/rear/points': 'rear: Points',
    }
    with pytest.raises(ValueError, match='cannot show /other'):
        configuration(TEMPLATE.replace('/image_raw', '/other'), [''], topics, 'map')


@pytest.fixture
def built():
    """Performs a launch file with arguments: the processes that it would start."""
    pytest.importorskip('launch_ros', reason='launch is not installed (it is not on PyPI)')
    from launch import LaunchContext
    from launch.actions import ExecuteProcess, LogInfo, TimerAction
    from launch.substitutions import LaunchConfiguration, TextSubstitution

    def collect(entity, context):
        if isinstance(entity, ExecuteProcess):
            return [entity]
        if isinstance(entity, TimerAction):
            return [one for action in entity.actions for one in collect(action, context)]
        return [one for more in entity.visit(context) or [] for one in collect(more, context)]

    def command(process, context) -> list[str]:
        """Its words, but for those that are known only when it is started."""
        if hasattr(process, '_perform_substitutions'):
            process._perform_substitutions(context)
        return [
            part.perform(context)
            for word in process.cmd
            for part in word
            if isinstance(part, (TextSubstitution, LaunchConfiguration))
        ]

    def build(path: Path, **arguments: str):
        spec = importlib.util.spec_from_file_location(path.stem.replace('.', '_'), path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        description = module.generate_launch_description()
        build.context, build.description = context, description
        said: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LogInfo, 'execute', lambda self, c: said.append(_text(self.msg, c)))
            processes = collect(description, context)
        return [command(one, context) for one in processes], said

    def _text(parts, context) -> str:
        return ''.join(part.perform(context) for part in parts)

    before = dict(os.environ)  # launch sets the environment of this very process
    yield build
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def prefix(tmp_path, monkeypatch) -> Path:
    """This package, installed for ROS, and markers of others that are called by `ready`."""
    folder = tmp_path / 'prefix'
    command = [sys.executable, 'setup.py', '-q', 'install_data', '--install-dir', str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{folder}:{os.environ.get("AMENT_PREFIX_PATH", "")}')
    monkeypatch.setenv('PATH', f'{Path(sys.executable).parent}:{os.environ["PATH"]}')
    return folder


def ready(prefix: Path, package: str, program: str = '', script: str = '') -> None:
    """Let a package be there that this machine may lack, with a program that is a shell script."""
    index = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages'
    (index / package).touch()
    (prefix / 'share' / package).mkdir()
    if program:
        path = prefix / 'lib' / package / program
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)


@by_name
def test_arguments_have_descriptions(built, path):
    built_from = importlib.util.spec_from_file_location('file', path)
    module = importlib.util.module_from_spec(built_from)
    built_from.loader.exec_module(module)
    arguments = module.generate_launch_description().get_launch_arguments()
    names = [argument.name for argument in arguments]
    assert {parameter.name for parameter in parameters()} <= set(names)
    assert len(names) == len(set(names))
    assert all(argument.description.endswith('.') for argument in arguments)


def values_of(command: list[str]) -> dict[str, Any]:
    """What the second parameter file of a command sets."""
    files = [command[i + 1] for i, word in enumerate(command) if word == '--params-file']
    return yaml.safe_load(Path(files[1]).read_text())


def test_node_gets_topics_and_parameters(built, tmp_path):
    params = tmp_path / 'params.yaml'
    params.write_text('depth_estimation: {ros__parameters: {model: other, device: cpu}}\n')
    arguments = {'params_file': str(params), 'range.max': '5', 'image': '/cam'}
    ((*command,),), said = built(DEPTH, model='mine', **arguments)
    values = {'model': 'mine', 'range.max': 5}
    assert values_of(command) == {
        '/**': {'ros__parameters': values},
        'depth_estimation': {'ros__parameters': values},
    }
    assert {'image:=/cam', 'image/compressed:=/cam/compressed'} <= set(command)
    assert said == []


def test_a_parameter_that_is_a_text_stays_one(built):
    texts = {'reference.options': '{max_age: 0.5}', 'weights': '007', 'calibration.directory': '~'}
    (command,), _ = built(DEPTH, params_file=PARAMS, **texts)
    assert values_of(command)['/**']['ros__parameters'] == texts


def test_each_of_several_cameras_gets_its_topics_and_what_is_given_by_hand_wins(built):
    given = {'remap': 'rear/image:=/odd', 'images': '/cams/{camera}/rgb'}
    (command,), _ = built(MULTI, params_file=PARAMS, **given)
    rules = [word for word in command if ':=' in word]
    assert {
        'front/image:=/cams/front/rgb', 'front/image/compressed:=/cams/front/rgb/compressed',
        'rear/camera_info:=/rear/camera_info',
    } <= set(rules)  # fmt: skip
    assert next(rule for rule in rules if rule.startswith('rear/image:=')) == 'rear/image:=/odd'
    assert values_of(command)['/**']['ros__parameters']['cameras'] == ['front', 'rear']


def test_several_cameras_are_not_placed_by_one_transform(built):
    with pytest.raises(ValueError, match='places one camera, not several'):
        built(MULTI, static_transform='true')


def test_rviz_shows_the_cameras_that_a_parameter_file_names(built, prefix, tmp_path):
    ready(prefix, 'rviz2')
    params = tmp_path / 'params.yaml'
    params.write_text('/robot: {eye: {ros__parameters: {cameras: [left, right]}}}\n')
    (_, viewer), _ = built(DEPTH, rviz='true', params_file=str(params))
    topics = list(shown(Path(viewer[viewer.index('-d') + 1]).read_text()))
    assert topics[::3] == ['/left/image', '/right/image']


def test_rviz_takes_time_and_transport_from_the_parameter_file_too(built, prefix, tmp_path):
    ready(prefix, 'rviz2')
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {use_sim_time: true, image_transport: compressed}}')
    (_, viewer), _ = built(DEPTH, rviz='true', params_file=str(params))
    assert next(iter(shown(Path(viewer[viewer.index('-d') + 1]).read_text()))) == (
        '/image/compressed'
    )
    clock = Path(viewer[viewer.index('--params-file') + 1]).read_text()
    assert yaml.safe_load(clock)['/**']['ros__parameters'] == {'use_sim_time': True}


@pytest.mark.parametrize(('text', 'loops'), [('True', True), ('1', True), ('FALSE', False)])
def test_true_and_false_are_read_as_conditions_of_launch_read_them(text, loops):
    read = _function(ROOT / 'depth_estimation_ros' / 'ros' / 'launching.py', 'is_true')
    assert read('loop', text) is loops
    scope = {'is_true': read}
    values = {'video_device': '0', 'frame_id': 'eye', 'width': '6', 'height': '4'}
    values |= {'frame_rate': '', 'camera_info_url': '', 'loop': text}
    assert ('--loop' in _function(USB, '_publisher', **scope)(values)) is loops
    with pytest.raises(ValueError, match='loop:=yes is neither true nor false'):
        read('loop', 'yes')


def test_a_usb_camera_without_drivers_rviz_and_tf(built, prefix, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    monkeypatch.setenv('ROS_DISTRO', 'kilted')
    given = {'video_device': '/dev/video7', 'camera_info_url': 'file:///home/me/camera.yaml'}
    (_, camera), said = built(USB, **given)
    assert camera[:9] == [
        '--device', '/dev/video7', '--frame-id', 'camera_optical_frame',
        '--size', '640x480', '--camera', '/home/me/camera.yaml', '--loop',
    ]  # fmt: skip
    assert any('sudo apt install ros-kilted-rviz2' in text for text in said)
    assert any('sudo apt install ros-kilted-tf2-ros' in text for text in said)


def test_the_camera_stands_where_it_is_said_to(built, prefix):
    for package in ('tf2_ros', 'rviz2', 'usb_cam'):
        ready(prefix, package)
    pose = '0.1 0 0.3 0 0 1.5707963267948966'
    processes, _ = built(USB, driver='usb_cam', base_frame='base_link', camera_pose=pose)
    _, transform, viewer, camera = processes
    numbers = dict(zip(transform[:14:2], map(float, transform[1:14:2]), strict=True))
    assert numbers == pytest.approx(  # looking left: optical z is y of the base
        {'--x': 0.1, '--y': 0.0, '--z': 0.3, '--qx': -0.7071068, '--qy': 0.0, '--qz': 0.0,
         '--qw': 0.7071068}, abs=1e-6,
    )  # fmt: skip
    frames = ['--frame-id', 'base_link', '--child-frame-id', 'camera_optical_frame']
    assert transform[14:18] == frames
    config = Path(viewer[viewer.index('-d') + 1]).read_text()
    assert list(shown(config)) == ['/image_raw', *list(shown(TEMPLATE))[1:]]
    assert 'Fixed Frame: base_link' in config
    assert '--params-file' in camera


@pytest.fixture
def recording(tmp_path) -> Path:
    """A bag of a compressed camera, without /tf."""
    import cv2
    import numpy as np
    from rclpy.serialization import serialize_message
    from rig import image_message, info_message
    from sensor_msgs.msg import CompressedImage

    from depth_estimation_ros import bag, messages

    image = image_message(np.zeros((240, 320, 3), np.uint8))
    _, jpeg = cv2.imencode('.jpg', np.zeros((240, 320, 3), np.uint8))
    picture = CompressedImage(header=image.header)
    messages.fill_compressed(picture, jpeg)
    kinds = {'/cam/small': 'CompressedImage', '/cam/camera_info': 'CameraInfo'}
    sent = zip(kinds, (picture, info_message(image)), strict=True)
    bag.write(
        tmp_path / 'drive',
        [bag.Topic(name, f'sensor_msgs/msg/{kind}') for name, kind in kinds.items()],
        [bag.Serialized(name, 10**9, serialize_message(message)) for name, message in sent],
    )
    return tmp_path / 'drive'


def test_a_bag_is_played_on_its_own_time_with_the_topics_that_it_has(built, prefix, recording):
    for package in ('ros2bag', 'tf2_ros', 'rviz2'):
        ready(prefix, package)
    given = {'bag': str(recording), 'loop': 'true', 'rate': '2', 'play': '--topics /a'}
    (node, transform, viewer, player), said = built(ROSBAG, **given)
    assert {'image/compressed:=/cam/small', 'camera_info:=/cam/camera_info'} <= set(node)
    values = values_of(node)['/**']['ros__parameters']
    assert values == {'use_sim_time': True, 'image_transport': 'compressed'}
    frames = ['--frame-id', 'camera_link', '--child-frame-id', 'camera_optical']
    assert transform[14:18] == frames
    assert '/cam/small' in shown(Path(viewer[viewer.index('-d') + 1]).read_text())
    clock = yaml.safe_load(Path(viewer[viewer.index('--params-file') + 1]).read_text())
    assert clock['/**']['ros__parameters'] == {'use_sim_time': True}
    assert player == [
        'ros2', 'bag', 'play', str(recording), '--clock', '100', '--rate', '2',
        '--start-offset', '0.0', '--loop', '--disable-keyboard-controls', '--topics', '/a',
    ]  # fmt: skip
    assert any('image:=/cam/small' in text for text in said)


@pytest.mark.parametrize(
    ('there', 'bag', 'words'),
    [
        ((), 'drive', 'ros2bag is not installed'),
        (('ros2bag',), '/nowhere', '/nowhere'),
        (('ros2bag',), '/old.bag', 'rosbags-convert --src /old.bag'),
    ],
)
def test_a_bag_that_cannot_be_played_is_said_at_once(
    built, prefix, monkeypatch, tmp_path, there, bag, words
):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    for package in there:
        ready(prefix, package)
    with pytest.raises((OSError, RuntimeError, ValueError), match=words):
        built(ROSBAG, bag=str(tmp_path / bag))


@pytest.mark.parametrize('profile', ['', '/mine.xml'])
def test_environment(built, monkeypatch, profile):
    monkeypatch.delenv('ROS_DISTRO', raising=False)
    built(DEPTH, params_file=PARAMS, fastdds_profile=profile)
    if profile:
        assert built.context.environment['FASTDDS_DEFAULT_PROFILES_FILE'] == profile
    else:
        assert built.context.environment['DEPTH_ESTIMATION_TRANSPORT'] == 'system'


def test_ros2_launch_brings_depth_of_a_video(ros, spin_until, prefix, tmp_path):
    pytest.importorskip('launch_ros', reason='launch is not installed (it is not on PyPI)')
    if shutil.which('ros2') is None:
        pytest.skip('the command ros2 is not installed')
    import cv2
    import numpy as np
    from rclpy.executors import SingleThreadedExecutor
    from rig import rendered
    from sensor_msgs.msg import Image, PointCloud2

    video = tmp_path / 'drive.avi'
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (320, 240))
    for _ in range(5):
        writer.write(np.ascontiguousarray(rendered()[0][..., ::-1]))
    writer.release()
    for package, program in (('rviz2', 'rviz2'), ('tf2_ros', 'static_transform_publisher')):
        if not (shutil.which('rviz2') and package == 'rviz2'):
            ready(prefix, package, program, f'echo "$0" "$@" >{tmp_path}/{package}; exec sleep 60')
    command = ['ros2', 'launch', str(USB), f'video_device:={video}', 'camera.hfov:=60']
    node, executor, heard = ros.create_node('listener'), SingleThreadedExecutor(), {}
    executor.add_node(node)
    for kind, topic in ((Image, 'depth/image'), (PointCloud2, 'points')):
        node.create_subscription(
            kind, f'/depth_estimation/{topic}', lambda m: heard.update({type(m): m}), 5
        )
    launched = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        spin_until(executor, lambda: len(heard) == 2, 'depth and points arrive', timeout=60.0)
    finally:
        launched.send_signal(signal.SIGINT)
        said, _ = launched.communicate(timeout=30)
        executor.shutdown()
        node.destroy_node()
    assert heard[Image].encoding == '32FC1'
    assert heard[Image].header.frame_id == 'camera_optical_frame'
    assert '--child-frame-id camera_optical_frame' in (tmp_path / 'tf2_ros').read_text()
    assert 'Traceback' not in said, said
