# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A short run of the pipeline benchmark: the figures are there, and the right way round."""

import json

import pytest

from depth_estimation_ros.benchmarks.pipeline import main

STAGES = {'decode', 'preprocess', 'restore', 'calibrate', 'colour', 'cloud', 'publish'}


@pytest.mark.usefixtures('ros_domain')
def test_our_road_is_faster_than_the_usual_one(tmp_path, capsys):
    pytest.importorskip('transformers', reason='the usual way needs transformers')
    file = tmp_path / 'figures.json'
    code = main([
        '--check-fields', '--network', '256x192', '--rounds', '1', '--json', str(file)
    ])  # fmt: skip
    (result,) = json.loads(file.read_text())
    figures = result['networks']['256x192']
    assert figures['frames'] == {'ours': 5, 'usual': 1, 'usual_set_up': 1}
    for road in ('ours', 'usual', 'usual_set_up'):
        assert set(figures['stages_ms'][road]) - {'network'} == STAGES
    assert figures['ratio'] == figures['ms']['usual'] / figures['ms']['ours']
    # Checked, the usual way looks at every byte of eight megabytes: far above any noise.
    assert figures['ratio'] > 8.0
    assert code == int(figures['ms']['ours'] > 6.0)
    assert 'times faster' in capsys.readouterr().out
