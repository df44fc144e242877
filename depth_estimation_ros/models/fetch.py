# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One file over HTTP: resumed where it broke off, and named only when it is whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path

import httpx2

from depth_estimation_ros.models import store

# Name of the file, bytes that are here, bytes in all (0: the server does not say).
Report = Callable[[str, int, int], None]

_TIMEOUT = 20.0  # seconds without a byte
_PAUSES = (0.5, 1.0, 2.0)  # seconds before another attempt, after attempts that brought nothing
_PASSING = {408, 416, 425, 429, 500, 502, 503, 504}  # answers that may be others next time
_DIGITS = 64  # of a whole SHA-256


def fetch(
    url: str,
    file: Path,
    report: Report,
    sha256: str = '',
    headers: Mapping[str, str] | None = None,
) -> str:
    """Bring a file here; one that lies there already is replaced when the new one is whole.

    What has arrived lies beside it as `.part`, with a mark of its version as `.part.version`, and
    stays there when the transfer breaks off. The next call asks for the rest, and for everything
    if the server has another version by then.

    Args:
        url: Address; redirects are followed, and the user's token stays with the first host.
        file: Where it is to lie.
        report: Told of the progress.
        sha256: Checksum in hexadecimal digits, or its first ones; empty: none is known.
        headers: Sent with every request.

    Returns:
        The checksum of the file.

    Raises:
        ConnectionError: The server is out of reach, or the transfer broke off again and again.
        FileNotFoundError, PermissionError: The server has no such file, or not for this user.
        OSError: No room, or no permission to write.
        ValueError: What arrived is not what the checksum says; it is thrown away.
    """
    part = file.with_name(f'{file.name}.part')
    with _appending(part) as stream:
        _Transfer(url, stream, report, sha256, headers or {}).run()
        checksum = store.sha256(part)
        if checksum.startswith(sha256):
            os.fsync(stream.fileno())
            os.replace(part, file)
        part.unlink(missing_ok=True)
        part.with_name(f'{part.name}.version').unlink(missing_ok=True)
    if not checksum.startswith(sha256):
        raise ValueError(
            f'{url} is damaged or another version, and was thrown away: its SHA-256 is '
            f'{checksum}, not {sha256}'
        )
    return checksum


@contextlib.contextmanager
def _appending(part: Path) -> Iterator[FileIO]:
    """A file open for this process alone."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        stream = part.open('ab', buffering=0)
    except OSError as error:
        raise OSError(
            f'{part} cannot be written ({error.strerror}): set DEPTH_ESTIMATION_MODELS to a '
            'folder that can'
        ) from error
    with stream:
        if not _is_alone(stream):
            raise BlockingIOError(f'{part} is being written by another download')
        yield stream


def _is_alone(stream: FileIO) -> bool:
    """Lock a file for this process; False: another one has it, or has just renamed it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(stream.fileno()), Path(stream.name).stat())
    except (BlockingIOError, FileNotFoundError):
        return False


class _Transfer:
    """Brings the rest of a file.

    The version of what is here is named by the server's strong ETag or date of change, which
    `If-Range` holds against the server's own (RFC 9110, 13.1.5). The hub's storage sends neither;
    there it is the whole checksum that is expected, which tells in the end what was glued wrongly.
    """

    def __init__(
        self, url: str, stream: FileIO, report: Report, sha256: str, headers: Mapping[str, str]
    ) -> None:
        self._url = url
        self._stream = stream
        self._report = report
        self._checksum = sha256 if len(sha256) == _DIGITS else ''
        self._headers = {'Accept-Encoding': 'identity', **headers}
        self._part = Path(stream.name)
        self._version = self._part.with_name(f'{self._part.name}.version')

    def run(self) -> None:
        """Try until it is all here, or several times in a row nothing arrives."""
        pauses = iter(_PAUSES)
        while True:
            before = self._stream.tell()
            try:
                self._receive()
            except httpx2.RequestError as error:
                here = self._stream.tell()
                if here > before:
                    pauses = iter(_PAUSES)
                pause = next(pauses, None)
                if pause is None:
                    raise ConnectionError(
                        f'{self._url}: {error or type(error).__name__}: is it reached from this '
                        f'machine? {here / 1e6:.1f} MB are here, and the same command goes on '
                        'from there'
                    ) from error
            else:
                return
            time.sleep(pause)

    def _receive(self) -> None:
        here = self._stream.tell()
        asked = self._headers | (self._rest(here) if here else {})
        with httpx2.stream(
            'GET', self._url, headers=asked, timeout=_TIMEOUT, follow_redirects=True
        ) as answer:
            if answer.headers.get('Content-Range') == f'bytes */{here}':
                return  # it was all here
            if answer.status_code == 416:
                self._version.unlink(missing_ok=True)  # more is here than there: begin anew
            _check(answer)
            if answer.status_code != 206:  # everything is sent
                here = self._begin_anew(answer.headers)
            left = int(answer.headers.get('Content-Length', 0))
            _check_room(self._part, left)
            total = here + left if left else 0
            for block in answer.iter_bytes():
                _write(self._stream, block)
                here += len(block)
                self._report(self._part.stem, here, total)

    def _rest(self, here: int) -> dict[str, str]:
        """Headers that ask for what is not here; none: nothing names the version of what is."""
        mark = self._version.read_text('utf-8') if self._version.is_file() else ''
        rest = {'Range': f'bytes={here}-'}
        if len(mark) == _DIGITS:
            return rest if mark == self._checksum else {}
        return rest | {'If-Range': mark} if mark else {}

    def _begin_anew(self, headers: Mapping[str, str]) -> int:
        if self._stream.tell():
            self._stream.seek(0)
            self._stream.truncate()
        tag = headers.get('ETag', 'W/')
        mark = headers.get('Last-Modified', '') if tag.startswith('W/') else tag
        self._version.write_text(mark or self._checksum, 'utf-8')
        return 0


def _check(answer: httpx2.Response) -> None:
    said = f'{answer.url} answers {answer.status_code} {answer.reason_phrase}'
    if answer.status_code in _PASSING:
        raise httpx2.RequestError(said)
    if answer.status_code in {401, 403}:
        raise PermissionError(said)
    if answer.status_code in {404, 410}:
        raise FileNotFoundError(said)
    if not answer.is_success:
        raise ConnectionError(said)


def _check_room(part: Path, size: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if size > free:
        raise OSError(
            f'{part.parent} has room for {free / 1e6:.0f} MB and {part.stem} needs '
            f'{size / 1e6:.0f}: free some, or set DEPTH_ESTIMATION_MODELS to a folder elsewhere'
        )


def _write(stream: FileIO, block: bytes) -> None:
    try:
        while block:
            block = block[stream.write(block) :]
    except OSError as error:
        raise OSError(f'{stream.name} cannot be written: {error.strerror}') from error
