# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The doors in scripts/, and what the documents say of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = [*sorted((ROOT / 'scripts').iterdir()), ROOT / '.ci' / 'run']
DOCUMENTS = [*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')]


def _bootstrap(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / 'scripts' / 'bootstrap'],
        cwd='/',
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def bare_tree(tmp_path) -> Path:
    """What bootstrap reads, in a folder where nothing is set up."""
    for name in ('launch', 'config', 'resource', 'depth_estimation_interfaces', 'scripts'):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ('constraints.txt', 'package.xml', 'pyproject.toml', 'setup.py', 'setup.cfg'):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_bash_reads_it(script):
    subprocess.run(['bash', '-n', script], check=True, timeout=10)
    assert os.access(script, os.X_OK) or script.name == 'environment'


@pytest.mark.alone
def test_second_bootstrap_does_no_work():
    if not (ROOT / '.venv' / '.bootstrapped').exists():
        pytest.skip('this environment was not made by scripts/bootstrap')
    first = _bootstrap(ROOT)
    assert first.returncode == 0, first.stderr
    log = (ROOT / 'build' / 'bootstrap.log').stat().st_mtime_ns
    begin = time.monotonic()
    second = _bootstrap(ROOT)
    assert time.monotonic() - begin < 2.0
    assert (second.returncode, second.stdout, second.stderr) == (0, '', '')
    assert (ROOT / 'build' / 'bootstrap.log').stat().st_mtime_ns == log


def test_no_python(bare_tree):
    result = _bootstrap(bare_tree, PYTHON='/nowhere/python3')
    assert result.returncode == 1
    assert '/nowhere/python3 not found' in result.stderr


def _python_that(bare_tree: Path, answers: str) -> str:
    """The path of a python3 that answers some questions differently."""
    path = bare_tree / 'python3'
    path.write_text(f'#!/bin/sh\n{answers}\nexec python3 "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_python_too_old(bare_tree):
    old = _python_that(bare_tree, '[ "$1" = --version ] && echo Python 3.8.10; exit 1')
    result = _bootstrap(bare_tree, PYTHON=old)
    assert result.returncode == 1
    assert 'Python 3.10 or newer is needed' in result.stderr
    assert 'Python 3.8.10' in result.stderr


def test_ros_that_python_cannot_import(bare_tree):
    other = _python_that(bare_tree, 'case "$2" in *rclpy*) exit 1 ;; esac')
    result = _bootstrap(bare_tree, PYTHON=other, ROS_DISTRO='jazzy')
    assert result.returncode == 1
    assert f'ROS_DISTRO is jazzy, but {other} cannot import rclpy' in result.stderr


def test_failed_step_names_the_log(bare_tree):
    (bare_tree / '.venv').write_text('in the way of the virtual environment')
    result = _bootstrap(bare_tree)
    assert result.returncode == 1
    assert 'FAILED: virtual environment' in result.stderr
    assert str(bare_tree / 'build' / 'bootstrap.log') in result.stderr


TESTS = """
import os
import pytest

def test_any():
    assert 'PYTEST_XDIST_WORKER' in os.environ

@pytest.mark.alone
@pytest.mark.parametrize('fails', [False, True], ids=['a::b[c]', 'fails'])
def test_that_measures(fails):
    assert 'PYTEST_XDIST_WORKER' not in os.environ
    assert not fails
"""


def _pytest(folder: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code of what scripts/test runs there, and how each test ended."""
    line = (ROOT / 'scripts' / 'test').read_text().splitlines()[-1]
    command = line.replace('exec python', sys.executable).replace('"$@"', '').split()
    done = subprocess.run(
        [*command, '-v', '-rA', '--color=no', *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if 'PYTEST' not in name},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    ended = re.findall(r'^(PASSED|FAILED) (test/.*?)(?: - .*)?$', done.stdout, re.MULTILINE)
    counted = re.findall(r'(\d+) (?:passed|failed)', done.stdout.splitlines()[-1])
    assert len(ended) == sum(map(int, counted)), done.stdout
    return done.returncode, {name: how for how, name in ended}


def test_what_measures_runs_alone_once_the_workers_have_ended(tmp_path):
    (tmp_path / 'test').mkdir()
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    shutil.copy(ROOT / 'test' / 'conftest.py', tmp_path / 'test')
    (tmp_path / 'test' / 'test_a.py').write_text(TESTS)
    measures = 'test/test_a.py::test_that_measures'
    assert _pytest(tmp_path) == (
        1,
        {
            'test/test_a.py::test_any': 'PASSED',
            f'{measures}[a::b[c]]': 'PASSED',
            f'{measures}[fails]': 'FAILED',
        },
    )
    code, named = _pytest(tmp_path, 'test/test_a.py', '-k', 'any')
    assert (code, named) == (1, {'test/test_a.py::test_any': 'FAILED'})  # it wants a worker


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_what_exists(document):
    text = document.read_text()
    named = {ROOT / name for name in re.findall(r'scripts/[a-z]+', text)}
    named |= {ROOT / name for name in re.findall(r'\b(?:config|launch)/[\w.]+[a-z]', text)}
    named |= {ROOT / 'launch' / name for name in re.findall(r'\b\w+\.launch\.py', text)}
    links = re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text)
    named |= {document.parent / link for link in links}
    missing = sorted(str(path.relative_to(ROOT)) for path in named if not path.exists())
    assert not missing
