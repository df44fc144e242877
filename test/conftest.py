# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests share: a private ROS graph per test, private state folders, real input data.

`scripts/test` runs everything in several processes, a file at a time. What measures time is marked
`alone`: the workers leave it out, and the process that started them runs it when they have ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]

# Before anything loads libgomp or a ROS library. A spinning OpenMP collapses on busy cores.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ['HF_HUB_OFFLINE'] = '1'
# A shell that starts the tests in the background has them ignore Ctrl-C, and so their children.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes, or is in the making, is the machine's affair.
settings.register_profile('untimed', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('untimed')

# Above these, domain ids collide with Linux' ephemeral ports; below, users' own robots are likely.
_DOMAINS = range(60, 100)
_turn = itertools.count(os.getpid())
_CONVERSIONS = ROOT / 'build' / 'test-cache' / 'depth_estimation' / 'runtimes'

_MOST_WORKERS = 4  # one file takes as long as it takes
_MEMORY = 3  # GB a worker, with the processes that its tests start
_LEFT = pytest.StashKey[list[str]]()  # what the workers left out


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """For everything, one more than there are cores; none for what is named, where pdb works.

    A worker often waits: for a process to start or to end, for a camera, for a while to pass.
    """
    if config.args_source is not config.ArgsSource.TESTPATHS:
        return 0
    memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9
    room = max(int(memory / _MEMORY), 1)
    return min(len(os.sched_getaffinity(0)) + 1, room, _MOST_WORKERS)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items) -> Iterator[None]:
    yield  # to what chooses by -k, -m, --lf
    if hasattr(config, 'workerinput'):
        left = [item for item in items if item.get_closest_marker('alone')]
        items[:] = [item for item in items if item not in left]
        config.workeroutput['alone'] = [item.nodeid for item in left]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Every worker that ends by itself tells the same."""
    told = getattr(node, 'workeroutput', {})
    if 'alone' in told:
        node.config.stash[_LEFT] = told['alone']


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session) -> Iterator[None]:
    result = yield
    if left := session.config.stash.get(_LEFT, []):
        done = session.testscollected
        items = session.perform_collect(left)
        session.testscollected += done
        for item, following in itertools.zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    return result


def _silent(domain: int) -> bool:
    """Whether nobody else is there, as a node that somebody started by hand, which would answer.

    The first participant of a domain on a machine has this port (DDSI-RTPS, 9.6.1).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        try:
            port.bind(('', 7410 + 250 * domain))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def domain_of_its_own() -> Iterator[int]:
    """A domain id that no other test on this machine uses, for as long as the context lasts."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        domain = _DOMAINS[next(_turn) % len(_DOMAINS)]
        with Path(tempfile.gettempdir(), f'depth_estimation_domain_{domain}.lock').open(
            'a'
        ) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not _silent(domain):
                continue
            yield domain
            return
    message = f'no free ROS domain in {_DOMAINS} within 60 s'
    raise TimeoutError(message)


@pytest.fixture(autouse=True)
def private_folders(tmp_path_factory, monkeypatch):
    """State, cache and logs go to a folder of the test's own, never to the user's.

    Networks that were converted once are shared: making them takes seconds, and they are found by
    all that they depend on. The fixture `own_conversions` is for tests about the making.
    """
    home = tmp_path_factory.mktemp('home')
    _CONVERSIONS.mkdir(parents=True, exist_ok=True)
    (home / 'cache' / 'depth_estimation').mkdir(parents=True)
    (home / 'cache' / 'depth_estimation' / 'runtimes').symlink_to(_CONVERSIONS)
    monkeypatch.setenv('XDG_STATE_HOME', str(home / 'state'))
    monkeypatch.setenv('XDG_CACHE_HOME', str(home / 'cache'))
    monkeypatch.setenv('ROS_LOG_DIR', str(home / 'log'))


@pytest.fixture(autouse=True)
def signals_as_before():
    """A command that ran in this process may leave signals ignored, as children inherit it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def own_conversions(private_folders) -> Path:
    """An empty folder of converted networks, the test's own."""
    folder = Path(os.environ['XDG_CACHE_HOME'], 'depth_estimation', 'runtimes')
    folder.unlink()
    return folder


@pytest.fixture(scope='session')
def conversions_at_hand():
    """The bundled networks are converted, so that no test with a time limit waits for it."""
    from depth_estimation_ros.estimator import DepthEstimator

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(ROOT / 'build' / 'test-cache'))
        for name in ('bundled', 'bundled-relative'):
            DepthEstimator.load(name, device='cpu').warm_up(640, 480)


@pytest.fixture
def ros_domain(monkeypatch, conversions_at_hand) -> Iterator[int]:
    """A ROS domain of the test's own, in the environment, so that processes it starts share it."""
    with domain_of_its_own() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        yield domain


@pytest.fixture
def ros(ros_domain):
    """The default rclpy context, initialised on the test's own domain."""
    rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
    rclpy.init(domain_id=ros_domain)
    yield rclpy
    rclpy.try_shutdown()


@pytest.fixture
def spin_until() -> Callable[..., None]:
    """Spins an executor until a condition holds; fails with what was waited for after a time."""

    def spin(executor, condition: Callable[[], object], what: str, timeout: float = 15.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f'{what}: not within {timeout} s'
            executor.spin_once(timeout_sec=0.05)

    return spin


@pytest.fixture(scope='session')
def assets() -> Path:
    """Folder of real recordings and reference outputs that lies beside the project."""
    folder = (ROOT.parent / 'shared' / 'assets').resolve()  # conversions go by the path
    if not folder.is_dir():
        pytest.skip(f'needs the recordings in {folder}')
    return folder
