# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the bag tool, on few and small frames: memory, overlap, the node's depth."""

from __future__ import annotations

import dataclasses

import pytest

from depth_estimation_ros.benchmarks import offline, recording, trace

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')


@pytest.fixture(scope='module')
def seen():
    return recording.views(160, 120)


@pytest.mark.alone
def test_memory_is_flat_and_reading_and_writing_go_on_beside_the_network(
    conversions_at_hand, seen, tmp_path
):
    source = recording.record(tmp_path / 'drive', seen, 120)
    overlaps = []
    for turn in range(3):  # a busy machine may hold threads up, and lets none meet by chance
        run = offline.measure(source, tmp_path / f'out{turn}')
        assert run.frames == 120
        assert run.growth <= offline.GROWTH
        overlaps.append(run.overlap)
        if run.overlap >= offline.OVERLAP:
            return
    pytest.fail(f'of the frames {overlaps} overlap, not {offline.OVERLAP}')


def test_depth_is_bit_for_bit_that_of_the_node(ros_domain, seen, tmp_path):
    source = recording.record(tmp_path / 'drive', seen, 5)
    found = offline.same_as_node(source, tmp_path / 'out', 'torch')
    assert found == {'tool': 5, 'node': 5, 'same': 5}


def test_frames_one_after_the_other_are_no_overlap():
    noted = trace.Trace()
    for index in range(10):
        for step, name in enumerate(('read', 'work', 'write')):
            noted.spans[name].append((3.0 * index + step, 3.0 * index + step + 0.9))
    assert noted.overlap == 0.0
    noted.spans['read'] = [(start - 4.0, end) for start, end in noted.spans['read']]
    noted.spans['write'] = [(start, end + 4.0) for start, end in noted.spans['write']]
    assert noted.overlap == 1.0


def test_what_is_missed_is_said(capsys):
    good = offline.Offline(1000, 10.0, 9.0, 8.0, 1.0, 3.0, 200.0)
    figures = {
        'run': {**dataclasses.asdict(good), 'share': good.share},
        'long': {'megabytes': 2000.0, 'peak': 260.0, 'peak_of_short': 250.0},
        'node': {'tool': 40, 'node': 40, 'same': 40},
        'load': 0.1,
    }
    assert offline._print(figures)
    assert 'MISSED' not in capsys.readouterr().out
    for worse in (
        {'run': figures['run'] | {'growth': 51.0}},
        {'run': figures['run'] | {'share': 0.2}},
        {'run': figures['run'] | {'overlap': 0.5}},
        {'long': figures['long'] | {'peak': 301.0}},
        {'node': figures['node'] | {'same': 39}},
    ):
        assert not offline._print(figures | worse)
        assert capsys.readouterr().out.count('MISSED') == 1
