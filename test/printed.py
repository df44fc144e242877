# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Markers and boards as they are printed, and views of them with exact depth."""

import cv2
import numpy as np

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction
from depth_estimation_ros.references.marker_detection import MarkerOptions
from depth_estimation_ros.synthetic.card import Card, hold_up, tag, turned

LENSES = {
    'plumb_bob': (-0.28, 0.09, 0.0006, -0.0004, 0.0),
    'rational_polynomial': (0.6, -0.2, 0.0005, -0.0003, 0.01, 0.9, -0.1, 0.02),
    'equidistant': (-0.02, 0.005, -0.003, 0.001),
}
CAMERA = Camera(640, 480, 531.0, 533.0, 322.4, 236.8, 'plumb_bob', LENSES['plumb_bob'])
SIDE = 0.16  # of a tag's black square
SQUARE = 0.05  # of a board's squares


def chessboard(columns, rows, pixels=40):
    """Black first, white around; and its width in squares."""
    squares = (np.add.outer(np.arange(rows), np.arange(columns)) % 2 * 255).astype(np.uint8)
    board = np.kron(squares, np.ones((pixels, pixels), np.uint8))
    return np.pad(board, pixels, constant_values=255), columns + 2


def charuco(options: MarkerOptions, pixels=60):
    """As OpenCV draws it, white around; and its width in squares."""
    dictionary = cv2.aruco.getPredefinedDictionary(
        getattr(cv2.aruco, f'DICT_{options.dictionary.upper()}')
    )
    size = options.columns, options.rows
    board = cv2.aruco.CharucoBoard(size, 1.0, options.ratio, dictionary)
    board.setLegacyPattern(options.legacy)
    picture = board.generateImage((options.columns * pixels, options.rows * pixels))
    return np.pad(picture, pixels, constant_values=255), options.columns + 2


def view(*cards: Card, camera=CAMERA, kind=DepthKind.METRIC):
    """A grey wall at 5 m with cards before it, blurred and noisy; the network is exact."""
    image = np.full((camera.height, camera.width, 3), 120, np.uint8)
    depth = np.full(image.shape[:2], 5.0, np.float32)
    for card in cards:
        image, depth = hold_up(card, camera, image, depth)
    noise = np.random.default_rng(0).normal(0.0, 3.0, image.shape)
    image = np.clip(cv2.GaussianBlur(image, None, 0.8) + noise, 0, 255).astype(np.uint8)
    values = depth if kind is DepthKind.METRIC else 1.0 / depth
    metres = depth if kind is DepthKind.METRIC else None
    return DepthMap(Frame(image, camera=camera), Prediction(values, kind), metres), depth


def held(made, side, angles=(20.0, -15.0, 10.0), centre=(0.05, -0.04, 1.0)):
    """A print of `made` (picture, width in sides) where it is held."""
    picture, sides = made
    return Card(picture, sides * side, turned(*angles), np.array(centre))


__all__ = ['CAMERA', 'LENSES', 'SIDE', 'SQUARE', 'charuco', 'chessboard', 'held', 'tag', 'view']
