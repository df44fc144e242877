# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation camera`: a process that publishes a real video, heard over DDS."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from depth_estimation_ros import bag, messages  # noqa: E402
from depth_estimation_ros.capture import Capture, _wanted  # noqa: E402
from depth_estimation_ros.cli import main  # noqa: E402

SIZE = 160, 120
FRAMES = 10
RATE = 20.0


def picture(index: int) -> np.ndarray:
    """Grey that tells the index, [120, 160, 3] BGR, with a red corner that tells the channels."""
    image = np.full((SIZE[1], SIZE[0], 3), 20 * index + 20, np.uint8)
    image[:40, :40] = (0, 0, 255)
    return image


def index_of(message: Image) -> int:
    return round((float(messages.decode_image(message)[60:, 80:].mean()) - 20.0) / 20.0)


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('videos') / 'drive.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), RATE, SIZE)
    for index in range(FRAMES):
        writer.write(picture(index))
    writer.release()
    return path


@pytest.fixture
def calibration(tmp_path):
    """As camera_calibration writes it."""
    path = tmp_path / 'camera.yaml'
    matrix = [200.0, 0.0, 80.5, 0.0, 201.0, 59.5, 0.0, 0.0, 1.0]
    stored = {
        'image_width': SIZE[0], 'image_height': SIZE[1], 'distortion_model': 'plumb_bob',
        'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [-0.2, 0.05, 0.0, 0.0, 0.0]},
        'camera_matrix': {'rows': 3, 'cols': 3, 'data': matrix},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(stored))
    return path


class Listener:
    """Hears what a `depth-estimation camera` publishes, which ends with it."""

    def __init__(self, spin_until, *arguments: str, qos=5, prefix: str = '') -> None:
        self.node = rclpy.create_node('listener')
        self.images: list[Image] = []
        self.infos: list[CameraInfo] = []
        for kind, name, heard in (
            (Image, 'image_raw', self.images),
            (CameraInfo, 'camera_info', self.infos),
        ):
            self.node.create_subscription(kind, prefix + name, heard.append, qos)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self._spin_until = spin_until
        command = [sys.executable, '-m', 'depth_estimation_ros.cli', 'camera', *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def until(self, condition, what: str, timeout: float = 20.0) -> None:
        self._spin_until(self.executor, condition, what, timeout)

    def end(self, how: signal.Signals = signal.SIGINT) -> str:
        """Stop it, and what it said."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=10)
        self.executor.shutdown()
        self.node.destroy_node()
        return said


@pytest.fixture
def listen(ros, spin_until):
    started = []

    def start(*arguments: str, **options) -> Listener:
        started.append(Listener(spin_until, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


@pytest.mark.parametrize(
    'command', [one for one in documents.arguments('camera') if '--device drive' in one]
)
def test_the_command_of_the_document_plays_a_file(listen, video, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'drive.mp4').symlink_to(video)
    camera = listen(*shlex.split(command)[1:], prefix='/front/')
    camera.until(lambda: len(camera.images) > FRAMES, 'the video begins again')


def test_a_video_in_a_loop_is_published_with_intrinsics_and_stamps_of_now(
    listen, video, calibration
):
    camera = listen(
        *('--device', str(video), '--loop', '--camera', str(calibration), '--frame-id', 'eye'),
        *('--ros-args', '-r', 'image_raw:=/front/image_raw', '-r', '__ns:=/front'),
        prefix='/front/',
    )
    camera.until(lambda: len(camera.images) > 2 * FRAMES, 'the video is played twice')
    said = camera.end()
    assert camera.process.returncode == 0, said
    stamps = [bag.stamp_of(message) for message in camera.images]
    assert stamps == sorted(stamps)
    assert np.median(np.diff(stamps)) / 1e9 == pytest.approx(1.0 / RATE, rel=0.2)
    order = [index_of(message) for message in camera.images]
    assert [b for a, b in itertools.pairwise(order) if b != (a + 1) % FRAMES] == []
    first, info = camera.images[0], camera.infos[0]
    assert (first.encoding, first.width, first.height, first.step) == ('bgr8', *SIZE, 480)
    red, green, blue = messages.decode_image(first)[10, 10]
    assert min(red, 255 - green, 255 - blue) > 200
    assert first.header.frame_id == info.header.frame_id == 'eye'
    by_stamp = {bag.stamp_of(message) for message in camera.infos}
    assert set(stamps[1:-1]) <= by_stamp
    assert messages.camera_from_info(info, *SIZE).distortion[:2] == (-0.2, 0.05)
    assert list(info.k[:6]) == [200.0, 0.0, 80.5, 0.0, 201.0, 59.5]


def test_a_video_ends_and_an_unknown_camera_has_no_intrinsics(listen, video):
    camera = listen('--device', str(video), '--rate', '10')
    camera.until(lambda: camera.process.poll() is not None, 'the process ends by itself')
    said = camera.end()
    assert camera.process.returncode == 0
    assert 'has ended' in said
    assert 'K of camera_info is 0' in said
    stamps = [bag.stamp_of(message) for message in camera.images]
    assert np.median(np.diff(stamps)) / 1e9 == pytest.approx(0.1, rel=0.2)
    assert [index_of(message) for message in camera.images] == list(range(FRAMES))
    assert not any(camera.infos[0].k)
    assert (camera.infos[0].width, camera.infos[0].height) == SIZE


class Stream:
    """A camera of the network: MJPEG over HTTP, that can be unplugged."""

    def __init__(self, port: int = 0) -> None:
        self.plugged = True
        _, jpeg = cv2.imencode('.jpg', picture(3))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
                self.end_headers()
                while outer.plugged:
                    self.wfile.write(
                        b'--frame\r\nContent-Type: image/jpeg\r\n'
                        b'Content-Length: %d\r\n\r\n%b\r\n' % (len(jpeg), jpeg.tobytes())
                    )
                    pause.wait(0.03)

            def log_message(self, *_) -> None:
                pass

        pause = threading.Event()
        self.server = ThreadingHTTPServer(('127.0.0.1', port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def unplug(self) -> None:
        self.plugged = False
        self.server.shutdown()
        self.server.server_close()


def test_a_camera_that_is_lost_is_told_and_published_again_when_it_is_back(listen):
    stream = Stream()
    url = f'http://me:secret@127.0.0.1:{stream.port}/video'
    camera = listen('--device', url, '--hfov', '70', qos=qos_profile_sensor_data)
    camera.until(lambda: len(camera.images) > 5, 'images arrive')
    assert index_of(camera.images[-1]) == 3
    stream.unplug()
    heard = -1

    def silent() -> bool:
        nonlocal heard
        before, heard = heard, len(camera.images)
        for _ in range(10):
            camera.executor.spin_once(timeout_sec=0.05)
        return before == heard == len(camera.images)

    camera.until(silent, 'the stream ends')
    stream = Stream(stream.port)
    camera.until(lambda: len(camera.images) > heard + 5, 'images arrive again')
    said = camera.end(signal.SIGTERM)  # which finds it waiting for an image
    stream.unplug()
    assert camera.process.returncode == 0, said
    assert 'gives no images' in said
    assert 'is back' in said
    assert 'a guess' in said
    assert 'secret' not in said


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--device', '87'), 'no camera or file /dev/video87: is it plugged in?'),
        (('--device', '/nowhere/drive.mp4'), 'no camera or file /nowhere/drive.mp4: give a file'),
        (('--device', __file__), 'is no video that can be read'),
        (('--device', 'http://127.0.0.1:9/video'), 'http://127.0.0.1:9/video gives no images'),
        (('--ros-args', '--params-file', 'none.yaml'), "params file: '--params-file none.yaml'"),
        (('--ros-args', '--parms'), "UnknownROSArgsError: ['--parms']"),
    ],
)
def test_what_gives_no_images_is_said_in_one_line(
    ros_domain, monkeypatch, capfd, arguments, words
):
    monkeypatch.setenv('DEPTH_ESTIMATION_TRANSPORT', 'system')
    assert main(['camera', *arguments]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith('depth-estimation: ')
    assert words in last


def test_intrinsics_of_another_size_are_refused(
    ros_domain, monkeypatch, capfd, video, calibration
):
    monkeypatch.setenv('DEPTH_ESTIMATION_TRANSPORT', 'system')
    other = yaml.safe_load(calibration.read_text()) | {'image_width': 640, 'image_height': 480}
    calibration.write_text(yaml.safe_dump(other))
    assert main(['camera', '--device', str(video), '--camera', str(calibration)]) == 1
    assert 'describes images of 640x480, not 160x120' in capfd.readouterr().err


@pytest.mark.parametrize('flag', ['--size=640', '--size=0x480', '--rate=0', '--rate=fast'])
def test_flags_that_cannot_be_are_wrong_use(flag, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['camera', flag])
    assert flag.partition('=')[2] in capsys.readouterr().err


@pytest.mark.parametrize(
    ('size', 'rate', 'order'),
    [
        (None, 0.0, []),
        ((640, 480), 15.0, ['FRAME_WIDTH', 'FRAME_HEIGHT', 'FPS']),
        ((1280, 720), 0.0, ['FOURCC', 'FRAME_WIDTH', 'FRAME_HEIGHT']),
    ],
)
def test_a_camera_is_asked_for_jpeg_first_where_pictures_are_large(size, rate, order):
    assert list(_wanted(size, rate)) == [getattr(cv2, f'CAP_PROP_{name}') for name in order]


@pytest.fixture
def device():
    """A camera's device that nobody drives, which root alone may open."""
    if os.geteuid() != 0:
        pytest.skip('only root can make a device')
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, 'video0')
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(81, 250))
        except PermissionError:
            pytest.skip('this container may not make devices')
        yield str(path)


def test_a_device_that_does_not_answer_is_said(device):
    with pytest.raises(OSError, match=f'{device} cannot be opened.*plugged in'):
        Capture(device)


def test_a_device_that_is_forbidden_is_said_with_the_group_that_may(device):
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match='usermod -aG video'):
            Capture(device)
    finally:
        os.seteuid(0)


def test_the_node_makes_depth_of_a_video(ros, video):
    pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')
    from rig import Rig
    from sensor_msgs.msg import PointCloud2

    rig = Rig(model='bundled', runtime='torch', camera__hfov=70.0)
    command = [sys.executable, '-m', 'depth_estimation_ros.cli', 'camera', '--device', str(video)]
    to_node = ['--loop', '--ros-args', '-r', 'image_raw:=image']
    try:
        assert rig.node.autostart()
        clouds = rig.listen(PointCloud2, '/depth_estimation/points')
        camera = subprocess.Popen([*command, *to_node], stderr=subprocess.DEVNULL)
        rig.until(lambda: len(clouds) > 3, 'points of the video arrive')
    finally:
        camera.send_signal(signal.SIGINT)
        assert camera.wait(10) == 0
        rig.close()
    assert (clouds[-1].width, clouds[-1].height) == SIZE
    assert clouds[-1].header.frame_id == 'camera_optical_frame'
