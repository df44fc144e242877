# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A web server on this machine that speaks as GitHub and as the Hugging Face hub do, or fails."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 10_000
COMMIT = '0123456789abcdef0123456789abcdef01234567'


@dataclasses.dataclass
class Page:
    """What lies at a path, and how it is handed out.

    Attributes:
        content: Its bytes.
        status: 200; anything else is answered without content.
        headers: Sent along.
        cuts: The connection breaks after so many bytes, one number per answer, until none is left.
        paces: Seconds after every block of 10 kB, one number per answer, until none is left.
        asked: Headers of the requests for it, in order.
        sent: Bytes that were sent, one number per answer.
    """

    content: bytes = b''
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cuts: list[int] = dataclasses.field(default_factory=list)
    paces: list[float] = dataclasses.field(default_factory=list)
    asked: list[dict[str, str]] = dataclasses.field(default_factory=list)
    sent: list[int] = dataclasses.field(default_factory=list)


class Web(ThreadingHTTPServer):
    """Serves pages by their paths; `url` is where."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.url = f'http://127.0.0.1:{self.server_port}'
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def put(self, path: str, content: bytes, **options) -> Page:
        """A file with a strong ETag."""
        tag = f'"{hashlib.md5(content).hexdigest()}"'  # noqa: S324 - a mark, no secret
        page = Page(content, headers={'ETag': tag} | options.pop('headers', {}), **options)
        self.pages[path] = page
        return page

    def put_in_repository(
        self, repository: str, file: str, content: bytes, revision: str = 'main', **options
    ) -> Page:
        """A file as the hub has it: large ones lie on another host, under their checksum.

        Returns:
            The page that hands out the content.
        """
        there = f'/{repository}/resolve/'
        said = {'X-Repo-Commit': COMMIT}
        if len(content) < 1000:
            page = self.put(f'{there}{revision}/{file}', content, headers=said, **options)
            self.pages[f'{there}{COMMIT}/{file}'] = page
            return page
        checksum = hashlib.sha256(content).hexdigest()
        said |= {
            'X-Linked-ETag': f'"{checksum}"',
            'X-Linked-Size': str(len(content)),
            'Location': f'http://localhost:{self.server_port}/blob/{checksum}',
        }
        pointer = Page(status=302, headers=said)
        self.pages |= {f'{there}{revision}/{file}': pointer, f'{there}{COMMIT}/{file}': pointer}
        page = self.put(f'/blob/{checksum}', content, **options)
        page.headers = {}  # the hub's storage names no version
        return page


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self._answer(self.server.pages.get(self.path, Page(status=404)))

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path, Page(status=404))
        page.asked.append(dict(self.headers))
        content = self._answer(page)
        cut = page.cuts.pop(0) if page.cuts else len(content)
        page.sent.append(0)
        pace = page.paces.pop(0) if page.paces else 0.0
        with contextlib.suppress(ConnectionError):  # the client may have gone
            for start in range(0, min(cut, len(content)), BLOCK):
                block = content[start : min(start + BLOCK, cut)]
                self.wfile.write(block)
                page.sent[-1] += len(block)
                time.sleep(pace)

    def _answer(self, page: Page) -> bytes:
        """Send status and headers; what content belongs to them."""
        content, status, headers = page.content, page.status, dict(page.headers)
        start = self._start(page)
        if start is not None:
            whole = len(content)
            status = 206 if start < whole else 416
            content = content[start:]
            last = f'{start}-{whole - 1}' if content else '*'
            headers['Content-Range'] = f'bytes {last}/{whole}'
        self.send_response(status)
        for name, value in ({'Content-Length': str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        return content

    def _start(self, page: Page) -> int | None:
        """First byte that is asked for; None: all, also where the version asked for is gone."""
        asked = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        same = self.headers.get('If-Range') in {None, *page.headers.values()}
        return int(asked[1]) if asked and same and page.status == 200 else None

    def log_message(self, *_) -> None:
        """Keep quiet."""
