# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Markers and boards of known size, as references."""

import dataclasses

import numpy as np
import pytest
from printed import CAMERA, LENSES, SIDE, SQUARE, charuco, chessboard, held, tag, view

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.references import fit_to, fit_together
from depth_estimation_ros.references.marker import MarkerOptions, marker
from depth_estimation_ros.references.marker_detection import DICTIONARIES

APRILTAG = tag('DICT_APRILTAG_36H11', 7)
BOARD = MarkerOptions(board='chessboard', columns=9, rows=7)
CHARUCO = MarkerOptions(board='charuco', columns=7, rows=5, dictionary='4x4_50')


def worst(references, truth):
    """The largest relative error of the references."""
    true = truth[references.v.astype(int), references.u.astype(int)]
    return np.abs(references.depth / true - 1.0).max()


@pytest.mark.parametrize('dictionary', DICTIONARIES)
def test_every_family_tells_the_depth_of_each_of_its_pixels(dictionary):
    depth_map, truth = view(held(tag(f'DICT_{dictionary.upper()}', 3), SIDE))
    found = marker(depth_map, SIDE, MarkerOptions(dictionary))
    assert worst(found, truth) < 2e-3
    assert 250 < len(found.u) <= 500
    assert (found.source, found.independent) == ('marker', 1)
    assert found.remark.startswith(f'{dictionary} id 3 at 1.0')


@pytest.mark.parametrize('lens', LENSES)
@pytest.mark.parametrize('centre', [(-0.25, 0.18, 0.7), (0.6, -0.4, 1.6)])
def test_the_lens_is_known(lens, centre):
    camera = dataclasses.replace(CAMERA, distortion_model=lens, distortion=LENSES[lens])
    depth_map, truth = view(held(APRILTAG, SIDE, (-35.0, 20.0, 5.0), centre), camera=camera)
    assert worst(marker(depth_map, SIDE, MarkerOptions()), truth) < 5e-3
    straight = dataclasses.replace(camera, distortion_model='', distortion=())
    unbent = dataclasses.replace(depth_map.frame, camera=straight)
    bent = marker(dataclasses.replace(depth_map, frame=unbent), SIDE, MarkerOptions())
    assert worst(bent, truth) > 1e-2  # so that the lens is what is tested


def test_pixels_lie_on_the_marker_and_away_from_its_border():
    depth_map, truth = view(held(APRILTAG, SIDE, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    found = marker(depth_map, SIDE, MarkerOptions())
    width = CAMERA.fx * SIDE
    assert np.ptp(found.u) == pytest.approx(0.7 * width, abs=2)
    assert np.ptp(found.v) == pytest.approx(0.7 * width, abs=2)
    assert (truth[found.v.astype(int), found.u.astype(int)] < 1.1).all()


@pytest.mark.parametrize(
    ('options', 'made'),
    [
        (BOARD, chessboard(9, 7)),
        (CHARUCO, charuco(CHARUCO)),
        (dataclasses.replace(CHARUCO, rows=6, legacy=True), None),
    ],
    ids=['chessboard', 'charuco', 'legacy'],
)
def test_boards_tell_the_depth_of_each_of_their_pixels(options, made):
    depth_map, truth = view(held(made or charuco(options), SQUARE))
    found = marker(depth_map, SQUARE, options)
    assert worst(found, truth) < 2e-3
    assert 250 < len(found.u) <= 500
    assert found.independent == 1


def test_a_charuco_board_may_be_covered_in_part():
    depth_map, truth = view(held(charuco(CHARUCO), SQUARE))
    depth_map.frame.image[:, :310] = 90
    assert worst(marker(depth_map, SQUARE, CHARUCO), truth) < 5e-3


def test_all_markers_in_view_are_used_and_give_a_relative_model_its_shift():
    near = held(APRILTAG, SIDE, centre=(-0.15, 0.1, 0.8))
    far = held(tag('DICT_APRILTAG_36H11', 8), SIDE, centre=(0.5, -0.3, 2.0))
    depth_map, _ = view(near, far, kind=DepthKind.RELATIVE)
    shifted = dataclasses.replace(depth_map.prediction, values=depth_map.prediction.values - 0.1)
    depth_map = dataclasses.replace(depth_map, prediction=shifted)
    found = marker(depth_map, SIDE, MarkerOptions())
    assert found.independent == 2
    assert ', apriltag_36h11 id ' in found.remark
    fitted = fit_to(found, depth_map)
    assert (fitted.scale, fitted.shift) == pytest.approx((1.0, 0.1), rel=0.02)
    alone = fit_to(marker(depth_map, SIDE, MarkerOptions(id=7)), depth_map)
    assert alone.shift == 0.0
    assert 'scale alone' in alone.remark


def test_views_of_one_marker_at_several_distances_give_the_shift_too():
    views = []
    for z in (0.6, 1.0, 1.8):
        card = held(APRILTAG, SIDE, centre=(0.0, 0.0, z))
        depth_map, _ = view(card, kind=DepthKind.RELATIVE)
        values = 2.0 * depth_map.prediction.values - 0.2
        depth_map = dataclasses.replace(
            depth_map, prediction=dataclasses.replace(depth_map.prediction, values=values)
        )
        views.append((marker(depth_map, SIDE, MarkerOptions()), depth_map))
    fitted = fit_together(views)
    assert (fitted.scale, fitted.shift) == pytest.approx((0.5, 0.1), rel=0.02)


def test_a_marker_that_tells_nothing_is_left_out_and_that_is_said():
    good = held(APRILTAG, SIDE, centre=(-0.3, 0.1, 0.8))
    edgewise = held(tag('DICT_APRILTAG_36H11', 8), SIDE, (77.0, 0.0, 0.0), (0.0, 0.0, 0.5))
    found = marker(view(good, edgewise)[0], SIDE, MarkerOptions())
    assert found.independent == 1
    assert 'id 8 is seen at' in found.remark


def test_approximate_intrinsics_are_said():
    camera = Camera.from_hfov(640, 480, 60.0)
    found = marker(view(held(APRILTAG, SIDE), camera=camera)[0], SIDE, MarkerOptions())
    assert 'approximate' in found.remark


@pytest.mark.parametrize('side', [0.0, -0.16, np.nan, np.inf])
def test_a_side_that_is_none_is_refused(side):
    with pytest.raises(ValueError, match=f'must be positive metres, not {side:g}'):
        marker(view()[0], side, MarkerOptions())


def test_without_intrinsics_there_is_no_pose():
    depth_map, _ = view()
    depth_map = dataclasses.replace(
        depth_map, frame=dataclasses.replace(depth_map.frame, camera=None)
    )
    with pytest.raises(ValueError, match='a marker needs the intrinsics'):
        marker(depth_map, SIDE, MarkerOptions())


@pytest.mark.parametrize(
    ('seen', 'options', 'said'),
    [
        (None, MarkerOptions(), 'no marker of apriltag_36h11 is in view: show it whole'),
        (tag('DICT_5X5_50', 7), MarkerOptions(), 'found 5x5_1000 id 7 instead'),
        (APRILTAG, MarkerOptions('7x7_50'), 'found apriltag_36h11 id 7 instead'),
        (APRILTAG, MarkerOptions(id=4), 'marker 4 of apriltag_36h11 is not in view, but there'),
        (None, BOARD, 'no chessboard of 9x7 squares is in view: show it whole'),
        (chessboard(9, 7), MarkerOptions(board='chessboard'), 'one of 9x7 instead; count squ'),
        (None, CHARUCO, 'no ChArUco board of 7x5 squares is in view, but 0 of its inner'),
        (charuco(CHARUCO), MarkerOptions(board='charuco'), 'found 4x4_1000 id'),
        (APRILTAG, CHARUCO, 'found apriltag_36h11 id 7 instead'),
        (None, dataclasses.replace(CHARUCO, rows=20), '7x20 squares has more markers than 4x4_50'),
        (None, MarkerOptions(board='chessboard', columns=4, rows=4), 'no chessboard of 4x4'),
    ],
)
def test_what_is_not_in_view_is_refused_with_what_is(seen, options, said):
    cards = [] if seen is None else [held(seen, SIDE if seen[1] < 2 else SQUARE)]
    with pytest.raises(ValueError, match=said):
        marker(view(*cards)[0], SIDE, options)


def test_too_small_and_too_oblique_markers_are_refused():
    small = tag('DICT_4X4_50', 1)
    far = held(small, 0.022, (0.0, 0.0, 10.0), (0.05, -0.04, 1.0))
    with pytest.raises(ValueError, match='id 1 is 12 pixels wide, and 16 are needed: go nearer'):
        marker(view(far)[0], 0.022, MarkerOptions('4x4_50'))
    edgewise = held(APRILTAG, SIDE, (77.0, 0.0, 0.0), (0.0, 0.0, 0.5))
    with pytest.raises(ValueError, match='degrees, and 75 are the most: turn it'):
        marker(view(edgewise)[0], SIDE, MarkerOptions())


def test_a_board_of_other_proportions_is_no_marker():
    squeezed = chessboard(9, 7)
    squeezed = (np.repeat(squeezed[0], 2, axis=0), squeezed[1])  # squares twice as high as wide
    with pytest.raises(ValueError, match=r'does not look like one: a corner is [\d.]+ pixels off'):
        marker(view(held(squeezed, 0.03))[0], 0.03, BOARD)
