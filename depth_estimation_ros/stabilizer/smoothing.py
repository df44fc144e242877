# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The mean over time of each pixel of a camera that stands still, but not of what moves."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from depth_estimation_ros.frames import Prediction
from depth_estimation_ros.operations import FloatImage
from depth_estimation_ros.stabilizer.tracks import Picture

_SAME = 6  # grey levels by which a pixel of the thumbnail may change
_GATE = 0.1  # share by which a value may change
_AROUND = np.ones((5, 5), np.uint8)  # pixels of the thumbnail that a change spoils


class Smoothing:
    """Holds the last picture and its smoothed prediction."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._values: FloatImage | None = None

    def smooth(self, picture: Picture, prediction: Prediction, weight: float) -> Prediction:
        """The mean with what was before, where picture and prediction are as they were.

        Args:
            picture: Thumbnail of the image.
            prediction: What the network says of it, in the scale of the one before.
            weight: Of what was before; 0 begins anew.
        """
        if weight > 0.0 and self._picture is not None and self._values is not None:
            height, width = prediction.values.shape
            changed = (cv2.absdiff(picture, self._picture) > _SAME).astype(np.uint8)
            changed = cv2.dilate(changed, _AROUND).astype(np.uint8)
            same = cv2.resize(1 - changed, (width, height), interpolation=cv2.INTER_NEAREST)
            values = prediction.operations.mean(
                prediction.values, self._values, same.astype(np.bool_), weight, _GATE
            )
            prediction = dataclasses.replace(prediction, values=values)
        self._picture, self._values = picture, prediction.values
        return prediction
