# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What README.md and docs/ show people to type is run: here, by another test, or told why not.

A line in a block of code is in exactly one of the tables, by how it begins. `documents` finds the
lines for all tests.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import urllib.request

import documents
import numpy as np
import pytest
from bags import TYPES, image, info, ros2

from depth_estimation_ros import cli, synthetic
from depth_estimation_ros.bag import open_bag
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import parameters

ROOT = documents.ROOT

# What runs a line: module and function, which takes its lines from `documents`.
RUN = {
    r'depth-estimation bag (?!.*--engine)': 'test_docs a_bag_becomes_what_the_documents_say',
    r'depth-estimation bag drives.* --engine': (
        'test_jobs_ray ctrl_c_ends_all_and_this_machine_was_alone'
    ),
    r'depth-estimation benchmark': 'test_benchmark_models the_command_of_the_document_measures',
    r'depth-estimation calibrate': (
        'test_cli_calibrate a_command_of_the_document_makes_a_calibration'
    ),
    r'depth-estimation camera --device drive': (
        'test_camera_publisher the_command_of_the_document_plays_a_file'
    ),
    r'depth-estimation evaluate': 'test_cli_evaluate the_commands_of_the_document_run',
    r'depth-estimation export (?!.*--int8)': 'test_export a_command_of_the_document_works',
    r'depth-estimation export .*--int8': 'test_export int8_serves_once_it_was_made',
    r'depth-estimation image': 'test_cli_image a_command_of_the_document_does_what_it_says',
    r'depth-estimation models (?!.*depth-anything)': (
        'test_cli_models the_commands_in_the_documentation'
    ),
    r'depth-estimation node': (
        'test_node_view the_command_writes_what_the_node_makes_until_it_is_interrupted'
    ),
    r'depth-estimation video ': ('test_cli_video a_command_of_the_document_does_what_it_says'),
    r'depth-estimation webcam': (
        'test_cli_webcam a_command_of_the_document_shows_a_video_as_it_would_a_camera'
    ),
    r'ray start': 'test_jobs_ray a_machine_that_does_not_see_the_folders_is_named',
    r'rerun .*--serve-web': 'test_docs a_browser_is_served_the_view',
    r'rerun .*rrd$': 'test_docs what_a_view_writes_is_what_rerun_opens',
    r'ros2 launch depth_estimation_ros': 'test_docs a_launch_file_takes_the_arguments',
    r'ros2 service call': 'test_node_docs a_service_call_of_the_documents_succeeds',
}

# Why a line is run by none, and what holds instead.
NOT_RUN = {
    r'(rosdep|colcon) ': 'needs an installed ROS; test_packaging holds what they read',
    r'depth-estimation bag /mnt': 'needs the machines; test_jobs_ray has a cluster here',
    r'depth-estimation camera --device 0': 'needs a camera; test_camera_publisher plays files',
    r'depth-estimation models download depth-anything': '99 MB; test_fetch has a server here',
    r'export ': 'sets a variable of a shell',
    r'pip install|~/depth/bin/pip': 'tests install nothing; test_packaging holds the extras',
    r'python -m depth_estimation_ros.training': 'takes 46 minutes; test_training: in small',
    r'python3 -m venv|~/depth/bin/depth-estimation': 'the same; test_packaging starts depth_node',
    r'ray get-auth-token': 'writes to the home of the user; test_jobs_ray makes a word up',
    r'ros2 run (pointcloud|depthimage)_to_laserscan ': 'test_nav2 holds the parameters',
    r'ros2 run depth_estimation_ros depth-estimation': 'of a workspace; test_packaging',
    r'ros2 run depth_estimation_ros camera_publisher': 'needs a camera; test_packaging starts it',
    r'ros2 run tf2_ros': 'of another package',
    r'ros2 topic': 'ros2cli is not on PyPI; test_node holds the topics',
    r'scripts/demo': 'test_demo runs its parts',
    r'scripts/test': 'it is what runs this',
    r'source install/setup.bash': 'of a workspace that colcon made',
    r'sudo ': 'changes the machine',
}

# No commands: what they print.
PRINTED = (
    'scale [0-9.]+, shift',
    'residual [0-9.]+%',
    'saved to ',
    'bundled at 256x192: ',
)


def matching(line: str, table) -> list[str]:
    return [beginning for beginning in table if re.match(beginning, line)]


@pytest.mark.parametrize('line', sorted({line for _, line in documents.shown()}))
def test_whatever_is_shown_is_run_or_told_why_not(line):
    found = [one for table in (RUN, NOT_RUN, PRINTED) for one in matching(line, table)]
    assert len(found) == 1, f'{line!r} is in {found or "no table"}'


def test_the_tables_hold_nothing_else():
    lines = {line for _, line in documents.shown()}
    stale = [one for table in (RUN, NOT_RUN, PRINTED) for one in table
             if not any(re.match(one, line) for line in lines)]  # fmt: skip
    assert stale == []


@pytest.mark.parametrize(('beginning', 'runner'), RUN.items())
def test_what_runs_a_line_is_there_and_takes_it_from_the_documents(beginning, runner):
    module, function = runner.split()
    source = (ROOT / 'test' / f'{module}.py').read_text()
    assert f'\ndef test_{function}(' in source
    program, _, rest = beginning.partition(' ')
    words = rest.split(' ')[0] if program == 'depth-estimation' else beginning.split(' .*')[0]
    taken = 'arguments' if program == 'depth-estimation' else 'commands'
    assert f"documents.{taken}('{words}" in source


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), {ROOT / 'README.md'}
    while waiting:
        page = waiting.pop()
        reached.add(page)
        links = re.findall(r'\]\(([^)#:]+\.md)(?:#[^)]*)?\)', page.read_text())
        waiting |= {(page.parent / link).resolve() for link in links} - reached
    assert set(documents.DOCUMENTS) <= reached


def anchors(page) -> set[str]:
    """As GitHub names them."""
    headings = re.findall(r'^#+ (.*)$', page.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', one.lower()).replace(' ', '-') for one in headings}


@pytest.mark.parametrize('page', documents.DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_headings_that_are_there(page):
    for link, anchor in re.findall(r'\]\(([^)#:]*)#([^)]+)\)', page.read_text()):
        assert anchor in anchors(page.parent / link if link else page), f'{link}#{anchor}'


@pytest.mark.parametrize(
    ('name', 'argument'),
    sorted(
        (name, argument)
        for line in documents.commands('ros2 launch depth_estimation_ros')
        for name in [line.split()[3]]
        for argument in ['', *re.findall(r' ([\w.]+):=', line)]
    ),
)
def test_a_launch_file_takes_the_arguments(name, argument):
    text = (ROOT / 'launch' / name).read_text() + (ROOT / 'launch/depth.launch.py').read_text()
    known = {one.name for one in parameters()} | {''}
    assert argument in known or f"'{argument}': (" in text


@pytest.fixture(scope='module')
def rooms():
    """Pictures of a drive, and the depth of each."""
    room = synthetic.make_room(3)
    camera = Camera(160, 120, 150.0, 151.0, 79.0, 60.0)
    return [synthetic.render(room, camera, pose) for pose in synthetic.trajectory(room, 8)]


def recorded(rooms, cameras):
    """A message each half second: of cameras, of a depth camera, and of what else there is."""
    beginning, transform = 10**18, TYPES.types['tf2_msgs/msg/TFMessage']([])
    for number, (picture, depth) in enumerate(rooms):
        stamp = beginning + number * 500_000_000
        for camera in cameras:
            yield f'{camera}/camera_info', stamp, info(stamp)
            yield f'{camera}/image_raw', stamp, image(stamp, picture)
        if len(cameras) == 1:
            millimetres = np.round(depth * 1000).astype(np.uint16)
            yield '/depth/image', stamp, image(stamp, millimetres, '16UC1')
        for topic in ('/tf', '/tf_static'):
            yield topic, stamp, transform


@pytest.fixture
def folder(tmp_path, monkeypatch, rooms):
    """Makes what a command names, in a folder where it is then run."""
    monkeypatch.chdir(tmp_path)

    def make(line):
        several = '--image-topic' in line
        cameras = ('/front', '/rear') if several else ('/camera',)
        for name in ('drives/one', 'drives/two') if 'drives' in line else ('drive',):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            ros2(tmp_path / name, recorded(rooms, cameras))
        shutil.copy(ROOT / 'config' / 'depth.yaml', tmp_path)
        return tmp_path

    return make


@pytest.mark.parametrize(
    'line', [one for one in documents.arguments('bag') if '--engine' not in one]
)
def test_a_bag_becomes_what_the_documents_say(line, folder, capsys):
    if '--view' in line:
        pytest.importorskip('rerun', reason='rerun is not installed: it needs NumPy 2')
    place, words = folder(line), shlex.split(line)
    code = cli.main([*words, '--device', 'cpu', '--runtime', 'torch'])
    out, err = capsys.readouterr()
    assert code == 0, err
    if '--json' in words:
        (row,) = json.loads(out)
        (camera,) = row['cameras'].values()
        assert camera['errors']['AbsRel'] < 0.2
    for made in ('results/one', 'results/two') if 'results' in line else ('depth',):
        holds(place / made, words)


def holds(path, words):
    """A bag has what these words ask for."""
    with open_bag(path) as written:
        counts = {name: topic.count for name, topic in written.topics.items()}
    depth = [counts[name] for name in counts if re.fullmatch('/depth_e.*/depth/image', name)]
    several, part = '--image-topic' in words, '--stride' in words
    assert depth == ([8, 8] if several else [2] if part else [8])
    assert ('/depth_estimation/points' in counts) == any('points' in word for word in words)
    assert ('/camera/image_raw' in counts) == (not several and not part)
    assert counts['/tf'] > 0


def test_what_a_view_writes_is_what_rerun_opens():
    """The viewer needs a screen; test_view reads such files, and has rerun verify them."""
    written = {
        words[words.index('--view') + 1]
        for command in ('bag', 'video', 'node')
        for words in map(shlex.split, documents.arguments(command))
        if '--view' in words
    }
    opened = {word for line in documents.commands('rerun') for word in line.split()[1:]}
    opened = {word for word in opened if word.endswith('.rrd')}
    assert opened
    assert opened <= written


@pytest.mark.parametrize(
    'line', [line for line in documents.commands('rerun') if '--serve-web' in line]
)
def test_a_browser_is_served_the_view(tmp_path, monkeypatch, line):
    rerun = pytest.importorskip('rerun', reason='the extra view is not installed')
    monkeypatch.chdir(tmp_path)
    recording = rerun.RecordingStream('drive')
    recording.save('drive.rrd')
    recording.log('words', rerun.TextLog('of the drive'))
    recording.disconnect()
    words = [*shlex.split(line), '--port', 'auto', '--web-viewer-port', '0']
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # the command starts the server as its child
    ) as server:
        patience = threading.Timer(60.0, os.killpg, (server.pid, signal.SIGKILL))
        patience.start()
        try:
            told = next(text for text in server.stdout if 'Hosting a web-viewer' in text)
            (address,) = re.findall(r'connect at (http://127\.0\.0\.1:\d+)', told)
            with urllib.request.urlopen(address, timeout=20.0) as page:  # noqa: S310
                assert b'web viewer' in page.read()
        finally:
            patience.cancel()
            os.killpg(server.pid, signal.SIGTERM)
