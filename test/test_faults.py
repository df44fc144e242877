# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of frames: counted by reason, told, and never a memory leak."""

from __future__ import annotations

import threading

from depth_estimation_ros.faults import Faults


def test_a_fault_is_said_at_once_and_then_only_counted():
    said = []
    faults = Faults(said.append)
    for _ in range(3):
        faults.add('step=100')
    assert said == ['step=100 (1 so far)']
    assert faults.counts == {'step=100': 3}


def test_the_latest_fault_is_known_also_when_it_came_before():
    faults = Faults(lambda _: None)
    for reason in ('a', 'b', 'a'):
        faults.add(reason)
    assert faults.latest == 'a'


def test_garbage_of_ever_new_kinds_is_counted_together_but_still_said_by_name():
    said = []
    faults = Faults(said.append)
    for size in range(100):
        faults.add(f'{size} bytes')
    assert len(faults.counts) == 21
    assert faults.counts.total() == 100
    assert faults.counts['others'] == 80
    assert said[-1].startswith('20 bytes')
    assert not any('others (' in text for text in said)


def test_every_fault_of_two_threads_is_counted_while_a_third_reads():
    faults = Faults(lambda _: None)
    threads = [
        threading.Thread(target=lambda: [faults.add(str(i % 30)) for i in range(2000)])
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert all(count > 0 for count in faults.counts.values())
    assert faults.counts.total() == 4000
