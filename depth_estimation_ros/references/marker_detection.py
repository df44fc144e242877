# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Where markers and boards are in an image, to a fraction of a pixel."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.references.base import Array
from depth_estimation_ros.references.marker_edges import rays_of_corners
from depth_estimation_ros.tunable import option

DICTIONARIES = (
    'apriltag_36h11',
    'apriltag_36h10',
    'apriltag_25h9',
    'apriltag_16h5',
    '4x4_50',
    '4x4_100',
    '4x4_250',
    '4x4_1000',
    '5x5_50',
    '5x5_100',
    '5x5_250',
    '5x5_1000',
    '6x6_50',
    '6x6_100',
    '6x6_250',
    '6x6_1000',
    '7x7_50',
    '7x7_100',
    '7x7_250',
    '7x7_1000',
    'aruco_original',
    'aruco_mip_36h12',
)


# Of each family the one with all ids; the more bits, the earlier, since few are seen in anything.
_LARGEST = (
    'apriltag_36h11',
    'apriltag_36h10',
    'aruco_mip_36h12',
    '7x7_1000',
    '6x6_1000',
    'apriltag_25h9',
    '5x5_1000',
    'aruco_original',
    '4x4_1000',
    'apriltag_16h5',
)
_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
_MARGIN = 0.15  # of a marker's side: networks smear its border
_FEWEST = 6  # inner corners of a ChArUco board that may be covered in part
_ACCURATELY = cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY


@dataclasses.dataclass(frozen=True)
class MarkerOptions:
    """Which marker it is."""

    dictionary: str = option(
        'apriltag_36h11',
        'Family of the markers, those of a ChArUco board too.',
        choices=DICTIONARIES,
    )
    board: str = option(
        'none',
        'none: single markers, all that are in view; or a board of columns x rows squares.',
        choices=('none', 'chessboard', 'charuco'),
    )
    id: int = option(-1, 'Use the marker of this id alone; -1: all in view.', minimum=-1)
    columns: int = option(
        8, 'Squares of a board in a row: one more than inner corners.', minimum=4, maximum=100
    )
    rows: int = option(
        6, 'Squares of a board in a column: one more than inner corners.', minimum=4, maximum=100
    )
    ratio: float = option(
        0.75,
        'Side of the markers of a ChArUco board, of the side of its squares.',
        minimum=0.1,
        maximum=0.99,
    )
    legacy: bool = option(
        False, 'The ChArUco board was made as OpenCV did before 4.6, or by calib.io.'
    )


@dataclasses.dataclass(frozen=True)
class Found:
    """A flat thing of known shape that was found in the image.

    Attributes:
        name: What it is, for people.
        shape: [N, 2] places on it, metres; x right, y down.
        rays: [N, 2] X/Z and Y/Z of where they are seen; NaN where the lens has no such ray.
        margin: How much of its side is left out around the places that are used.
    """

    name: str
    shape: Array
    rays: Array
    margin: float


def find(
    grey: NDArray[np.uint8], side: float, options: MarkerOptions, camera: Camera
) -> list[Found]:
    """All markers in view, or the board.

    Args:
        grey: [H, W].
        side: Of the black square of a marker, or of a square of the board, metres.
        options: Which marker it is.
        camera: That of the image.

    Raises:
        ValueError: There is none; the text says what is seen instead, or what would help.
    """
    if options.board == 'chessboard':
        return [_chessboard(grey, side, options, camera)]
    if options.board == 'charuco':
        return [_charuco(grey, side, options, camera)]
    seen = _detect(grey, options.dictionary)
    if not seen:
        raise ValueError(f'no marker of {options.dictionary} is in view: {_instead(grey)}')
    chosen = [(number, corners) for number, corners in seen if options.id in (-1, number)]
    if not chosen:
        raise ValueError(
            f'marker {options.id} of {options.dictionary} is not in view, but there is '
            f'{", ".join(str(number) for number, _ in seen)}: set id to that, or to -1 for any'
        )
    cell = 1.0 / (_dictionary(options.dictionary).markerSize + 2)
    return [
        Found(
            f'{options.dictionary} id {number}',
            side * _SQUARE,
            rays_of_corners(grey, corners, cell, camera),
            _MARGIN,
        )
        for number, corners in chosen
    ]


def _detect(grey: NDArray[np.uint8], name: str) -> list[tuple[int, Array]]:
    """The id of each marker, and its corners, [4, 2], clockwise from its top left.

    Small and slanted ones are found in an enlarged image alone.
    """
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(_dictionary(name), parameters)
    most: list[tuple[int, Array]] = []
    for enlarged in (1, 2):
        larger = cv2.resize(grey, None, None, enlarged, enlarged, cv2.INTER_CUBIC)
        corners, ids, _ = detector.detectMarkers(larger)
        seen = [] if ids is None else [int(one) for one in ids.ravel()]
        if len(seen) > len(most):
            places = [(_pixels(one) + 0.5) / enlarged - 0.5 for one in corners]
            most = list(zip(seen, places, strict=True))
    return most


def _dictionary(name: str) -> cv2.aruco.Dictionary:
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f'DICT_{name.upper()}'))


def _instead(grey: NDArray[np.uint8]) -> str:
    """What is seen where a marker of another family was looked for."""
    for name in _LARGEST:
        seen = _detect(grey, name)
        if seen:
            return f'found {name} id {seen[0][0]} instead; set dictionary to that family'
    return 'show it whole, with the white around it, nearer or in better light'


def _chessboard(
    grey: NDArray[np.uint8], side: float, options: MarkerOptions, camera: Camera
) -> Found:
    columns, rows = options.columns - 1, options.rows - 1
    name = f'chessboard of {options.columns}x{options.rows} squares'
    seen, corners = cv2.findChessboardCornersSB(grey, (columns, rows), None, _ACCURATELY)
    if not seen:
        found, _ = cv2.findChessboardCornersSB(grey, (columns + 1, rows + 1))
        cure = (
            f'found one of {columns + 2}x{rows + 2} instead; count squares, not inner corners'
            if found
            else 'show it whole, with the white around it, and count squares, not inner corners'
        )
        raise ValueError(f'no {name} is in view: {cure}')
    rays = camera.unproject(*_pixels(corners).T)
    return Found(name, side * _lattice(columns, rows), rays, 0.0)


def _charuco(
    grey: NDArray[np.uint8], side: float, options: MarkerOptions, camera: Camera
) -> Found:
    size = options.columns, options.rows
    dictionary = _dictionary(options.dictionary)
    if len(dictionary.bytesList) < size[0] * size[1] // 2:
        raise ValueError(
            f'a ChArUco board of {size[0]}x{size[1]} squares has more markers than '
            f'{options.dictionary}: set dictionary to the family that it was made with'
        )
    board = cv2.aruco.CharucoBoard(size, side, side * options.ratio, dictionary)
    board.setLegacyPattern(options.legacy)
    corners, ids, _, markers = cv2.aruco.CharucoDetector(board).detectBoard(grey)
    chosen = np.empty(0, np.intp) if ids is None else ids.ravel()
    places = _lattice(options.columns - 1, options.rows - 1)[chosen]
    name = f'ChArUco board of {options.columns}x{options.rows} squares'
    if len(chosen) < _FEWEST or np.linalg.matrix_rank(places - places[0]) < 2:
        marked = len(markers or ())
        cure = 'check columns, rows, ratio and legacy' if marked else _instead(grey)
        raise ValueError(
            f'no {name} is in view, but {len(chosen)} of its inner corners and {marked} markers '
            f'of {options.dictionary}: {cure}'
        )
    return Found(name, side * places, camera.unproject(*_pixels(corners).T), 0.0)


def _lattice(columns: int, rows: int) -> Array:
    """Inner corners, row by row, in squares, [N, 2]."""
    x, y = np.meshgrid(np.arange(float(columns)), np.arange(float(rows)))
    return np.column_stack([x.ravel(), y.ravel()])


def _pixels(corners: Any) -> Array:
    return np.asarray(corners, np.float64).reshape(-1, 2)
