# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short run of the benchmark of videos: the figures are there, and memory does not grow."""

import json

from depth_estimation_ros.benchmarks.video import GROWTH, WAITING, main


def test_memory_stays_where_it_is(tmp_path, capsys):
    file = tmp_path / 'figures.json'
    code = main(['--frames', '120', '--size', '320x240', '--json', str(file)])
    runs = json.loads(file.read_text())
    assert [(run['ending'], run['frames']) for run in runs] == [
        ('.mp4', 120), ('.webm', 120), ('.avi', 120),
    ]  # fmt: skip
    for run in runs:
        # Each frame that stayed would be 1.2 MB of picture, depth and colours: 130 in all.
        assert run['growth'] <= 30.0
        assert 0.0 < run['waiting'] < 1.0
    fast = all(run['waiting'] <= WAITING and run['growth'] <= GROWTH for run in runs)
    assert code == int(not fast)
    assert 'waiting at most 15%' in capsys.readouterr().out
