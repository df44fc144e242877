# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Launch files and RViz configuration; with `launch` installed they are built for real.

`launch` is not among the wheels that bring ROS 2 to other machines, so without it the files are
compiled and read.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import os
import re
from pathlib import Path

import pytest
import yaml

from depth_estimation_ros.config import parameters

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
DEPTH = ROOT / 'launch' / 'depth.launch.py'
MULTI = ROOT / 'launch' / 'multi_camera.launch.py'
by_name = pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)


def _function(path: Path, name: str):
    """A function of a launch file that needs nothing of it, without importing the file."""
    wanted = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    scope = {'Any': object, 'copy': copy, 'yaml': yaml}
    exec(compile(ast.Module(wanted, []), str(path), 'exec'), scope)  # noqa: S102
    return scope[name]


@by_name
def test_compiles(path):
    compile(path.read_text(), str(path), 'exec')


@by_name
def test_every_argument_is_described_and_used(path):
    text = path.read_text()
    table = next(
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS'
    )
    for key, value in zip(table.keys, table.values, strict=True):
        description = value.elts[1].value
        assert description.endswith('.'), key.value
        assert re.search(rf"(?:given\[|LaunchConfiguration\()['\"]{key.value}['\"]", text) or (
            f"'{key.value}', *(one.name" in text
        ), f'{key.value} is declared and has no effect'


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


def test_rviz_shows_what_is_published():
    manager = yaml.safe_load((ROOT / 'config' / 'depth.rviz').read_text())['Visualization Manager']
    topics = {
        display['Topic']['Value']: display['Topic'] | {'Class': display['Class']}
        for display in manager['Displays']
        if 'Topic' in display
    }
    # A reliable subscription needs a reliable publisher, and the driver may be none.
    assert topics['/image_raw']['Reliability Policy'] == 'Best Effort'
    outputs = {name: topic for name, topic in topics.items() if name.startswith('/depth_est')}
    assert {name: topic['Class'].partition('/')[2] for name, topic in outputs.items()} == {
        '/depth_estimation/colorized/image': 'Image',
        '/depth_estimation/points': 'PointCloud2',
    }
    for topic in outputs.values():
        assert topic['Durability Policy'] == 'Volatile'


@pytest.fixture
def built():
    """Builds a launch file's description, and the actions of it by type."""
    pytest.importorskip('launch_ros', reason='launch is not installed (it is not on PyPI)')
    from launch import LaunchContext

    def build(path: Path, **arguments: str):
        spec = importlib.util.spec_from_file_location(path.stem.replace('.', '_'), path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        return module, module.generate_launch_description(), context

    before = dict(os.environ)  # launch sets the environment of this very process
    yield build
    os.environ.clear()
    os.environ.update(before)


@by_name
def test_arguments_have_descriptions(built, path):
    _, description, _ = built(path)
    arguments = description.get_launch_arguments()
    names = [argument.name for argument in arguments]
    assert {parameter.name for parameter in parameters()} <= set(names)
    assert len(names) == len(set(names))
    assert all(argument.description.endswith('.') for argument in arguments)


def _executed(description, context):
    """The actions that come of a description, one level deep."""
    return [
        action
        for entity in description.entities
        for action in [entity, *(entity.execute(context) or [])]
    ]


def test_node_gets_topics_and_parameters(built, tmp_path):
    from launch_ros.actions import Node

    params = tmp_path / 'params.yaml'
    params.write_text('depth_estimation: {ros__parameters: {model: other, device: cpu}}\n')
    _, description, context = built(
        DEPTH, **{'params_file': str(params), 'model': 'mine', 'range.max': '5', 'image': '/cam'}
    )
    node = next(one for one in _executed(description, context) if isinstance(one, Node))
    node._perform_substitutions(context)
    files = [str(parameter[0]) for parameter in node._Node__expanded_parameter_arguments]
    assert files[0] == str(params)
    values = {'model': 'mine', 'range.max': 5}
    assert yaml.safe_load(Path(files[1]).read_text()) == {
        '/**': {'ros__parameters': values},
        'depth_estimation': {'ros__parameters': values},
    }
    assert ('image', '/cam') in node.expanded_remapping_rules
    assert ('image/compressed', '/cam/compressed') in node.expanded_remapping_rules


def test_each_of_several_cameras_gets_its_topics_and_what_is_given_by_hand_wins(built):
    from launch.actions import IncludeLaunchDescription

    arguments = {'remap': 'rear/image:=/odd', 'images': '/cams/{camera}/rgb'}
    params = str(ROOT / 'config' / 'depth.yaml')
    _, description, context = built(MULTI, params_file=params, **arguments)
    for entity in description.entities:
        if isinstance(entity, IncludeLaunchDescription):
            break
        for action in entity.execute(context) or []:
            action.execute(context)
    module, depth, _ = built(DEPTH)
    for argument in depth.get_launch_arguments():
        argument.execute(context)
    (node,) = module._node(context)
    node._perform_substitutions(context)
    rules = node.expanded_remapping_rules
    assert ('front/image', '/cams/front/rgb') in rules
    assert ('front/image/compressed', '/cams/front/rgb/compressed') in rules
    assert ('rear/camera_info', '/rear/camera_info') in rules
    assert next(to for topic, to in rules if topic == 'rear/image') == '/odd'
    files = [str(parameter[0]) for parameter in node._Node__expanded_parameter_arguments]
    values = yaml.safe_load(Path(files[1]).read_text())['/**']['ros__parameters']
    assert values['cameras'] == ['front', 'rear']


def test_rviz_shows_every_camera():
    displays = yaml.safe_load((ROOT / 'config' / 'depth.rviz').read_text())[
        'Visualization Manager'
    ]['Displays']
    given = {
        'cameras': '[front, rear]', 'images': '/{camera}/rgb', 'namespace': 'robot', 'name': 'eye',
    }  # fmt: skip
    made = _function(MULTI, '_displays')(displays, given)
    assert [one['Topic']['Value'] for one in made if 'Topic' in one] == [
        f'/{topic}'
        for camera in ('front', 'rear')
        for topic in (
            f'{camera}/rgb',
            f'robot/eye/{camera}/colorized/image',
            f'robot/eye/{camera}/points',
        )
    ]


@pytest.mark.parametrize('profile', ['', '/mine.xml'])
def test_environment(built, monkeypatch, profile):
    monkeypatch.delenv('ROS_DISTRO', raising=False)
    arguments = {'fastdds_profile': profile, 'params_file': str(ROOT / 'config' / 'depth.yaml')}
    _, description, context = built(DEPTH, **arguments)
    for action in _executed(description, context):
        if type(action).__name__ == 'SetEnvironmentVariable':
            action.execute(context)
    if profile:
        assert context.environment['FASTDDS_DEFAULT_PROFILES_FILE'] == profile
    else:
        assert context.environment['DEPTH_ESTIMATION_TRANSPORT'] == 'system'


def test_no_camera_driver(built, monkeypatch, tmp_path):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('ROS_DISTRO', 'kilted')
    module, _, _ = built(ROOT / 'launch' / 'usb_camera.launch.py')
    monkeypatch.setattr(module, 'DRIVERS', ('a_driver_that_nobody_wrote',))
    with pytest.raises(RuntimeError, match='apt install ros-kilted-v4l2-camera'):
        module._chosen('auto')
