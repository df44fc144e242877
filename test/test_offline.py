# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Every item in order, three at a time."""

from __future__ import annotations

import threading

import pytest

from depth_estimation_ros.offline import in_order

PATIENCE = 10.0  # s


def test_every_item_comes_through_in_order():
    written = []
    in_order(range(100), lambda item: -item, written.append)
    assert written == [-item for item in range(100)]


def test_nothing_comes_of_nothing():
    in_order([], pytest.fail, pytest.fail)


def test_the_next_is_read_and_the_last_is_written_while_one_is_worked_on():
    """Each stage waits until its neighbours have begun: one thread would wait forever."""
    reading_2, writing_0, worked_1 = (threading.Event() for _ in range(3))

    def items():
        yield from (0, 1)
        reading_2.set()
        assert worked_1.wait(PATIENCE)
        yield 2

    def work(item):
        if item == 1:
            assert reading_2.wait(PATIENCE)
            assert writing_0.wait(PATIENCE)
            worked_1.set()
        return item

    def write(item):
        if item == 0:
            writing_0.set()
            assert worked_1.wait(PATIENCE)

    in_order(items(), work, write)
    assert worked_1.is_set()


def test_it_reads_no_further_ahead_than_asked():
    read = []

    def items():
        for item in range(50):
            read.append(item)
            yield item

    most = 0

    def work(item):
        nonlocal most
        most = max(most, len(read) - item)

    in_order(items(), work, lambda _: None, ahead=3)
    assert 1 <= most <= 1 + 3


def test_results_that_wait_to_be_written_are_few():
    """The writer does not come on until as much work was done as may be done."""
    worked, go_on = [], threading.Event()

    def work(item):
        worked.append(item)
        if len(worked) == 3:
            go_on.set()
        return item

    def write(item):
        assert go_on.wait(PATIENCE)
        assert worked[-1] - item <= 3

    in_order(range(20), work, write, ahead=2)


def broken_after(count: int):
    yield from range(count)
    message = 'torn tape'
    raise OSError(message)


def test_what_was_read_before_an_error_is_written():
    written = []
    with pytest.raises(OSError, match='torn tape'):
        in_order(broken_after(5), lambda item: item, written.append)
    assert written == [0, 1, 2, 3, 4]


def test_an_error_of_the_work_ends_it_when_all_before_is_written():
    written = []

    def work(item):
        return 1 // (3 - item)

    with pytest.raises(ZeroDivisionError):
        in_order(range(1000), work, written.append)
    assert written == [1 // 3, 1 // 2, 1]


def test_nothing_is_written_behind_what_could_not_be():
    written = []

    def write(item):
        if item == 3:
            raise OSError(28, 'disk full')
        written.append(item)

    with pytest.raises(OSError, match='disk full'):
        in_order(range(1000), lambda item: item, write)
    assert written == [0, 1, 2]


def test_the_last_write_may_fail_too():
    def write(item):
        if item == 9:
            raise OSError(28, 'disk full')

    with pytest.raises(OSError, match='disk full'):
        in_order(range(10), lambda item: item, write)


@pytest.mark.parametrize('fails', ['read', 'work', 'write', 'nothing'])
def test_no_thread_outlives_it(fails):
    def stage(name):
        def act(item):
            if item == 2 and name == fails:
                raise KeyboardInterrupt
            return item

        return act

    before = threading.active_count()
    try:
        in_order(map(stage('read'), range(10)), stage('work'), stage('write'))
    except KeyboardInterrupt:
        assert fails != 'nothing'
    assert threading.active_count() == before
