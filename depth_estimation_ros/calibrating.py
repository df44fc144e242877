# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a fit to the calibration of a network, with everything that it belongs to."""

from __future__ import annotations

import time

from depth_estimation_ros.anchors import Anchors
from depth_estimation_ros.calibration import Calibration, Fit
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.models import store
from depth_estimation_ros.references import References


def made(
    fitted: Fit,
    depth_map: DepthMap,
    estimator: DepthEstimator,
    references: References | None,
    created: int | None = None,
) -> Calibration:
    """The calibration that a fit makes, of the network that made the depth map.

    Args:
        fitted: The fit.
        depth_map: What it was fitted on.
        estimator: The network.
        references: What it was fitted to, some of which are kept; None for a plain factor.
        created: Nanoseconds since the epoch; None: now.

    Raises:
        OSError: The network's weights no longer exist.
    """
    spec, frame = estimator.spec, depth_map.frame
    preset, weights, anchors = depth_map.prediction.preset, store.weights_of(spec), None
    if references is not None:
        anchors = Anchors.of(frame.image, references.u, references.v, references.depth)
    created = time.time_ns() if created is None else created
    return Calibration(fitted, spec.name, frame.camera, created, preset, weights, anchors)
