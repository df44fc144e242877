# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of markers, on some of its views."""

import dataclasses
import itertools

import numpy as np
import pytest

from depth_estimation_ros.benchmarks import marker


@pytest.mark.parametrize('distance', [0.5, 3.0])
def test_the_distance_at_a_marker_is_within_two_percent(distance):
    seen = list(itertools.islice(marker.views('apriltag_36h11', distance, (45.0,)), 3))
    row = marker.measured('apriltag_36h11', distance, seen)
    assert (row['views'], row['found']) == (3, 3)
    assert row['worst'] <= 0.02


def test_a_view_without_the_marker_counts_as_refused_and_not_as_right():
    seen = list(itertools.islice(marker.views('apriltag_36h11', 1.0), 1))
    row = marker.measured('4x4_50', 1.0, seen)
    assert (row['views'], row['found']) == (1, 0)
    assert np.isnan(row['worst'])


@pytest.mark.parametrize('slant', [0.0, 45.0])
def test_tags_are_slanted_as_far_as_is_said(slant):
    view = next(marker.views('4x4_50', 1.0, (slant,)))
    cloud = np.insert(marker.CAMERA.rays(), 2, 1.0, axis=-1) * view.depth[..., None]
    on = cloud[np.linalg.norm(cloud - view.centre, axis=-1) < marker.SIDE / 3]
    normal = np.linalg.svd(on - on.mean(axis=0), full_matrices=False)[2][2]
    facing = abs(normal @ view.centre) / np.linalg.norm(view.centre)
    assert np.degrees(np.arccos(min(facing, 1.0))) == pytest.approx(slant, abs=0.5)


def test_a_marker_that_is_not_found_is_a_miss(monkeypatch, capsys):
    good = next(marker.views('apriltag_36h11', 1.0, (0.0,)))
    dark = dataclasses.replace(good, image=np.zeros_like(good.image))
    monkeypatch.setattr(marker, 'FAMILIES', {'apriltag_36h11': 'DICT_APRILTAG_36H11'})
    monkeypatch.setattr(marker, 'DISTANCES', (1.0,))
    for views, code in (([good, good], 0), ([good, dark], 1)):
        monkeypatch.setattr(marker, 'views', lambda *_, seen=views: seen)
        assert marker.main([]) == code
    assert '1 of 2 found' in capsys.readouterr().out
