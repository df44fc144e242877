# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros.latency import Latency


def test_a_stage_takes_as_long_as_its_body():
    latency = Latency()
    with latency.stage('network'):
        time.sleep(0.02)
    (p50, p95, p99) = latency.percentiles()['network']
    assert 0.02 <= p50 == p95 == p99 < 2.0


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_durations(durations):
    latency = Latency()
    for duration in durations:
        latency.add('decode', duration)
    assert latency.percentiles()['decode'] == pytest.approx(np.percentile(durations, [50, 95, 99]))


def test_stages_keep_the_order_in_which_they_first_ran():
    latency = Latency()
    for name in ('decode', 'network', 'decode', 'publish'):
        latency.add(name, 0.001)
    assert list(latency.percentiles()) == ['decode', 'network', 'publish']


def test_old_durations_make_room():
    latency = Latency()
    for duration in [9.0] * 1000 + [1.0] * 300:
        latency.add('network', duration)
    assert latency.percentiles()['network'] == (1.0, 1.0, 1.0)


def test_a_stage_that_failed_is_not_counted():
    latency = Latency()
    with pytest.raises(ValueError, match='frame'), latency.stage('decode'):
        raise ValueError('bad frame')
    assert latency.percentiles() == {}
