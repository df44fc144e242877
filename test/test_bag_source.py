# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Bags of every kind: the same messages, read little by little."""

from __future__ import annotations

import struct
import subprocess
import sys

import apsw
import bags
import numpy as np
import pytest
from bags import START, STEP, TYPES
from rosbags import rosbag1, rosbag2
from rosbags.typesys import get_types_from_msg

from depth_estimation_ros.bag import open_bag

KINDS = [
    ('mcap', None), ('mcap', 'storage'), ('mcap', 'lz4'), ('mcap', 'message'), ('mcap', 'file'),
    ('sqlite3', None), ('sqlite3', 'message'), ('sqlite3', 'file'),
    ('ros1', None), ('ros1', 'bz2'), ('ros1', 'lz4'),
]  # fmt: skip
WHOLE = [
    (topic, arrived, bytes(TYPES.serialize_cdr(message, message.__msgtype__)))
    for topic, arrived, message in bags.drive()
]


def written(folder, kind, compression, frames=30):
    if kind == 'ros1':
        recorded = bags.drive(frames, bags.ROS1)
        return bags.ros1(folder / 'drive.bag', recorded, compression)
    return bags.ros2(folder / 'drive', bags.drive(frames), kind, compression)


def read(path, **options):
    """What a bag gives, and what it says is lost."""
    with open_bag(path) as source:
        found = [(one.topic, one.arrived, bytes(one.data)) for one in source.messages(**options)]
        return found, source.loss


@pytest.mark.parametrize(('kind', 'compression'), KINDS)
def test_every_kind_gives_the_same_messages(tmp_path, kind, compression):
    path = written(tmp_path, kind, compression)
    assert read(path) == (WHOLE, [])
    if kind != 'ros1':
        assert read(bags.file_of(path)) == (WHOLE, [])
    third = START + 3 * STEP
    options = {'topics': {'/cam/image_raw', '/nothing'}, 'start': third, 'end': third + STEP}
    assert read(path, **options) == ([WHOLE[7]], [])
    assert read(path, start=third + 1000, end=third + STEP) == ([WHOLE[7]], [])
    with open_bag(path) as source:
        assert (source.start, source.end) == (WHOLE[0][1], WHOLE[-1][1])
        assert {name: topic.count for name, topic in source.topics.items()} == {
            '/cam/camera_info': 30,
            '/cam/image_raw': 30,
        }
        topic = source.topics['/cam/camera_info']
        assert topic.kind == bags.INFO
        assert 'float64[9] k' in topic.definition.data
        message = source.decode(next(source.messages({'/cam/camera_info'})))
        assert message.k[0] == bags.CAMERA.fx
        assert message.header.frame_id == 'optical'


def unindexed(file, shuffle=False):
    """Take the chunks out of an uncompressed mcap file, as a fast recorder leaves them away."""
    data, at, plain = file.read_bytes(), 8, []
    while data[at] not in {0x0F, 0x02}:
        kind, length = struct.unpack_from('<BQ', data, at)
        content = data[at : at + 9 + length]
        at += 9 + length
        if kind == 0x06:
            (name,) = struct.unpack_from('<I', content, 9 + 28)
            content = content[9 + 32 + name + 8 :]
        plain += [] if kind in {0x07, 0x0C} else [content]
    if shuffle:
        plain[1:] = [plain[1], *reversed(plain[2:])]
    end = b'\x0f' + struct.pack('<QI', 4, 0) + b'\x02' + struct.pack('<QQQI', 20, 0, 0, 0)
    file.write_bytes(data[:8] + b''.join(plain) + end + data[:8])


@pytest.mark.parametrize('shuffle', [False, True])
def test_mcap_without_chunks_is_read_in_order(tmp_path, shuffle):
    path = bags.ros2(tmp_path / 'drive', bags.drive(100))
    whole = read(path)
    unindexed(bags.file_of(path), shuffle)
    assert read(path) == whole


def test_a_database_without_index_of_time_is_read(tmp_path):
    path = bags.ros2(tmp_path / 'drive', bags.drive(), 'sqlite3')
    database = apsw.Connection(str(bags.file_of(path)))
    database.execute('DROP INDEX timestamp_idx')
    database.close()
    assert read(path) == (WHOLE, [])


def test_split_bags_are_one(tmp_path):
    parts = list(bags.drive())
    for storage in ('mcap', 'sqlite3'):
        path = bags.split(tmp_path / storage, [parts[:20], parts[20:31], parts[31:]], storage)
        assert read(path) == (WHOLE, [])
        with open_bag(path) as source:
            assert source.topics['/cam/image_raw'].count == 30
    (tmp_path / 'mcap' / 'mcap_2.mcap').unlink()
    assert read(tmp_path / 'mcap') == (WHOLE[:31], ['mcap_2.mcap is missing'])


def test_without_metadata_files_are_taken_by_number(tmp_path):
    parts = list(bags.drive())
    path = bags.split(tmp_path / 'drive', [parts[index : index + 5] for index in range(0, 60, 5)])
    (path / 'metadata.yaml').unlink()
    assert read(path) == (WHOLE, ['metadata.yaml is missing'])
    (path / 'metadata.yaml').write_text('rosbag2_bagfile_information: 5')
    found, (loss,) = read(path)
    assert found == WHOLE
    assert loss.startswith('metadata.yaml cannot be read')


def test_files_that_metadata_does_not_know_yet_are_taken(tmp_path):
    """The recorder was killed after it had begun a new file, and packs files in another thread."""
    parts = list(bags.drive())
    path = bags.split(tmp_path / 'drive', [parts[:20], parts[20:]])
    metadata = path / 'metadata.yaml'
    metadata.write_text(
        metadata.read_text()
        .replace('  - drive_1.mcap\n', '')
        .replace('drive_0.mcap\n', 'drive_0.mcap.zstd\n')
    )
    assert read(path) == (WHOLE, [])


def test_latched_topics_of_ros1_stay_latched(tmp_path):
    message = bags.ROS1.types['std_msgs/msg/String']('hello')
    with rosbag1.Writer(tmp_path / 'a.bag') as writer:
        for name, latching in (('/kept', 1), ('/passing', 0)):
            connection = writer.add_connection(
                name, 'std_msgs/msg/String', typestore=bags.ROS1, latching=latching
            )
            data = bags.ROS1.serialize_ros1(message, 'std_msgs/msg/String')
            writer.write(connection, START, data)
    with open_bag(tmp_path / 'a.bag') as source:
        assert [one.durability.name for one in source.topics['/kept'].qos] == ['TRANSIENT_LOCAL']
        assert source.topics['/passing'].qos == ()
        assert {source.decode(one).data for one in source.messages()} == {'hello'}


def test_types_that_ros2_has_not_or_otherwise_are_converted(tmp_path):
    own = 'Header header\nuint8 KIND=3\nint32[] values\nstring text\nThing thing\n'
    text = f'{own}{"=" * 80}\nMSG: my_msgs/Thing\ntime when\nfloat64 weight\n'
    types = get_types_from_msg(text, 'my_msgs/msg/Own')
    bags.ROS1.register({name: one for name, one in types.items() if name.startswith('my_msgs')})
    made = bags.ROS1.types
    message = made['my_msgs/msg/Own'](
        bags.header(START, types=bags.ROS1),
        np.array([1, -2], np.int32),
        'text',
        made['my_msgs/msg/Thing'](made['builtin_interfaces/msg/Time'](5, 6), 2.5),
    )
    odd = made['sensor_msgs/msg/Range'](
        bags.header(START, types=bags.ROS1), 1, 0.5, 0.1, 4.0, 2.0
    )  # ROS 2 has one field more
    with rosbag1.Writer(tmp_path / 'a.bag') as writer:
        for one in (message, odd):
            kind = one.__msgtype__
            connection = writer.add_connection(f'/{kind}', kind, typestore=bags.ROS1)
            writer.write(connection, START, bags.ROS1.serialize_ros1(one, kind))
    with open_bag(tmp_path / 'a.bag') as source:
        first, second = (source.decode(one) for one in source.messages())
        definition = source.topics['/my_msgs/msg/Own'].definition.data
        assert (first.values.tolist(), first.text) == ([1, -2], 'text')
        assert (first.thing.when.sec, first.thing.weight) == (5, 2.5)
        assert 'my_msgs/Thing' in definition
        assert 'seq' not in definition
        assert (second.range, second.variance, source.loss) == (2.0, 0.0, [])


def test_types_that_nobody_defines_are_passed_through(tmp_path):
    with rosbag2.Writer(
        tmp_path / 'a', version=9, storage_plugin=rosbag2.StoragePlugin.SQLITE3
    ) as writer:
        connection = writer.add_connection(
            '/odd', 'odd_msgs/msg/Odd', msgdef='int32 a', rihs01='RIHS01_0'
        )
        writer.write(connection, START, b'\x00\x01\x00\x00\x07\x00\x00\x00')
    database = apsw.Connection(str(bags.file_of(tmp_path / 'a')))
    database.execute('DELETE FROM message_definitions')
    database.close()
    with open_bag(tmp_path / 'a') as source:
        (record,) = source.messages()
        assert (record.topic, record.data) == ('/odd', b'\x00\x01\x00\x00\x07\x00\x00\x00')
        assert source.topics['/odd'].definition.data == ''
        with pytest.raises(ValueError, match='does not define odd_msgs/msg/Odd'):
            source.decode(record)


def test_a_type_means_what_the_bag_says_it_does(tmp_path):
    with rosbag2.Writer(
        tmp_path / 'a', version=9, storage_plugin=rosbag2.StoragePlugin.MCAP
    ) as writer:
        connection = writer.add_connection(
            '/range', 'sensor_msgs/msg/Range', msgdef='int32 old', rihs01='RIHS01_0'
        )
        for data in (b'\x07\x00\x00\x00', b'\x07'):
            writer.write(connection, START, b'\x00\x01\x00\x00' + data)
    with open_bag(tmp_path / 'a') as source:
        whole, cut = source.messages()
        assert source.decode(whole).old == 7
        with pytest.raises(ValueError, match='sensor_msgs/msg/Range cannot be decoded: it is dam'):
            source.decode(cut)


def record(kind, *fields):
    """A record of mcap: texts with their lengths, numbers as they are packed."""
    content = b''.join(
        struct.pack('<I', len(one)) + one.encode() if isinstance(one, str) else one
        for one in fields
    )
    return struct.pack('<BQ', kind, len(content)) + content


def two(number):
    return number.to_bytes(2, 'little')


def mcap(profile, schema, encoding, data):
    """An mcap file of another writer: no chunks, one channel and message, an attachment."""
    magic = b'\x89MCAP0\r\n'
    return b''.join(
        (
            magic,
            record(1, profile, 'by hand'),
            record(9, bytes(16), 'notes.txt', 'text/plain', bytes(8 + 4)),
            record(3, two(7), *schema),
            record(4, two(5), two(7), '/cam', encoding, bytes(4)),
            record(5, two(5), bytes(4), struct.pack('<QQ', START, START), data),
            record(15, bytes(4)),
            record(2, bytes(20)),
            magic,
        )
    )


def test_ros1_in_mcap_is_converted(tmp_path):
    text, _ = bags.ROS1.generate_msgdef(bags.INFO, ros_version=1)
    data = bags.ROS1.serialize_ros1(bags.info(START, types=bags.ROS1), bags.INFO)
    schema = ('sensor_msgs/CameraInfo', 'ros1msg', text)
    (tmp_path / 'a.mcap').write_bytes(mcap('ros1', schema, 'ros1', bytes(data)))
    with open_bag(tmp_path / 'a.mcap') as source:
        (message,) = map(source.decode, source.messages())
        assert message.k.tolist() == bags.CAMERA.matrix.ravel().tolist()
        assert source.topics['/cam'].kind == bags.INFO
        assert 'float64[9] k' in source.topics['/cam'].definition.data
        assert source.loss == []


def test_what_is_not_serialized_as_ros_does_is_said(tmp_path):
    schema = ('foxglove.RawImage', 'protobuf', '')
    (tmp_path / 'a.mcap').write_bytes(mcap('', schema, 'protobuf', b'data'))
    with open_bag(tmp_path / 'a.mcap') as source:
        assert (source.topics, list(source.messages())) == ({}, [])
        assert source.loss == ["/cam is serialized as 'protobuf', not as ROS does, and left out"]


def test_types_that_are_told_in_idl_are_told_as_messages(tmp_path):
    parts = {
        'Part': 'int32 number;',
        'Whole': 'my_msgs::msg::Part part; string name;',
    }
    text = ''.join(
        f'{"=" * 80}\nIDL: my_msgs/msg/{name}\n#include "my_msgs/msg/Part.idl"\n'
        f'module my_msgs {{ module msg {{ struct {name} {{ {fields} }}; }}; }};\n'
        for name, fields in parts.items()
    )
    data = b'\x00\x01\x00\x00' + struct.pack('<iI', 3, 3) + b'ab\x00'
    schema = ('my_msgs/msg/Whole', 'ros2idl', text)
    (tmp_path / 'a.mcap').write_bytes(mcap('ros2', schema, 'cdr', data))
    with open_bag(tmp_path / 'a.mcap') as source:
        (message,) = map(source.decode, source.messages())
        assert (message.part.number, message.name) == (3, 'ab')
        assert source.topics['/cam'].definition.format.name == 'MSG'
        assert 'MSG: my_msgs/Part\nint32 number' in source.topics['/cam'].definition.data


def test_what_is_no_bag_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no bag .*nothing'):
        read(tmp_path / 'nothing')
    (tmp_path / 'notes.txt').write_text('of the drive')
    with pytest.raises(
        ValueError, match=r"notes\.txt is no bag .* it begins with b'of the drive', as neither"
    ):
        read(tmp_path / 'notes.txt')
    with pytest.raises(ValueError, match=r'no bag, it holds notes.txt: give the folder'):
        read(tmp_path)
    (tmp_path / 'empty.mcap').touch()
    with pytest.raises(ValueError, match=r'empty\.mcap is no bag .* it is empty'):
        read(tmp_path / 'empty.mcap')


@pytest.mark.parametrize('kind', ['mcap', 'sqlite3', 'ros1'])
def test_a_large_bag_takes_little_memory(tmp_path, kind):
    """60 MB are read in a process of its own that may use 40 MB more than it begins with."""
    path = written(tmp_path, kind, None, frames=1000)
    script = (
        'import resource, sys\n'
        'from pathlib import Path\n'
        'from depth_estimation_ros.bag import open_bag\n'
        'def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'with open_bag(Path(sys.argv[1])) as source:\n'
        '    next(source.messages())\n'
        '    before = peak()\n'
        '    print(sum(len(one.data) for one in source.messages()), peak() - before)\n'
    )
    answer = subprocess.run(
        [sys.executable, '-c', script, str(path)], capture_output=True, text=True, check=True
    )
    size, grown = map(int, answer.stdout.split())
    assert size > 57_000_000
    assert grown * 1024 < 12_000_000


def test_a_topic_of_two_types_serves_the_first_and_tells_of_the_other(tmp_path):
    kinds = {'std_msgs/msg/String': b'\0\1\0\0\2\0\0\0a\0', 'std_msgs/msg/Bool': b'\0\1\0\0\1'}
    storage = rosbag2.StoragePlugin.MCAP
    with rosbag2.Writer(tmp_path / 'bag', version=8, storage_plugin=storage) as writer:
        for arrived, (kind, data) in enumerate(kinds.items()):
            writer.write(writer.add_connection('/x', kind, typestore=TYPES), arrived, data)
    with open_bag(tmp_path / 'bag') as source:
        (record,) = source.messages()
        assert source.decode(record).data == 'a'
        assert source.loss == [
            '/x is of type std_msgs/msg/String; messages of std_msgs/msg/Bool on it are left out'
        ]
