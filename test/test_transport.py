# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a process that sends images gets into its environment, and what it is good for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from depth_estimation_ros.benchmarks import transport as benchmark
from depth_estimation_ros.ros import transport

ROOT = Path(__file__).resolve().parents[1]
PATHS = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
PROFILE = str(ROOT / 'config' / 'fastdds.xml')


def test_everything_for_a_bare_environment():
    assert transport.missing({}) == {
        'MALLOC_MMAP_THRESHOLD_': str(2**30),
        'MALLOC_TRIM_THRESHOLD_': str(2**31),
        'MALLOC_TOP_PAD_': str(2**26),
        'OMP_WAIT_POLICY': 'PASSIVE',
        'FASTDDS_DEFAULT_PROFILES_FILE': PROFILE,
    }


@pytest.mark.parametrize('distribution', ['humble', 'jazzy'])
def test_the_name_that_fast_dds_2_knows(distribution):
    wanted = transport.missing({'ROS_DISTRO': distribution})
    assert wanted['FASTRTPS_DEFAULT_PROFILES_FILE'] == PROFILE
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in wanted


@pytest.mark.parametrize('name', ['FASTDDS', 'FASTRTPS'])
def test_what_the_user_set_stays(name):
    given = {f'{name}_DEFAULT_PROFILES_FILE': '/mine.xml', 'MALLOC_TOP_PAD_': '0'}
    wanted = transport.missing(given)
    assert not [key for key in wanted if key.endswith('PROFILES_FILE') or key in given]


def test_switched_off():
    assert transport.missing({transport.SWITCH: 'system'}) == {}


def test_apply_restarts_once_with_the_same_arguments():
    program = (
        'import json, os, sys; print("begin"); from depth_estimation_ros.ros import transport; '
        'transport.apply(); print(json.dumps([sys.argv[1:], dict(os.environ)]))'
    )
    settings = transport.missing({})
    bare = {name: value for name, value in os.environ.items() if name not in settings}
    output = subprocess.run(
        [sys.executable, '-c', program, 'node', '--ros-args'],
        env={**bare, 'PYTHONPATH': PATHS},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split('\n', 2)
    assert output[:2] == ['begin', 'begin']
    arguments, environment = json.loads(output[2])
    assert arguments == ['node', '--ros-args']
    assert settings.items() <= environment.items()


def test_profile_holds_a_large_message_and_reaches_other_hosts():
    root = ET.parse(PROFILE).getroot()  # noqa: S314
    name = {'x': root.tag.partition('}')[0][1:]}
    assert int(root.findtext('.//x:segment_size', namespaces=name)) == 64 * 2**20
    used = [element.text for element in root.findall('.//x:userTransports/x:transport_id', name)]
    kinds = {
        element.findtext('x:transport_id', namespaces=name): element.findtext(
            'x:type', namespaces=name
        )
        for element in root.findall('.//x:transport_descriptor', name)
    }
    assert sorted(kinds[one] for one in used) == ['SHM', 'UDPv4']


@pytest.mark.alone  # a camera that offers best effort: what comes too late is lost
@pytest.mark.parametrize('reliability', ['best_effort', 'reliable'])
def test_images_arrive_with_the_profile(ros_domain, monkeypatch, reliability):
    monkeypatch.setenv('PYTHONPATH', PATHS)
    case = benchmark.Case('1280x720', reliability, profile=True)
    answer = benchmark._run(case, frames=20)
    assert len(answer['latencies_ms']) >= 19
    assert all(0.0 < latency < 1000.0 for latency in answer['latencies_ms'])


def test_benchmark_tells_what_holds():
    def figures(received: int, median: float | None) -> benchmark.Figures:
        return benchmark.Figures(100, received, median, median, None)

    assert figures(98, 8.0).holds('640x480')
    assert not figures(97, 1.0).holds('640x480')
    assert not figures(100, 8.1).holds('640x480')
    assert figures(100, 8.1).holds('1280x720')
    assert not figures(0, None).holds('1280x720')
