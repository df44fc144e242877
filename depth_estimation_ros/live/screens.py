# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where it is shown: a window, a terminal, or a line a second."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable
from typing import Protocol, TextIO

import cv2
import numpy as np

from depth_estimation_ros.live.picture import Seen, half_blocks

QUIT = 'q'
_USUAL = 80, 24  # columns and rows of a terminal that does not tell, as on a serial line
_TITLE = 'depth-estimation'
_ESCAPE = '\x1b'
_TRY = f'import cv2; cv2.namedWindow({_TITLE!r}); cv2.waitKey(1)'


class Screen(Protocol):
    """Shows frames, and tells what the person before it wants."""

    def show(self, seen: Seen) -> None:
        """Show a frame in place of the one before."""

    def keys(self) -> str:
        """Keys pressed since the last call; closing it is `QUIT`."""

    def marked(self) -> tuple[float, float] | None:
        """The pixel that was pointed at last, or None."""

    def close(self) -> None:
        """Leave everything as it was."""


class Window:
    """A window of OpenCV's; a click points at a pixel. For one thread."""

    def __init__(self) -> None:
        # The Qt of OpenCV's wheels complains at length that it brings no fonts, and needs none.
        os.environ.setdefault('QT_LOGGING_RULES', 'default.warning=false')
        self._seen: Seen | None = None
        self._mark: tuple[float, float] | None = None
        cv2.namedWindow(_TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        cv2.setMouseCallback(_TITLE, self._on_mouse)

    def show(self, seen: Seen) -> None:
        """As `Screen.show`."""
        self._seen = seen
        cv2.imshow(_TITLE, np.ascontiguousarray(seen.window()[..., ::-1]))

    def keys(self) -> str:
        """As `Screen.keys`; what the window system wants is done here."""
        key = cv2.waitKey(1)
        try:
            if self._seen is not None and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                return QUIT
        except cv2.error:  # which Qt's raises once the last window is closed
            return QUIT
        return _key(chr(key & 0xFF)) if key >= 0 else ''

    def marked(self) -> tuple[float, float] | None:
        """As `Screen.marked`."""
        return self._mark

    def close(self) -> None:
        """As `Screen.close`."""
        cv2.destroyAllWindows()

    def _on_mouse(self, event: int, x: int, y: int, *_: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN and self._seen is not None:
            self._mark = self._seen.pixel(x, y) or self._mark


class Terminal:
    """Coloured half blocks, as many as the terminal holds; the centre is what is pointed at."""

    def __init__(self) -> None:
        self._before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        sys.stdout.write('\x1b[?1049h\x1b[?25l\x1b[2J')  # another page, and no cursor

    def show(self, seen: Seen) -> None:
        """As `Screen.show`."""
        size = os.get_terminal_size(sys.stdout.fileno())  # COLUMNS may tell one of before
        columns, rows = size.columns or _USUAL[0], size.lines or _USUAL[1]
        text = [line[: columns - 1] for line in (*seen.lines, seen.hint)]
        blocks = half_blocks(seen.panels(), columns, max(rows - len(text), 1))
        page = '\x1b[K\n'.join([*blocks, *text])
        sys.stdout.write(f'\x1b[H{page}\x1b[J')
        sys.stdout.flush()

    def keys(self) -> str:
        """As `Screen.keys`."""
        pressed = ''
        while select.select([sys.stdin], [], [], 0.0)[0]:
            text = os.read(sys.stdin.fileno(), 64).decode(errors='replace')
            if not text:
                return QUIT  # whoever typed is gone
            pressed += text
        return _key(pressed)

    def marked(self) -> None:
        """As `Screen.marked`."""
        return

    def close(self) -> None:
        """As `Screen.close`."""
        sys.stdout.write('\x1b[?25h\x1b[?1049l')
        sys.stdout.flush()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)


class Lines:
    """A line a second, for where nobody sees pictures."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._last = write, -math.inf

    def show(self, seen: Seen) -> None:
        """As `Screen.show`."""
        if time.monotonic() - self._last >= 1.0:
            self._last = time.monotonic()
            self._write(' | '.join(seen.lines))

    def keys(self) -> str:
        """As `Screen.keys`: none."""
        return ''

    def marked(self) -> None:
        """As `Screen.marked`."""
        return

    def close(self) -> None:
        """As `Screen.close`."""


def no_window() -> str:
    """Why no window can be opened here; empty: one can.

    Tried in a process of its own, because Qt ends the one that has no screen.
    """
    if sys.platform == 'linux' and not (
        os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
    ):
        return 'there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set'
    try:
        tried = subprocess.run(  # noqa: S603
            [sys.executable, '-c', _TRY], capture_output=True, text=True, timeout=30.0, check=False
        )
    except subprocess.TimeoutExpired:
        return 'the screen does not answer'
    if tried.returncode == 0:
        return ''
    said = [line for line in tried.stderr.splitlines() if line.strip()] or ['it does not say why']
    why = next((line for line in said if line.startswith('cv2.error')), said[0])
    if 'not implemented' in why:
        return 'this OpenCV has no windows, as opencv-python-headless has none; opencv-python has'
    return f'OpenCV opens no window: {why}'


def is_terminal(*streams: TextIO) -> bool:
    """Whether a person is at the other end of all of them."""
    return all(stream.isatty() for stream in streams)


def _key(pressed: str) -> str:
    """Keys in lower case; Escape alone quits, what begins with it is an arrow or the like."""
    if pressed.startswith(_ESCAPE):
        return QUIT if pressed == _ESCAPE else ''
    return pressed.lower()
