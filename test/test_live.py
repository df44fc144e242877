# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera without ROS: the newest frame of real video files and streams, and what is drawn."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from depth_estimation_ros import calibration_file, sections, synthetic
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.capture import Capture
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.fitting import fit
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.live.newest import Captured, Newest
from depth_estimation_ros.live.picture import PANEL, Seen, half_blocks, shown_size
from depth_estimation_ros.live.session import Session
from depth_estimation_ros.road import Road

RATE = 20


def numbered(number: int) -> np.ndarray:
    """A frame of a brightness of its own."""
    return np.full((48, 64, 3), 8 * number, np.uint8)


def number_of(captured: Captured) -> int:
    return round(captured.rgb().mean() / 8)


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> str:
    """30 frames at 20 per second."""
    file = str(tmp_path_factory.mktemp('video') / 'numbered.avi')
    writer = cv2.VideoWriter(file, cv2.VideoWriter.fourcc(*'MJPG'), RATE, (64, 48))
    for number in range(30):
        writer.write(numbered(number))
    writer.release()
    return file


def test_a_video_plays_at_its_pace_and_who_is_slow_gets_the_newest_frame(video):
    source = Newest(Capture(video))
    time.sleep(0.5)
    first = source.take(5.0)
    assert number_of(first) == 0  # it has waited
    started, stamps, numbers = time.perf_counter(), [first.stamp], [0]
    while not source.ended:
        time.sleep(0.21)  # for about four frames
        newest = source.take(1.0)
        if newest is not None:
            numbers.append(number_of(newest))
            stamps.append(newest.stamp)
            assert numbers[-1] <= (time.perf_counter() - started) * RATE + 1.5
    source.close()
    assert numbers == sorted(set(numbers))
    assert stamps == sorted(set(stamps))
    assert numbers[-1] == 29
    assert source.dropped == 30 - len(numbers)
    assert time.perf_counter() - started > 29 / RATE - 0.3
    assert source.error == ''


def test_the_picture_is_rgb(tmp_path):
    file = str(tmp_path / 'one.png')
    cv2.imwrite(file, np.full((48, 64, 3), (200, 20, 10), np.uint8))
    source = Newest(Capture(file))
    try:
        assert source.take(5.0).rgb()[0, 0].tolist() == [10, 20, 200]
    finally:
        source.close()


def test_closing_ends_the_thread(video):
    source = Newest(Capture(video))
    source.take(5.0)
    source.close()
    assert 'capture' not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def stream():
    """A camera of the network: JPEG after JPEG over HTTP, and it breaks after 12 of them."""

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=next')
            self.end_headers()
            for number in range(12):
                _, jpeg = cv2.imencode('.jpg', numbered(number))
                head = f'--next\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.size}\r\n\r\n'
                self.wfile.write(head.encode() + jpeg.tobytes() + b'\r\n')
                time.sleep(0.02)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Camera)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}/camera'
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_stream_that_breaks_is_said_to_have_broken(stream):
    source = Newest(Capture(stream))
    seen = []
    deadline = time.monotonic() + 20.0
    while not source.ended:
        assert time.monotonic() < deadline
        newest = source.take(0.1)
        if newest is not None:
            seen.append(number_of(newest))
    source.close()
    assert seen == sorted(seen)
    assert re.search(r'camera gives no more frames after \d+: is it still connected', source.error)


@pytest.fixture
def nobody():
    """A user who may not open everything, as root may."""
    before = os.getresuid()
    if before[1] == 0:
        os.setresuid(65534, 65534, 0)
    yield
    os.setresuid(*before)


def test_a_camera_that_may_not_be_opened_names_the_group(nobody):
    with tempfile.TemporaryDirectory() as folder:
        device = f'{folder}/video0'
        os.mkfifo(device, 0o000)  # no regular file, as a device is none
        with pytest.raises(PermissionError, match=r'video0 may not be .*usermod -aG video'):
            Capture(device)


@pytest.mark.parametrize(('height', 'width'), [(48, 64), (1080, 1920), (1280, 720)])
def test_a_place_in_the_window_is_the_pixel_under_it_in_both_panels(height, width):
    image, colours = np.zeros((2, height, width, 3), np.uint8)
    rows, columns = shown_size(height, width)
    assert max(rows, columns) == PANEL
    seen = Seen(image, colours, np.zeros((rows, 80, 3), np.uint8), (3, 5), ('a', 'b'), 'c')
    shown = seen.window()
    assert shown.shape[1] == 2 * columns + 80
    assert shown.shape[0] > rows
    assert shown[rows:].any()  # lines
    u, v = width // 3, height // 4
    x, y = int((u + 0.5) * columns / width), int((v + 0.5) * rows / height)
    for panel in (0, columns):
        found = np.array(seen.pixel(panel + x, y))
        assert np.abs(found - (u, v)).max() <= max(1, 0.5 * width / columns)
    assert seen.pixel(0, 0) is not None
    assert seen.pixel(2 * columns, 0) is seen.pixel(0, rows) is None


def test_the_mark_is_where_it_points_to():
    image, colours = np.full((2, 48, 64, 3), 100, np.uint8)
    seen = Seen(image, colours, np.zeros((480, 80, 3), np.uint8), (10, 20), ())
    panels = seen.panels()
    assert panels.shape == (480, 1280, 3)
    for left in (0, 640):
        rows, columns = np.nonzero((panels[:, left : left + 640] == 255).all(axis=-1))
        assert abs(columns.mean() - (10.5 * 10 - 0.5)) <= 0.5
        assert abs(rows.mean() - (20.5 * 10 - 0.5)) <= 0.5
    assert (image == 100).all()


def blocks(text: list[str]) -> np.ndarray:
    """What a terminal shows of half blocks, [2 rows, columns, 3]."""
    cell = re.compile(r'\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m▀')
    rows = [np.array(cell.findall(line), int).reshape(-1, 2, 3) for line in text]
    return np.concatenate([np.moveaxis(row, 1, 0) for row in rows])


def test_half_blocks_are_the_picture_in_the_size_of_the_terminal():
    picture = np.zeros((48, 128, 3), np.uint8)
    picture[:24, :64], picture[24:, 64:] = (200, 10, 20), (5, 250, 90)
    for columns, rows, expected in ((64, 30, (24, 64)), (200, 10, (20, 53)), (1, 1, (2, 1))):
        shown = blocks(half_blocks(picture, columns, rows))
        assert shown.shape == (*expected, 3)
        assert shown.shape[0] <= 2 * rows
        if columns > 1:
            assert shown[1, 1].tolist() == [200, 10, 20]
            assert shown[-2, -2].tolist() == [5, 250, 90]
            assert not shown[1, -2].any()


@pytest.fixture(scope='module')
def frame(conversions_at_hand) -> Captured:
    room = synthetic.make_room(3)
    image, _ = synthetic.render(
        room, Camera.from_hfov(320, 240, 60.0), synthetic.trajectory(room, 1)[0]
    )
    return Captured(image[..., ::-1], 1_000_000_000, time.perf_counter())


def session(model: str = 'bundled', **said: object) -> Session:
    estimator = DepthEstimator.load(model, device='cpu', runtime='onnxruntime')
    return Session(Road((0.1, 20.0), **said), estimator, sections.Colorize(), sections.Distance())


def test_what_is_seen_tells_the_distance_at_the_mark_and_what_is_not_known(frame, tmp_path):
    watched = session(intrinsics=sections.Intrinsics(hfov=60.0))
    seen = watched.look(frame)
    assert seen.mark == (159, 119)
    assert re.match(r'\(159, 119\): depth \d\.\d{3} m, std dev unknown without', seen.lines[1])
    assert 'along the ray' in seen.lines[1]
    watched.mark = (10, 20)
    watched.served(frame, 0)
    time.sleep(1.1)  # a network may be that slow
    watched.served(frame, 7)
    seen = watched.look(frame)
    assert seen.lines[1].startswith('(10, 20): depth')
    assert re.match(
        r'0\.\d frames/s, \d+ ms, 7 dropped, bundled \(metric\), onnxruntime on cpu',
        seen.lines[0],
    )
    assert seen.hint == 's: snapshot, q: quit'


def test_under_a_calibration_the_standard_deviation_is_told_and_wavering_counts(frame, tmp_path):
    estimator = DepthEstimator.load('bundled-relative', device='cpu', runtime='onnxruntime')
    (prediction,) = estimator.predict([frame.rgb()])
    said = np.asarray(prediction.values)[::40, ::40].ravel()
    noise = np.random.default_rng(1).normal(1.0, 0.02, said.size)
    fitted = fit(said, noise * 20.0 / said, DepthKind.RELATIVE)
    file = tmp_path / 'calibration.yaml'
    calibration_file.save(Calibration(fitted, 'bundled-relative', None, 1), file)
    watched = session('bundled-relative', calibration_file=file)
    sigmas = []
    for image in (frame.bgr, frame.bgr, np.roll(frame.bgr, 120, axis=1)):
        captured = frame._replace(bgr=image, stamp=frame.stamp + len(sigmas))
        line = watched.look(captured).lines[1]
        sigmas.append(float(re.search(r'std dev (\d\.\d{3}) m$', line)[1]))
    assert 0.0 < sigmas[0] == sigmas[1] < sigmas[2]


def test_without_metres_the_cure_is_shown_in_place_of_a_distance(frame):
    seen = session('bundled-relative').look(frame)
    assert seen.lines[1].startswith('no metres: this network is relative')
    assert '--calibration FILE' in seen.lines[1]


def test_a_snapshot_is_what_was_seen(frame, tmp_path):
    watched = session(depth_scale=1.5)
    watched.snapshot(tmp_path)
    assert list(tmp_path.iterdir()) == []
    seen = watched.look(frame)
    watched.snapshot(tmp_path / 'new')
    picture, colour, numbers = watched.snapshots
    assert picture.parent == tmp_path / 'new'
    np.testing.assert_array_equal(cv2.imread(str(picture)), frame.bgr)
    np.testing.assert_array_equal(cv2.imread(str(colour))[:, :320, ::-1], seen.colours)
    stored = np.load(numbers)
    assert str(stored['kind']) == 'calibrated'
    assert stored['depth'].shape == (240, 320)
    assert str(numbers) in watched.look(frame).hint
