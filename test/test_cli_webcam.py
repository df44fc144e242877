# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation webcam` before a video: in a pipe, in a terminal, in a window, and refused."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from ctypes.util import find_library
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest

from depth_estimation_ros import synthetic
from depth_estimation_ros.camera import Camera

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, '-m', 'depth_estimation_ros.cli']
GIVEN = ['--model', 'bundled', '--runtime', 'onnxruntime', '--network-device', 'cpu']
SECONDS = 2  # of the short video


pytestmark = pytest.mark.usefixtures('conversions_at_hand')


@pytest.fixture(scope='module')
def videos(tmp_path_factory) -> Path:
    """A folder with drive.avi, of 2 s, and long.avi, of 20; the camera stands in a room."""
    folder = tmp_path_factory.mktemp('video')
    room = synthetic.make_room(3)
    pose = synthetic.trajectory(room, 1)[0]
    image, _ = synthetic.render(room, Camera.from_hfov(320, 240, 60.0), pose)
    for name, seconds in (('drive', SECONDS), ('long', 20)):
        code = cv2.VideoWriter.fourcc(*'MJPG')
        writer = cv2.VideoWriter(str(folder / f'{name}.avi'), code, 10, (320, 240))
        for _ in range(10 * seconds):
            writer.write(np.ascontiguousarray(image[..., ::-1]))
        writer.release()
    return folder


def surroundings(**more: str) -> dict[str, str]:
    """Environment variables of a machine without a screen."""
    here = {name: value for name, value in os.environ.items() if name != 'DISPLAY'}
    return here | {'PYTHONPATH': str(ROOT)} | more


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, 'webcam', *arguments],
        cwd=folder, env=surroundings(**environment), capture_output=True, text=True, timeout=60,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize('command', documents.arguments('webcam'))
def test_a_command_of_the_document_shows_a_video_as_it_would_a_camera(command, videos, tmp_path):
    (tmp_path / 'drive.avi').write_bytes((videos / 'drive.avi').read_bytes())
    arguments = shlex.split(command)[1:]
    if '--device' not in arguments:  # there is no camera where tests run
        arguments += ['--device', 'drive.avi']
    done = run(tmp_path, *arguments, *GIVEN)
    assert done.returncode == 0, done.stderr
    first, *_, last = lines = done.stdout.splitlines()
    assert len(lines) in (SECONDS, SECONDS + 1)  # a line a second
    assert re.search(r'\(159, 119\): depth \d\.\d{3} m', first)
    assert re.match(
        r'[\d.]+ frames/s, \d+ ms, \d+ dropped, bundled \(metric\), onnxruntime on cpu', last
    )
    assert not (tmp_path / 'snapshots').exists()


@pytest.mark.parametrize(
    ('arguments', 'code', 'text'),
    [
        (['--device', 'none.mp4'], 1, 'no camera or file none.mp4'),
        (['--model', 'none'], 1, "model 'none'"),
        (['--size', '640'], 2, "such as 640x480, not '640'"),
        (['--show', 'window'], 1, 'there is no screen'),
        (['--show', 'terminal'], 1, 'there is no terminal'),
        (['--depth-scale', '2', '--calibration', 'a.yaml'], 1, 'give one of them'),
        (['--color-range', '3,1'], 2, '3 is not below 1'),
    ],
)
def test_what_is_refused(videos, tmp_path, arguments, code, text):
    done = run(tmp_path, '--device', str(videos / 'drive.avi'), *GIVEN, *arguments)
    assert (done.returncode, done.stdout) == (code, '')
    assert text in done.stderr
    assert 'Traceback' not in done.stderr


class TerminalProgram:
    """The command in a terminal of 80 columns and 24 rows."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.master, inside = pty.openpty()
        self.resize(24, 80)
        self.before = termios.tcgetattr(inside)
        self.inside = inside
        self.said = b''
        self.process = subprocess.Popen(
            [*PROGRAM, 'webcam', *arguments],
            cwd=folder, env=surroundings(**environment), stdin=inside, stdout=inside,
            stderr=inside, start_new_session=True,
        )  # fmt: skip

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('4H', rows, columns, 0, 0))

    def until(self, pattern: str, timeout: float = 30.0) -> str:
        """What was said since the last call, up to a pattern."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern.encode(), self.said, re.DOTALL)):
            assert time.monotonic() < deadline, self.said[-2000:]
            if select.select([self.master], [], [], 0.1)[0]:
                self.said += os.read(self.master, 1 << 16)
        text, self.said = self.said[: found.end()], self.said[found.end() :]
        return text.decode(errors='replace')

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        try:
            deadline = time.monotonic() + 20.0
            while self.process.poll() is None and time.monotonic() < deadline:
                if select.select([self.master], [], [], 0.1)[0]:
                    self.said += os.read(self.master, 1 << 16)
            return self.process.wait(1.0)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.inside)
            os.close(self.master)


PAGE = r's: snapshot, q: quit\x1b\[J'


def widest(said: str) -> int:
    """Blocks in the longest line of the last page."""
    return max(line.count('▀') for line in said.rpartition('\x1b[H')[2].split('\n'))


def test_in_a_terminal_half_blocks_fill_it_and_keys_are_heard(videos, tmp_path):
    given = ('--device', str(videos / 'long.avi'), *GIVEN)
    program = TerminalProgram(tmp_path, *given, COLUMNS='200')  # of a shell in a larger one
    try:
        program.until('neither DISPLAY nor WAYLAND_DISPLAY is set: shown here')
        program.until(r'\x1b\[\?1049h')
        page = program.until(PAGE)
        lines = page.split('\n')
        assert len(lines) <= 24
        # 24 rows less three of text, of a picture of 8 to 3
        assert (sum('▀' in line for line in lines), lines[0].count('▀')) == (15, 80)
        assert '(159, 119): depth' in page
        program.resize(12, 40)
        while widest(program.until(PAGE)) > 40:  # drawn before it was told
            pass
        program.type('s')
        assert 0 < widest(program.until('kept as snapshots')) <= 40
        program.type('\x1bOQ')  # F2 is no q
        program.until('snapshot')
        assert program.process.poll() is None
        program.type('q')
    finally:
        code = program.end()
    assert code == 0
    written = sorted(path.name for path in (tmp_path / 'snapshots').iterdir())
    assert [name.rpartition('_')[2] for name in written] == [
        'colour.png', 'depth.npz', 'picture.png'
    ]  # fmt: skip
    after = program.said.decode(errors='replace')
    assert '\x1b[?25h\x1b[?1049l' in after  # cursor and page are back
    assert f'snapshots/{written[0]}' in after.rpartition('\x1b[?1049l')[2]


def test_ctrl_c_is_one_of_the_ways_to_end_it(videos, tmp_path):
    process = subprocess.Popen(
        [*PROGRAM, 'webcam', '--device', str(videos / 'long.avi'), *GIVEN],
        cwd=tmp_path, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with process:
        assert 'depth' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert 'Traceback' not in err


def test_a_terminal_is_left_as_it_was_when_somebody_ends_the_process(videos, tmp_path):
    program = TerminalProgram(tmp_path, '--device', str(videos / 'long.avi'), *GIVEN)
    try:
        program.until(r's: snapshot, q: quit\x1b\[J')
        assert termios.tcgetattr(program.inside) != program.before
        program.process.send_signal(signal.SIGTERM)
        program.until(re.escape('\x1b[?25h\x1b[?1049l'))
        program.process.wait(20.0)
        assert termios.tcgetattr(program.inside) == program.before
    finally:
        code = program.end()
    assert code == 0


def test_a_screen_that_does_not_answer_ends_nothing(videos, tmp_path):
    """Qt would end the process."""
    done = run(tmp_path, '--device', str(videos / 'drive.avi'), *GIVEN, DISPLAY=':9876')
    assert done.returncode == 0
    assert 'OpenCV opens no window' in done.stderr
    assert 'shown as a line a second' in done.stderr


@pytest.fixture
def screen():
    """A screen in memory, as DISPLAY has it."""
    if shutil.which('Xvfb') is None:
        pytest.skip('needs Xvfb, a screen in memory')
    read, write = os.pipe()
    server = subprocess.Popen(
        ['Xvfb', '-noreset', '-displayfd', str(write), '-screen', '0', '1600x900x24'],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    yield f':{os.read(read, 16).decode().strip()}'
    os.close(read)
    server.terminate()
    server.wait()


def test_where_there_is_a_screen_a_window_is_opened(videos, tmp_path, screen):
    done = run(tmp_path, '--device', str(videos / 'drive.avi'), *GIVEN, DISPLAY=screen)
    assert (done.returncode, done.stdout) == (0, ''), done.stderr
    assert 'opens no window' not in done.stderr
    assert 'QFontDatabase' not in done.stderr


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib, padded to the size of an XEvent."""

    _fields_ = (
        ('type', ctypes.c_int), ('serial', ctypes.c_ulong), ('send_event', ctypes.c_int),
        ('display', ctypes.c_void_p), ('window', ctypes.c_ulong), ('message_type', ctypes.c_ulong),
        ('format', ctypes.c_int), ('data', ctypes.c_long * 5), ('padding', ctypes.c_long * 12),
    )  # fmt: skip


def close_windows(screen: str) -> int:
    """Ask every window of a screen to close, as a click on its cross does; how many there are."""
    x11 = ctypes.CDLL('libX11.so.6')
    for function in (x11.XOpenDisplay, x11.XInternAtom, x11.XDefaultRootWindow):
        function.restype = ctypes.c_void_p
    display = ctypes.c_void_p(x11.XOpenDisplay(screen.encode()))
    atoms = [x11.XInternAtom(display, name, 0) for name in (b'WM_PROTOCOLS', b'WM_DELETE_WINDOW')]
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    windows, number = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
    unused = ctypes.byref(ctypes.c_ulong())
    x11.XQueryTree(display, root, unused, unused, ctypes.byref(windows), ctypes.byref(number))
    for window in windows[: number.value]:
        event = ClientMessage(33, 0, 1, display, window, atoms[0], 32)  # 33: ClientMessage
        event.data[0] = atoms[1]
        x11.XSendEvent(display, ctypes.c_ulong(window), 0, 0, ctypes.byref(event))
    x11.XCloseDisplay(display)
    return number.value


@pytest.mark.skipif(find_library('X11') is None, reason='needs libX11 to close a window')
def test_a_window_that_is_closed_ends_it(videos, tmp_path, screen):
    process = subprocess.Popen(
        [*PROGRAM, 'webcam', '--device', str(videos / 'long.avi'), *GIVEN, '--show', 'window'],
        cwd=tmp_path, env=surroundings(DISPLAY=screen), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        deadline = time.monotonic() + 15.0  # the video lasts longer
        while process.poll() is None and time.monotonic() < deadline:
            close_windows(screen)  # that of the trial, too, whom it does not disturb
            time.sleep(0.2)
        ended = process.poll()
        process.kill()
        said = process.communicate()[1]
    assert ended == 0, said
