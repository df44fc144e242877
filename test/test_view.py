# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps in rerun: what a file holds, and a viewer that is slow, gone or not there."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

pytest.importorskip('rerun', reason='rerun is not installed: it needs NumPy 2')

import rerun_cli
from recording import array, entities

from depth_estimation_ros import synthetic
from depth_estimation_ros.calibration import Calibration, Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.painter import Painter
from depth_estimation_ros.view import View, view, viewer

CAMERA = Camera(320, 240, 280.0, 282.0, 161.0, 118.0, 'plumb_bob', (-0.2, 0.05, 0.001, 0.0, 0.0))
STAMP = 1_790_000_000_123_456_789
FIT = Fit(DepthKind.METRIC, 1.25, 0.0, (1e-4, 0.0, 0.0), 0.03, 0.04, 9, 10, 0.03)
VIEWER = Path(rerun_cli.__file__).parent / 'rerun'


@pytest.fixture(scope='module')
def metric() -> DepthMap:
    """A room, of which a piece is unknown and another out of range."""
    room = synthetic.make_room(3)
    image, depth = synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])
    depth[:10], depth[10:20] = np.nan, np.inf
    depth.flags.writeable = False
    return DepthMap(
        Frame(image, STAMP, 'optical', CAMERA), Prediction(depth, DepthKind.METRIC), depth
    )


def relative(of: DepthMap) -> DepthMap:
    values = 1.0 / of.depth
    return DepthMap(of.frame, Prediction(values, DepthKind.RELATIVE), None)


def shown(file: Path, *depth_maps: DepthMap, name: str = '', config: Config | None = None):
    """What a file holds of them."""
    said: list[str] = []
    with contextlib.closing(View(str(file), config or Config(), said.append)) as opened:
        for depth_map in depth_maps:
            opened.show(name, depth_map)
    assert said == []
    return entities(file)


def test_a_file_holds_depth_in_metres_under_the_camera(tmp_path, metric):
    held = shown(tmp_path / 'room.rrd', metric)
    ((stamp, depth),) = held['/camera/optical/depth']
    assert stamp == STAMP
    assert depth['DepthImage:meter'].as_py() == [1.0]
    metres = array(depth['DepthImage:buffer'], np.float32).reshape(240, 320)
    assert np.array_equal(metres[20:], metric.depth[20:])
    assert np.isnan(metres[:20]).all()  # a point at infinity would be no point
    ((_, pinhole),) = held['/camera/optical']
    matrix = array(pinhole['Pinhole:image_from_camera'], np.float32).reshape(3, 3).T
    assert matrix == pytest.approx(CAMERA.matrix)
    assert array(pinhole['Pinhole:resolution'], np.float32).tolist() == [320.0, 240.0]
    ((always, axes),) = held['/camera']
    assert always is None
    assert axes['ViewCoordinates:xyz'].as_py() == [[3, 2, 5]]  # right, down, forward
    assert held['/camera/inverse_depth'][0][1].keys().isdisjoint({'Tensor:data'})


def test_points_have_the_distortion_undone_and_do_not_fly(tmp_path, metric):
    points = shown(tmp_path / 'room.rrd', metric)['/camera/points'][0][1]
    xyz = array(points['Points3D:positions'], np.float32).reshape(-1, 3)
    colours = array(points['Points3D:colors'], np.uint32)
    assert 0.9 * 220 * 320 < len(xyz) < 220 * 320  # of known pixels, but for a few that fly
    uv = CAMERA.project(xyz)
    column, row = np.rint(uv).astype(int).T
    assert np.abs(uv - np.stack([column, row], axis=-1)).max() < 0.01
    assert np.array_equal(xyz[:, 2], metric.depth[row, column])
    red, green, blue = metric.frame.image[row, column].astype(np.uint32).T
    assert np.array_equal(colours, red << 24 | green << 16 | blue << 8 | 0xFF)
    every = shown(tmp_path / 'all.rrd', metric, config=Config.from_values({'points.edges': 0.0}))
    known = np.isfinite(metric.depth).sum()
    assert len(every['/camera/points'][0][1]['Points3D:positions'].values) == known > len(xyz)


def test_pictures_are_those_of_the_node(tmp_path, metric):
    held = shown(tmp_path / 'room.rrd', metric)
    wanted = {
        'optical/image': metric.frame.image,
        'colorized': Painter(Config().colorize).paint(metric),
    }
    for path, picture in wanted.items():
        blob = array(held[f'/camera/{path}'][0][1]['EncodedImage:blob'], np.uint8)
        assert blob.nbytes < picture.nbytes / 3
        found = cv2.imdecode(blob, cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(found.astype(int) - picture).mean() < 6.0


def test_a_large_cloud_is_thinned(tmp_path):
    camera = Camera.from_hfov(1280, 960, 70.0)
    depth = np.full((960, 1280), 2.0, np.float32)
    frame = Frame(np.zeros((960, 1280, 3), np.uint8), STAMP, '', camera)
    depth_map = DepthMap(frame, Prediction(depth, DepthKind.METRIC), depth)
    points = shown(tmp_path / 'wall.rrd', depth_map)['/camera/points'][0][1]
    assert len(points['Points3D:positions'].values) == 240 * 320


def test_without_metres_there_is_inverse_depth_and_no_cloud(tmp_path, metric):
    held = shown(tmp_path / 'room.rrd', metric, relative(metric))
    _, tensor = held['/camera/inverse_depth'][1]
    (data,) = tensor['Tensor:data'].as_py()
    values = relative(metric).prediction.values.ravel()
    assert np.array_equal(np.array(data['buffer'], np.float32), values, equal_nan=True)
    for path in ('points', 'optical/depth'):  # those of the frame before are taken away
        _, cleared = held[f'/camera/{path}'][1]
        assert cleared['Clear:is_recursive'].as_py() == [False]
    words = [text['TextDocument:text'].as_py()[0] for _, text in held['/camera/calibration']]
    assert words[0].startswith('metres as the network says them')
    assert words[1].startswith('no metres, so no cloud')


def test_the_calibration_in_words_once(tmp_path, metric):
    calibrated = DepthMap(
        metric.frame,
        metric.prediction,
        metric.depth,
        Calibration(FIT, 'bundled', CAMERA, STAMP),
    )
    held = shown(tmp_path / 'room.rrd', calibrated, calibrated)
    ((_, text),) = held['/camera/calibration']
    words = text['TextDocument:text'].as_py()[0]
    assert 'bundled, calibrated 2026-09' in words
    assert 'scale 1.25, shift 0 m' in words
    assert '9 of 10 references agree' in words
    guessed = Frame(metric.frame.image, STAMP, '', Camera.from_hfov(320, 240, 60.0))
    assert (
        'a guess'
        in shown(tmp_path / 'guess.rrd', DepthMap(guessed, metric.prediction, metric.depth))[
            '/camera/calibration'
        ][0][1]['TextDocument:text'].as_py()[0]
    )


def test_cameras_and_their_frames_each_have_their_place(tmp_path, metric):
    with contextlib.closing(View(str(tmp_path / 'two.rrd'), Config(), print)) as opened:
        for number in range(6):
            later = Frame(metric.frame.image, number * 10**9, '', None)  # a clock from a start
            opened.show('/front/left', DepthMap(later, metric.prediction, metric.depth))
            opened.show('rear', metric)
    held = entities(tmp_path / 'two.rrd')
    times = [stamp for stamp, _ in held['/front/left/optical/depth']]
    assert sorted(times) == [number * 10**9 for number in range(6)]  # a file misses none
    assert len(held['/rear/points']) == 6
    assert all('Clear:is_recursive' in values for _, values in held['/front/left/points'])
    assert subprocess.run([VIEWER, 'rrd', 'verify', tmp_path / 'two.rrd'], check=True)


def test_colours_follow_a_changed_range(tmp_path, metric):
    near, far = Config(), Config.from_values({'colorize.max': 2.0})
    with contextlib.closing(View(str(tmp_path / 'room.rrd'), near, print)) as opened:
        opened.show('', metric)
        while opened._boxes['camera']:
            time.sleep(0.01)
        time.sleep(0.3)
        opened.config = far
        opened.show('', metric)
    first, second = entities(tmp_path / 'room.rrd')['/camera/colorized']
    assert first[1]['EncodedImage:blob'] != second[1]['EncodedImage:blob']


@pytest.fixture
def listener(tmp_path):
    """A program of rerun that takes recordings, as a viewer does, and writes them down."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    address = f'rerun+http://127.0.0.1:{port}/proxy'
    command = [VIEWER, '--save', tmp_path / 'seen.rrd', '--bind', '127.0.0.1', '--port', str(port)]
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    with subprocess.Popen(command, env={'CI': 'true', 'HOME': str(tmp_path)}, **quiet) as process:
        deadline = time.monotonic() + 20.0
        while not viewer._answers(address):
            assert time.monotonic() < deadline, 'the listener does not begin'
            time.sleep(0.05)
        yield process, address
        process.kill()


# It is being written.
def _written(file: Path) -> dict:
    try:
        return entities(file)
    except RuntimeError:  # half of a message
        return {}


@pytest.mark.filterwarnings('ignore:RRD file has no footer')
def test_a_viewer_elsewhere_gets_what_is_shown(tmp_path, listener, metric):
    _, address = listener
    with contextlib.closing(View(address, Config(), print)) as opened:
        opened.show('', metric)
    deadline = time.monotonic() + 10.0
    while '/camera/calibration' not in (held := _written(tmp_path / 'seen.rrd')):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    metres = held['/camera/optical/depth'][0][1]['DepthImage:buffer']
    assert np.array_equal(array(metres, np.float32)[6400:], metric.depth.ravel()[6400:])


@pytest.mark.alone
def test_a_viewer_that_stops_costs_neither_time_nor_memory(listener, metric, monkeypatch):
    monkeypatch.setattr(view, '_PATIENCE', 0.2)
    monkeypatch.setattr(view, '_LAST', 1.0)
    process, address = listener
    said: list[str] = []
    opened = View(address, Config(), said.append)
    opened.show('', metric)
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    memory, slowest = psutil.Process().memory_info().rss, 0.0
    for _ in range(300):  # 1.3 MB each
        begun = time.monotonic()
        opened.show('', metric)
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.005)
    assert slowest < 0.25
    assert psutil.Process().memory_info().rss - memory < 30e6
    begun = time.monotonic()
    opened.close()
    assert time.monotonic() - begun < 3.0
    assert any('frames came faster' in text for text in said)


def test_a_viewer_that_is_closed_ends_the_view_alone(listener, metric):
    process, address = listener
    said: list[str] = []
    opened = View(address, Config(), said.append)
    opened.show('', metric)
    time.sleep(0.5)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10.0
    while opened.wanted:
        assert time.monotonic() < deadline
        opened.show('', metric)
        time.sleep(0.02)
    opened.show('', metric)
    opened.close()
    (text,) = said
    assert 'is gone' in text


def test_a_process_ends_beside_a_viewer_that_stops(listener):
    """rerun itself would wait for ever."""
    process, address = listener
    program = (
        'import sys, numpy as np\n'
        'from depth_estimation_ros.config import Config\n'
        'from depth_estimation_ros.frames import *\n'
        'from depth_estimation_ros.view import View, view\n'
        'view._LAST = 1.0\n'
        f'opened = View({address!r}, Config(), print)\n'
        'depth = np.random.default_rng(0).random((480, 640)).astype(np.float32)\n'
        'frame = Frame(np.zeros((480, 640, 3), np.uint8))\n'
        'depth_map = DepthMap(frame, Prediction(depth, DepthKind.METRIC), depth)\n'
        'print(flush=True)\n'
        'input()\n'
        'for _ in range(20): opened.show("", depth_map)\n'
        'opened.close()\n'
    )
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
    with subprocess.Popen([sys.executable, '-c', program], **pipes) as shower:
        shower.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        shower.communicate(b'\n', timeout=20.0)
    assert shower.returncode == 0


def test_a_disk_that_is_full_is_told_and_ends_the_view(tmp_path, metric, monkeypatch):
    monkeypatch.setattr(view, '_DISK', 0.5)
    monkeypatch.setattr(signal, 'SIGXFSZ', signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    said: list[str] = []
    opened = View(str(tmp_path / 'room.rrd'), Config(), said.append)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, limits[1]))
        for _ in range(10):
            opened.show('', metric)
        with pytest.raises(OSError, match=r'room\.rrd cannot be written: is the disk full'):
            opened.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(said) == 1


@pytest.mark.parametrize(
    ('target', 'error'),
    [
        ('bag', r"'bag' is no place for a view: a file ends with \.rrd"),
        ('http://127.0.0.1:1/proxy', 'no place for a view'),
        ('rerun+http://127.0.0.1:9/proxy', 'no viewer answers .* start one there with rerun'),
        ('/nowhere/room.rrd', r'/nowhere/room\.rrd cannot be written'),
    ],
)
def test_what_is_no_place_for_a_view(target, error):
    with pytest.raises((ValueError, OSError), match=error):
        View(target, Config(), print)


def test_a_file_is_replaced_only_where_that_is_asked_for(tmp_path, metric):
    file = tmp_path / 'room.rrd'
    file.write_text('mine')
    with pytest.raises(FileExistsError, match='exists: remove it'):
        View(str(file), Config(), print)
    assert file.read_text() == 'mine'
    View(str(file), Config(), print, overwrite=True).close()
    assert file.read_bytes()[:3] == b'RRF'


@pytest.mark.skipif(viewer._answers(viewer.HERE), reason='a viewer of rerun runs here')
def test_where_there_is_no_screen(monkeypatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OSError, match=r'no screen here for a view: name a file, --view FILE\.rrd'):
        View('', Config(), print)
    monkeypatch.setenv('DISPLAY', ':987')
    with pytest.raises(OSError, match='no viewer opens: '):
        View('', Config(), print)
