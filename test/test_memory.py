# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A process whose memory really ends goes on with fewer images, then with smaller ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A network whose input of 1024x768 takes some hundred megabytes an image, in a process of which
# the kernel refuses more than so many megabytes beyond what it has when everything is loaded.
SCRIPT = """
import dataclasses, json, resource, sys
from pathlib import Path
import numpy as np
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models import catalog, weights
from depth_estimation_ros.runtimes.from_pixels import FromPixels
from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

def limit(megabytes):
    status = Path('/proc/self/status').read_text()
    used = int(status.partition('VmData:')[2].split()[0]) << 10
    most = resource.RLIM_INFINITY if megabytes is None else used + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))

def attempt(count):
    try:
        predictions = estimator.predict([images[i] for i in range(count)])
        result = [bool(np.isfinite(one.values).all()) for one in predictions]
    except ValueError as error:
        result = str(error)
    return dict(result=result, said=list(said), hint=estimator.hint, preset=estimator.preset,
                size=estimator.network_size)

spec = dataclasses.replace(catalog.spec('bundled'), height=768, width=1024)
said = []
runtime = TorchRuntime(FromPixels(weights.load(spec), spec))
estimator = DepthEstimator(spec, runtime, say=said.append)
images = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
estimator.warm_up(320, 240)
steps = []
for megabytes, count in json.loads(sys.argv[1]):
    limit(megabytes)
    steps.append(attempt(count))
print(json.dumps(steps))
"""


@pytest.fixture(scope='module')
def steps():
    """What came of so many megabytes to spare and so many images to predict, one after another."""
    asked = [(350, 4), (350, 4), (75, 1), (2, 1), (None, 1)]
    answer = subprocess.run(
        [sys.executable, '-c', SCRIPT, json.dumps(asked)],
        cwd=ROOT,
        env={**os.environ, 'MALLOC_MMAP_THRESHOLD_': '65536'},  # what is freed is free
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_fewer_images_go_through_together_and_all_are_answered(steps):
    first = steps[0]
    assert first['result'] == [True] * 4
    assert (first['preset'], first['size']) == ('full', [1024, 768])
    assert 'at most 2 at a time, at preset full; end other programs' in first['hint']
    (said,) = first['said']
    assert said.startswith('no memory on cpu for 4 images at 1024x768 (')
    assert said.endswith('from now on at most 2 at a time, at preset full')


def test_what_fits_is_remembered(steps):
    assert steps[1] == steps[0]


def test_where_one_is_too_many_it_is_made_smaller(steps):
    cut = steps[2]
    assert cut['result'] == [True]
    assert (cut['preset'], cut['size']) == ('balanced', [768, 576])
    assert 'at most 1 at a time, at preset balanced' in cut['hint']
    assert len(cut['said']) == 2


def test_where_nothing_helps_it_is_said_with_figures_and_the_cure(steps):
    assert steps[3]['result'].startswith(
        'no memory on cpu for bundled, even with one image at a time at 512x384 (preset fast): '
    )
    assert 'allocate' in steps[3]['result']
    assert 'take a smaller model or another device' in steps[3]['result']


def test_the_next_frame_is_served_when_there_is_memory_again(steps):
    assert steps[4]['result'] == [True]
    assert steps[4]['preset'] == 'fast'
