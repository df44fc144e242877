# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A file from a server that breaks off, changes its mind, is slow, or has something else."""

from __future__ import annotations

import fcntl
import hashlib
import random

import pytest
from web import BLOCK, Web

from depth_estimation_ros.models import fetch as fetching
from depth_estimation_ros.models.fetch import fetch

CONTENT = random.Random(0).randbytes(100_000)
OTHER = random.Random(1).randbytes(90_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def web():
    with Web() as web:
        yield web


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where the file is to lie; attempts follow each other at once."""
    monkeypatch.setattr(fetching, '_PAUSES', (0.0, 0.0))
    return tmp_path / 'folder' / 'weights'


def quietly(file, here, total):
    """Progress that nobody watches."""


def give_up(web, file, page, restarts=False):
    """A transfer of which half arrives, in as many attempts as there are."""
    page.cuts = [50_000, 50_000, 50_000] if restarts else [50_000, 0, 0]
    with pytest.raises(ConnectionError, match=r'0\.1 MB are here, and the same command goes on'):
        fetch(f'{web.url}/weights', file, quietly)
    assert not file.exists()
    assert file.with_name('weights.part').read_bytes() == page.content[:50_000]


def test_a_file_arrives_and_nothing_else(web, file):
    web.put('/weights', CONTENT)
    told = []
    assert fetch(f'{web.url}/weights', file, lambda *said: told.append(said), SHA256) == SHA256
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == CONTENT
    assert told[-1] == ('weights', 100_000, 100_000)


def test_what_was_cut_goes_on_where_it_was(web, file):
    page = web.put('/weights', CONTENT, cuts=[30_000, 0, 45_000])
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [30_000, 0, 45_000, 25_000]
    assert [asked.get('Range') for asked in page.asked] == [
        None, 'bytes=30000-', 'bytes=30000-', 'bytes=75000-',
    ]  # fmt: skip


def test_the_next_call_goes_on_too(web, file):
    page = web.put('/weights', CONTENT)
    give_up(web, file, page)
    page.sent.clear()
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [50_000]
    assert list(file.parent.iterdir()) == [file]


def test_another_version_is_not_glued_to_what_is_here(web, file):
    give_up(web, file, web.put('/weights', CONTENT))
    page = web.put('/weights', OTHER)
    fetch(f'{web.url}/weights', file, quietly)
    assert file.read_bytes() == OTHER
    assert page.asked[0]['Range'] == 'bytes=50000-'


@pytest.mark.parametrize('headers', [{}, {'ETag': 'W/"weak"'}])
def test_without_a_mark_of_the_version_it_begins_anew(web, file, headers):
    page = web.put('/weights', CONTENT)
    page.headers = headers
    give_up(web, file, page, restarts=True)
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent[-1] == 100_000
    assert not any('Range' in asked for asked in page.asked)


def test_a_checksum_is_a_mark_where_the_server_has_none(web, file):
    page = web.put('/weights', CONTENT, cuts=[30_000])
    page.headers = {}
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [30_000, 70_000]
    assert 'If-Range' not in page.asked[1]


def test_what_is_here_of_a_file_with_another_checksum_is_left(web, file):
    page = web.put('/weights', OTHER, cuts=[30_000, 0, 0])
    page.headers = {}
    with pytest.raises(ConnectionError):
        fetch(f'{web.url}/weights', file, quietly, hashlib.sha256(OTHER).hexdigest())
    web.put('/weights', CONTENT)
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert file.read_bytes() == CONTENT


def test_a_date_is_a_mark(web, file):
    page = web.put('/weights', CONTENT, cuts=[30_000])
    page.headers = {'ETag': 'W/"weak"', 'Last-Modified': 'Sat, 01 Aug 2026 10:00:00 GMT'}
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [30_000, 70_000]


def test_a_file_that_is_all_here_only_gets_its_name(web, file):
    page = web.put('/weights', CONTENT)
    give_up(web, file, page)
    file.with_name('weights.part').write_bytes(CONTENT)
    page.sent.clear()
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [0]
    assert file.read_bytes() == CONTENT


def test_more_than_there_is_begins_anew(web, file):
    page = web.put('/weights', CONTENT)
    give_up(web, file, page)
    file.with_name('weights.part').write_bytes(CONTENT + b'more')
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert file.read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_what_was_there_stays(web, file):
    web.put('/weights', OTHER)
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    with pytest.raises(ValueError, match=f'thrown away: its SHA-256 is .*, not {SHA256}'):
        fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == CONTENT


def test_the_first_digits_of_a_checksum_do(web, file):
    web.put('/weights', CONTENT)
    assert fetch(f'{web.url}/weights', file, quietly, SHA256[:8]) == SHA256
    with pytest.raises(ValueError, match='00000000'):
        fetch(f'{web.url}/weights', file, quietly, '00000000')


def test_a_server_that_falls_silent_is_asked_again(web, file, monkeypatch):
    monkeypatch.setattr(fetching, '_TIMEOUT', 0.2)
    page = web.put('/weights', CONTENT, paces=[1.0])
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.asked[1]['Range'] == f'bytes={BLOCK}-'


def test_a_slow_server_is_waited_for(web, file, monkeypatch):
    monkeypatch.setattr(fetching, '_TIMEOUT', 0.4)
    page = web.put('/weights', CONTENT, paces=[0.05])
    fetch(f'{web.url}/weights', file, quietly, SHA256)
    assert page.sent == [100_000]


@pytest.mark.parametrize(
    ('status', 'error'),
    [(401, PermissionError), (403, PermissionError), (404, FileNotFoundError),
     (410, FileNotFoundError), (418, ConnectionError)],
)  # fmt: skip
def test_a_refusal_is_told_at_once(web, file, status, error):
    page = web.put('/weights', b'', status=status)
    with pytest.raises(error, match=f'{web.url}/weights answers {status}'):
        fetch(f'{web.url}/weights', file, quietly)
    assert len(page.asked) == 1


def test_a_server_in_trouble_is_asked_again(web, file):
    page = web.put('/weights', b'', status=503)
    with pytest.raises(ConnectionError, match='answers 503 Service Unavailable'):
        fetch(f'{web.url}/weights', file, quietly)
    assert len(page.asked) == 3


def test_nobody_there(file):
    with pytest.raises(ConnectionError, match=r'http://127.0.0.1:9/weights: .*refused'):
        fetch('http://127.0.0.1:9/weights', file, quietly)


def test_what_does_not_fit_on_the_disk_is_not_begun(web, file):
    page = web.put('/weights', CONTENT, headers={'Content-Length': str(10**16)})
    with pytest.raises(OSError, match='weights needs 10000000000: free some, or set DEPTH_EST'):
        fetch(f'{web.url}/weights', file, quietly)
    assert len(page.asked) == 1


def test_a_full_disk_is_named(web, file):
    web.put('/weights', CONTENT)
    file.parent.mkdir()
    file.with_name('weights.part').symlink_to('/dev/full')
    with pytest.raises(OSError, match=r'weights\.part cannot be written: No space left'):
        fetch(f'{web.url}/weights', file, quietly)


def test_a_folder_that_cannot_be_is_named(web, file):
    file.parent.touch()
    with pytest.raises(OSError, match=r'cannot be written .*: set DEPTH_ESTIMATION_MODELS'):
        fetch(f'{web.url}/weights', file, quietly)


def test_two_do_not_write_one_file(web, file):
    page = web.put('/weights', CONTENT)
    file.parent.mkdir()
    with file.with_name('weights.part').open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match=r'weights\.part is being written by another'):
            fetch(f'{web.url}/weights', file, quietly)
    assert page.asked == []
