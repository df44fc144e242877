# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Works for the tests of jobs: small ones, done for real."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time

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

    def there(self, item):
        return item.target.exists()

    def discard(self, item, finished):
        self._half(item).unlink(missing_ok=True)
        if finished:
            item.target.unlink(missing_ok=True)

    def _half(self, item):
        return item.target.with_name(f'.{item.target.name}.part')


@dataclasses.dataclass(frozen=True)
class Perilous(Pictures):
    """Copies files, slowly, where there are none.

    `deadly` kills its process, `late` does so once, when all is written; `snare` waits to be
    killed, once.
    """

    def run(self, _, item, progress):
        sys.stdout.write('copying\n')  # which is no answer
        if item.target.is_file():
            raise FileExistsError(item.target)
        half = self._half(item)
        half.write_bytes(item.source.read_bytes())
        if item.source.name == 'deadly':
            os.kill(os.getpid(), signal.SIGKILL)
        told = item.source.with_name(f'{item.source.name}.pid')
        if item.source.name == 'snare' and not told.exists():
            told.write_text(str(os.getpid()))
            progress(Progress(1))
            time.sleep(60.0)
        os.replace(half, item.target)
        if item.source.name == 'late' and not told.exists():
            told.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {'frames': 1}
