# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import math

import pytest

from depth_estimation_ros.benchmarks import sensors


@pytest.fixture(scope='module')
def rows():
    return sensors.measure(3)


def test_metres_of_every_sensor_are_as_right_as_promised(rows):
    """Lidars of 16, 32 and 64 rings; the time is held by scripts/benchmark on a quiet machine."""
    for row, way in zip(rows, sensors.WAYS, strict=True):
        assert row['used'] == 3 or not way.always
        if not math.isnan(way.wanted):
            assert row['used'] >= 1
            assert row['worst'] <= way.wanted, row['way']


def test_an_error_of_the_height_adds_itself_and_no_more(rows):
    found = {(row['way'], row['kind']): row['median'] for row in rows}
    for kind in ('relative', 'metric'):
        exact, off = found['ground', kind], found['ground, height 1 % off', kind]
        assert abs(off - exact) < 0.0101


def test_what_is_missed_is_said_and_is_the_exit_code(monkeypatch, tmp_path, capsys):
    strict = [dataclasses.replace(way, wanted=1e-6) for way in sensors.WAYS[:1]]
    monkeypatch.setattr(sensors, 'WAYS', strict)
    file = tmp_path / 'figures.json'
    assert sensors.main(['--rooms', '1', '--json', str(file)]) == 1
    assert 'MISSED' in capsys.readouterr().out
    (row,) = json.loads(file.read_text())
    assert not row['holds']
    assert 0.0 < row['worst'] < sensors.SENSOR_ERROR
