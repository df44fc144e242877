# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Works for the tests of jobs: small ones, done for real."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from depth_estimation_ros import image_files
from depth_estimation_ros.jobs.base import Network, Progress


@dataclasses.dataclass(frozen=True)
class Pictures:
    """The depth of each picture in a folder, as one .npy file."""

    network: Network

    def run(self, estimator, item, progress):
        files = sorted(item.source.iterdir())
        depths = []
        for file in files:
            [prediction] = estimator.predict([image_files.read_rgb(file)])
            depths.append(np.asarray(prediction.values))
            progress(Progress(len(depths), len(files)))
        half = self._half(item)
        with half.open('wb') as stream:
            np.save(stream, np.stack(depths))
        os.replace(half, item.target)
        return {'frames': len(files), 'runtime': estimator.runtime.name}

    def discard(self, item):
        self._half(item).unlink(missing_ok=True)

    def _half(self, item):
        return item.target.with_name(f'.{item.target.name}.part')
