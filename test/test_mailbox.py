# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One slot between two threads."""

from __future__ import annotations

import threading

from depth_estimation_ros.mailbox import Mailbox


def test_the_newest_wins_and_what_somebody_missed_is_counted():
    box: Mailbox[int] = Mailbox()
    assert not box
    assert box.take() is None
    box.put(1)
    assert box.overwritten == 0
    box.put(2)
    box.put(3, missed=False)
    assert (box.overwritten, box.take(), bool(box)) == (1, 3, False)


def test_a_slot_that_is_written_again_is_never_seen_empty():
    """Who asks for depth of the newest image would be told that there is none."""
    box: Mailbox[int] = Mailbox()
    box.put(0)
    ended = threading.Event()

    def write() -> None:
        for number in range(20_000):
            box.put(number, missed=False)
        ended.set()

    threading.Thread(target=write).start()
    seen = [bool(box)]
    while not ended.is_set():
        seen.append(bool(box))
    assert all(seen)
