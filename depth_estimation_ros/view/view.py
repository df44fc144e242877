# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Shows depth maps without their maker ever waiting for the viewer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.mailbox import Mailbox
from depth_estimation_ros.view import viewer

if TYPE_CHECKING:
    import rerun as rr

_PATIENCE = 1.0  # seconds within which a viewer that works takes a depth map
_DISK = 30.0  # seconds within which a file does
_LAST = 5.0  # seconds for what is under way when a view is closed


class View:
    """A viewer, or a file for it, until it is closed.

    A thread of its own shows what `show` gives it. A depth map goes out once the one before has
    been taken, so that nothing piles up before a viewer that is slow or stopped: of each camera
    the newest waits. A file gets every one, unless it must not be waited for.

    Args:
        target: A file FILE.rrd, the address rerun+http://HOST:PORT/proxy of a viewer, or empty: a
            viewer on this screen, which is opened where none is.
        config: Says how colours and points are made; may be replaced.
        say: Takes what people should know.
        live: Whether `show` must not wait for a file, either.
        overwrite: Whether a file that exists is replaced.

    Attributes:
        wanted: Whether anybody sees what is shown.

    Raises:
        ValueError: The target is none, or rerun is not installed.
        OSError: The file exists or cannot be made, or no viewer answers or opens.
    """

    def __init__(
        self,
        target: str,
        config: Config,
        say: Callable[[str], object],
        live: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.wanted, self.config = True, config
        self._anew = False
        self._target, self._live, self._say = target or viewer.HERE, live, say
        self._to_file = viewer.is_file(target)
        self._boxes: dict[str, Mailbox[DepthMap]] = {}
        self._change = threading.Condition()
        self._closing = self._given_up = False
        self._fault = ''
        self._ended = threading.Event()
        recording = viewer.connected(target, overwrite)
        # A daemon: it may be left behind with a viewer that does not answer.
        threading.Thread(target=self._run, args=(recording,), name='view', daemon=True).start()

    def show(self, name: str, depth_map: DepthMap) -> None:
        """Show a depth map; it does not fail.

        Args:
            name: Of the camera; empty for a single one.
            depth_map: Nobody may write to its arrays any more.
        """
        if not self.wanted:
            return
        depth_map = depth_map.in_main_memory()
        with self._change:
            box = self._boxes.setdefault(name.strip('/') or 'camera', Mailbox())
            if self._to_file and not self._live:
                self._change.wait_for(lambda: not (box and self.wanted))
            box.put(depth_map)
            self._change.notify_all()

    def settle_anew(self) -> None:
        """Let the colours of what has no unit settle again: it is of another model."""
        self._anew = True

    def close(self) -> None:
        """Show what waits, and end.

        Raises:
            OSError: A file could not be written to its end.
        """
        with self._change:
            self._closing = True
            self._change.notify_all()
        if not self._ended.wait(_DISK if self._to_file else _LAST):
            self._given_up = True
            self._fault = self._fault or f'{self._target} does not answer'
        if self._fault and self._to_file:
            raise OSError(f'{self._fault}: what is shown there ends before')
        missed = sum(box.overwritten for box in self._boxes.values())
        if missed and not self._live:
            self._say(f'{missed} frames came faster than {self._target} took them')

    def _run(self, recording: rr.RecordingStream) -> None:
        from depth_estimation_ros.view.scene import Scene

        scene = Scene(recording)
        try:
            while waiting := self._take():
                if self._anew:
                    self._anew = False
                    scene.settle_anew()
                for name, depth_map in waiting:
                    scene.log(name, depth_map, self.config)
                    self._send(recording)
            recording.disconnect()
        except Exception as error:  # of rerun, or the viewer is gone; whoever shows goes on
            self._fault = f'no view any more: {error}'
            self._say(self._fault)
        with self._change:
            self.wanted = False
            self._ended.set()
            self._change.notify_all()
        if self._fault:
            threading.Event().wait()  # to let go of the recording would wait for the viewer

    def _take(self) -> list[tuple[str, DepthMap]]:
        """What waits, as soon as there is something; nothing: the end."""
        with self._change:
            self._change.wait_for(lambda: self._closing or any(self._boxes.values()))
            boxes = list(self._boxes.items())
            waiting = [(name, one) for name, box in boxes if (one := box.take()) is not None]
            self._change.notify_all()
        return waiting

    def _send(self, recording: rr.RecordingStream) -> None:
        """Wait until the target has taken what was logged.

        Raises:
            OSError: It never will.
        """
        patience = _DISK if self._to_file else _PATIENCE
        while True:
            begun = time.monotonic()
            try:
                recording.flush(timeout_sec=patience)
            except RuntimeError as error:
                slow = time.monotonic() - begun >= patience
                if self._to_file:
                    raise OSError(
                        f'{self._target} cannot be written: is the disk full?'
                    ) from error
                if not slow or self._given_up:
                    raise OSError(f'the viewer at {self._target} is gone') from error
            else:
                return
