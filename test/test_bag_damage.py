# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Damaged bags: what can be read is served, unchanged, and what cannot is said."""

from __future__ import annotations

import shutil

import apsw
import bags
import pytest
from bags import START, STEP
from test_bag_source import KINDS, WHOLE, read, written

IN_TIME = {one: number for number, one in enumerate(WHOLE)}


def file_of(path):
    return path if path.is_file() else bags.file_of(path)


@pytest.mark.parametrize(('kind', 'compression'), KINDS)
def test_what_lies_before_a_cut_is_read(tmp_path, kind, compression):
    """Sqlite keeps a page of rows together, bz2 a block of 900 kB; others lose what was cut."""
    path = written(tmp_path, kind, compression)
    file = file_of(path)
    size = file.stat().st_size
    most = {'bz2': 40, 'lz4': 5, 'message': 5, 'file': 12}.get(compression, 3)
    before = len(WHOLE)
    for part in (19, 14, 9, 6):
        bags.cut(file, size * part // 20 + 3)
        found, loss = read(path)
        numbers = [IN_TIME[one] for one in found]  # none of them changed
        assert numbers == sorted(set(numbers))
        assert len(WHOLE) * part // 20 - (12 if kind == 'sqlite3' else most) <= len(found) < before
        assert any('cut off' in one or 'damaged' in one for one in loss)
        before = len(found) + 1


@pytest.mark.parametrize('kind', ['mcap', 'ros1'])
def test_a_damaged_chunk_costs_its_messages_alone(tmp_path, kind):
    path = written(tmp_path, kind, 'lz4')
    file = file_of(path)
    data = bytearray(file.read_bytes())
    chunk = data.index(b'\x04\x22\x4d\x18')  # where an lz4 frame begins
    data[chunk : chunk + 4] = bytes(4)
    file.write_bytes(data)
    found, (loss,) = read(path)
    assert 15 <= len(found) < 60
    assert found == WHOLE[-len(found) :]
    assert loss.startswith(f'{file.name}: 1 chunks are damaged')


def test_a_checksum_that_does_not_fit_is_believed(tmp_path):
    path = written(tmp_path, 'mcap', None)
    file = file_of(path)
    data = bytearray(file.read_bytes())
    chunk = data.index(b'\x06', 8 + 9)
    data[chunk + 9 + 24 : chunk + 9 + 28] = b'\x01\x02\x03\x04'
    file.write_bytes(data)
    found, (loss,) = read(path)
    assert 15 <= len(found) < 60
    assert found == WHOLE[-len(found) :]
    assert 'checksum' in loss


def test_messages_that_an_index_tells_of_are_missed(tmp_path):
    """Without a checksum, a chunk whose records break off is as good as one that ends there."""
    path = written(tmp_path, 'mcap', None)
    file = file_of(path)
    data = bytearray(file.read_bytes())
    at = data.index(WHOLE[11][2][:200])
    data[at - 31 : at - 23] = (2**40).to_bytes(8, 'little')  # the length of its record
    file.write_bytes(data)
    found, (loss,) = read(path)
    assert found[:11] == WHOLE[:11]
    assert loss == f'{file.name}: {60 - len(found)} of 60 messages are damaged'


def test_a_file_that_goes_on_in_zeros_ends_there(tmp_path):
    path = written(tmp_path, 'mcap', None)
    file = file_of(path)
    file.write_bytes(file.read_bytes()[:1_500_000] + bytes(300_000))
    found, (chunk, end) = read(path)
    assert found[:50] == WHOLE[:50]
    assert chunk == f'{file.name}: 1 chunks are damaged (records do not follow each other)'
    assert end.startswith(f'{file.name}: damaged and not read any further after ')


@pytest.mark.parametrize('kind', ['mcap', 'sqlite3', 'ros1'])
def test_time_and_topics_are_chosen_of_damaged_bags_too(tmp_path, kind):
    path = written(tmp_path, kind, None)
    file = file_of(path)
    bags.cut(file, file.stat().st_size * 3 // 4)
    third = START + 3 * STEP
    options = {'topics': {'/cam/image_raw'}, 'start': third, 'end': third + STEP}
    found, loss = read(path, **options)
    assert found == [WHOLE[7]]
    assert loss


def test_a_ros1_bag_of_a_recorder_that_was_killed_is_read(tmp_path):
    """Its index is written at the end, and its header says where: nowhere, until then."""
    path = written(tmp_path, 'ros1', None)
    data = bytearray(path.read_bytes())
    field = data.index(b'index_pos=') + len(b'index_pos=')
    end = int.from_bytes(data[field : field + 8], 'little')
    data[field : field + 8] = bytes(8)
    active = tmp_path / 'drive.bag.active'
    active.write_bytes(data[:end])
    assert read(active) == (WHOLE, [])


def test_a_database_whose_recorder_was_killed_is_read_with_its_journal(tmp_path):
    path = bags.ros2(tmp_path / 'drive', bags.drive(), 'sqlite3')
    database = apsw.Connection(str(file_of(path)))
    database.execute('PRAGMA journal_mode = WAL').fetchall()
    database.execute('PRAGMA wal_autocheckpoint = 0').fetchall()
    database.execute('DELETE FROM messages WHERE id % 2').fetchall()
    killed = tmp_path / 'killed'
    shutil.copytree(path, killed)
    database.close()
    (killed / f'{file_of(path).name}-shm').unlink()
    before = {one.name: one.read_bytes() for one in killed.iterdir()}
    assert len(before) == 3
    assert read(killed) == (WHOLE[1::2], [])
    assert {one.name: one.read_bytes() for one in killed.iterdir()} == before


def test_the_damaged_file_of_a_split_bag_is_read_in_part(tmp_path):
    parts = list(bags.drive())
    path = bags.split(tmp_path / 'drive', [parts[:20], parts[20:40], parts[40:]])
    bags.cut(path / 'drive_1.mcap', 300_000)
    found, (loss,) = read(path)
    assert found == [*WHOLE[:31], *WHOLE[40:]]
    assert loss == 'drive_1.mcap: cut off after 300000 of its bytes'
    (path / 'drive_1.mcap').write_bytes(b'')
    assert read(path) == ([*WHOLE[:20], *WHOLE[40:]], ['drive_1.mcap: it is empty'])


def test_a_message_that_cannot_be_converted_is_counted(tmp_path):
    path = written(tmp_path, 'ros1', None)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'\x07\x00\x00\x00optical', b'\xff\xff\x00\x70optical'))
    good = data.count(b'\x07\x00\x00\x00optical')
    assert good == 60
    found, losses = read(path)
    assert found == []
    assert sum(int(loss.partition(' ')[0]) for loss in losses) == 60
