# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where rerun's recordings go: a file, a viewer that runs somewhere, or one opened here."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rerun as rr

HERE = 'rerun+http://127.0.0.1:9876/proxy'
"""Address of the viewer on this machine."""

_ADDRESS = re.compile(r'rerun(?:\+http|\+https)?://(\[[^]]+\]|[^:/]+):(\d+)/proxy')
_SCREENS = ('DISPLAY', 'WAYLAND_DISPLAY')
_ANSWERS = 3.0  # seconds within which a viewer that runs takes a connection
_OPENS = 30.0  # seconds within which one opens
_STAYS = 1.5  # seconds: it answers before its window opens, without which it ends
_MEMORY = '25%'  # of the machine, above which a viewer that is opened here forgets the oldest
_QUIET = {'CI': 'true'}  # what has the viewer send nothing about its use to its makers


def is_file(target: str) -> bool:
    """Whether a target is a file; the others are viewers.

    Raises:
        ValueError: It is neither.
    """
    if target.endswith('.rrd'):
        return True
    _place(target or HERE)
    return False


def connected(target: str, overwrite: bool = False) -> rr.RecordingStream:
    """A recording that goes to the target: a file, an address, or empty: a viewer here.

    Args:
        target: As `is_file` knows them.
        overwrite: Whether a file that exists is replaced.

    Raises:
        ValueError: The target is none, or rerun is not installed.
        OSError: The file exists or cannot be made, or no viewer answers or opens.
    """
    to_file, rerun = is_file(target), _rerun()
    recording: rr.RecordingStream = rerun.RecordingStream(
        'depth_estimation', recording_id=uuid.uuid4()
    )
    if to_file:
        _save(recording, Path(target), overwrite)
        return recording
    if not _answers(target or HERE):
        if target:
            raise OSError(
                f'no viewer answers at {target}: start one there with rerun --bind 0.0.0.0'
            )
        _open()
    recording.connect_grpc(target or HERE)
    return recording


def _rerun() -> Any:
    chatty = 'RUST_LOG' in os.environ
    os.environ.setdefault('RUST_LOG', 'off')  # it is we who say what goes wrong
    try:
        import rerun
    except ImportError as error:
        raise ValueError(
            "a view needs the library rerun: pip install 'depth_estimation_ros[view]', or "
            'pip install rerun-sdk'
        ) from error
    finally:
        if not chatty:
            del os.environ['RUST_LOG']
    # At the end it would wait for a viewer that is stopped.
    rerun.unregister_shutdown()
    return rerun


def _save(recording: rr.RecordingStream, file: Path, overwrite: bool) -> None:
    if file.exists() and not overwrite:
        raise FileExistsError(f'{file} exists: remove it, or name another file')
    try:
        recording.save(file)
    except RuntimeError as error:
        raise OSError(f'{file} cannot be written: {error}') from error


def _answers(address: str) -> bool:
    try:
        socket.create_connection(_place(address), _ANSWERS).close()
    except OSError:
        return False
    return True


def _place(address: str) -> tuple[str, int]:
    """Host and port."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(
            f'{address!r} is no place for a view: a file ends with .rrd, the address of a viewer '
            f'is like {HERE}, and without either a viewer opens'
        )
    return found[1].strip('[]'), int(found[2])


def _open() -> None:
    """A viewer on this screen, which stays when this process ends."""
    if sys.platform == 'linux' and not any(map(os.environ.get, _SCREENS)):
        raise OSError(
            'there is no screen here for a view: name a file, --view FILE.rrd, or the address of '
            'a viewer that runs elsewhere, --view rerun+http://HOST:9876/proxy'
        )
    _, port = _place(HERE)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, '-m', 'rerun_cli', '--port', str(port), '--bind', '127.0.0.1',
             '--memory-limit', _MEMORY, '--hide-welcome-screen'],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env={**os.environ, **_QUIET}, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + _OPENS
        while time.monotonic() < deadline and process.poll() is None:
            if _answers(HERE):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STAYS)
                    break
                process.returncode = 0  # it is on its own from here
                return
            time.sleep(0.1)
        process.kill()
        said.seek(0)
        last = said.read().decode(errors='replace').strip().splitlines()[-1:]
    raise OSError(f'no viewer opens: {last[0] if last else f"not within {_OPENS:g} s"}')
