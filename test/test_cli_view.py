# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`--view` of `depth-estimation bag` and `video`: every depth map that is written is shown."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rerun', reason='rerun is not installed: it needs NumPy 2')

from bags import START, STEP, drive, ros2
from film import numbered, shoot
from recording import array, entities

from depth_estimation_ros import cli
from depth_estimation_ros.bag import open_bag

NETWORK = ('--model', 'bundled', '--runtime', 'torch', '--device', 'cpu')


@pytest.fixture
def bag(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ros2(tmp_path / 'drive', drive(3))
    return tmp_path / 'drive'


def test_a_bag_is_shown_as_it_is_written(bag, tmp_path):
    assert cli.main(['bag', 'drive', 'out', '--view', 'drive.rrd', *NETWORK]) == 0
    shown = entities(tmp_path / 'drive.rrd')['/camera/optical/depth']
    assert [stamp for stamp, _ in shown] == [START + index * STEP for index in range(3)]
    with open_bag(tmp_path / 'out') as written:
        topic = '/depth_estimation/depth/image'
        images = [written.decode(record).data for record in written.messages([topic])]
    for (_, values), data in zip(shown, images, strict=True):
        metres = np.frombuffer(data, np.float32)
        seen = array(values['DepthImage:buffer'], np.float32)
        assert np.array_equal(seen, np.where(np.isfinite(metres), metres, np.nan), equal_nan=True)


def test_a_view_changes_no_byte_of_the_bag(bag, tmp_path):
    assert cli.main(['bag', 'drive', 'seen/out', '--view', 'drive.rrd', *NETWORK]) == 0
    assert cli.main(['bag', 'drive', 'alone/out', *NETWORK]) == 0
    seen, alone = sorted((tmp_path / 'seen' / 'out').iterdir()), tmp_path / 'alone' / 'out'
    assert [file.name for file in seen] == ['metadata.yaml', 'out.mcap']
    assert all(file.read_bytes() == (alone / file.name).read_bytes() for file in seen)


def test_a_video_is_shown_by_its_own_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shoot(tmp_path / 'drive.mkv', numbered(3), [0, 40, 90])
    arguments = ['video', 'drive.mkv', 'out.mkv', '--view=drive.rrd', '--hfov', '70', *NETWORK]
    assert cli.main(arguments) == 0
    held = entities(tmp_path / 'drive.rrd')
    assert [stamp for stamp, _ in held['/camera/points']] == [0, 40_000_000, 90_000_000]
    assert 'a guess' in held['/camera/calibration'][0][1]['TextDocument:text'].as_py()[0]


@pytest.mark.parametrize(
    ('arguments', 'error'),
    [
        (['drive', 'other', 'out', '--view', 'a.rrd'], '--view shows one recording'),
        (['drive', 'out', '--view', 'a.rrd', '--engine', 'ray'], '--view shows one recording'),
        (['drive', 'out', '--view', 'drive.mcap'], "'drive.mcap' is no place for a view"),
        (['--view', 'drive', 'out'], 'the following arguments are required'),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_done(
    bag, tmp_path, capsys, arguments, error
):
    ros2(tmp_path / 'other', drive(1))
    try:
        code = cli.main(['bag', *arguments, *NETWORK])
    except SystemExit as exit_code:
        code = exit_code.code
    assert code
    assert error in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
