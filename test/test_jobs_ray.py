# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings spread over a Ray cluster, which is started as docs/cluster.md says."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bags as recorded
import cv2
import documents
import psutil
import pytest
import tiny
from chores import Perilous

from depth_estimation_ros.bag.process import BagWork
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.jobs.local import run_here
from depth_estimation_ros.jobs.ray_cluster import connected
from depth_estimation_ros.jobs.ray_engine import run_on_ray
from depth_estimation_ros.media.process import VideoWork
from depth_estimation_ros.road import Road

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = Network('bundled', device='cpu', runtime='torch')
# Loads nothing that takes time before the first picture.
ROAD = Road((0.1, 20.0))
QUICK = dataclasses.replace(BUNDLED, runtime='openvino')


def environment(**settings):
    path = os.pathsep.join([str(ROOT), str(ROOT / 'test')])
    return {**os.environ, 'PYTHONPATH': path, 'RAY_USAGE_STATS_ENABLED': '0', **settings}


@contextlib.contextmanager
def ray_start(*arguments, under=(), **settings):
    """`ray start`, until the context ends, under another command."""
    ray = Path(sys.executable).with_name('ray')
    command = [*under, str(ray), 'start', '--block', *arguments]
    process = subprocess.Popen(
        command,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            said = ''
            while 'Ray runtime started' not in said:
                line = process.stdout.readline()
                said += line
                assert line, said
            yield
        finally:
            started = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            psutil.wait_procs(started, 10.0)


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    """A folder of models as the cluster has it."""
    folder = tmp_path_factory.mktemp('models')
    (folder / 'hf' / 'me' / 'tiny').mkdir(parents=True)
    tiny.save(folder / 'hf' / 'me' / 'tiny')
    return folder


def documented(line, address):
    """The arguments of a `ray start` of docs/cluster.md, with another address."""
    [found] = [one for one in documents.commands('ray start') if one.split()[2].startswith(line)]
    found = found.removeprefix('ray start ')
    return found.replace('192.168.1.10:6379', address).replace('6379', address[-5:]).split()


@pytest.fixture(scope='module')
def scratch(tmp_path_factory):
    """The folder of temporary files that the cluster has."""
    return tmp_path_factory.mktemp('scratch')


@pytest.fixture(scope='module')
def cluster(models, scratch, tmp_path_factory):
    """The address of a cluster of this machine."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        address = f'127.0.0.1:{free.getsockname()[1]}'
    temporary = tmp_path_factory.getbasetemp().parent / f'ray{os.getpid()}'
    head = [*documented('--head', address), '--num-cpus=2', f'--temp-dir={temporary}']
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('RAY_AUTH_MODE', 'token')
        patch.setenv('RAY_AUTH_TOKEN', '0' * 64)
        with ray_start(*head, DEPTH_ESTIMATION_MODELS=str(models), TMPDIR=str(scratch)):
            yield address
    shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture
def run(cluster):
    """Runs items on the cluster: their outcomes by the name of their source, and what was said."""

    def work_off(work, items, on_progress=unseen, **options):
        said = []
        done = list(run_on_ray(work, items, on_progress, said.append, cluster, **options))
        return {outcome.item.source.name: outcome for outcome in done}, said

    return work_off


@pytest.fixture(params=['bags', 'videos'])
def recordings(request, tmp_path):
    """What is to be done with three recordings, and the items; they go into a folder."""
    folder = tmp_path / 'in'
    folder.mkdir()
    for name in ('day', 'night', 'rain'):
        if request.param == 'bags':
            recorded.ros2(folder / name, recorded.drive(3))
        else:
            (folder / name).mkdir()
            for index in range(3):
                cv2.imwrite(str(folder / name / f'{index}.png'), recorded.noise(index))
    if request.param == 'bags':
        return BagWork(BUNDLED, ROAD), lambda out: items(folder, out)
    return VideoWork(BUNDLED, ROAD), lambda out: items(folder, out, '/%02d.npz')


def unseen(*told):
    """Nobody looks how far an item is."""


def items(folder, out, suffix=''):
    out.mkdir()
    sources = sorted(folder.iterdir())
    return [Item(source, Path(f'{out / source.name}{suffix}')) for source in sources]


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def files(folder, *names):
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return folder


def test_results_are_those_of_one_machine_to_the_last_bit(run, recordings, tmp_path):
    work, items_to = recordings
    seen = []
    here = list(run_here(work, items_to(tmp_path / 'here'), unseen))
    there, said = run(
        work, items_to(tmp_path / 'there'), lambda *told: seen.append(told), workers=2
    )
    assert [outcome.error for outcome in (*here, *there.values())] == [''] * 6
    for outcome in here:
        assert there[outcome.item.source.name].summary == outcome.summary
    assert contents(tmp_path / 'there') == contents(tmp_path / 'here') != {}
    assert not [text for text in said if 'last digits' in text]
    assert seen[-1][1] == Progress(3, 3)


def test_what_a_killed_worker_left_is_done_again(run, scratch, tmp_path, capsys):
    folder = files(tmp_path / 'in', 'calm', 'deadly', 'late', 'snare', 'still')

    def kill(item, progress):
        if item.source.name == 'snare':
            with contextlib.suppress(ProcessLookupError):
                os.kill(int((folder / 'snare.pid').read_text()), signal.SIGKILL)

    done, said = run(Perilous(QUICK), items(folder, tmp_path / 'out'), kill, workers=2)
    assert done['deadly'].error.startswith('given up after 3 times: ')
    assert 'it was killed, for want of memory perhaps, or crashed' in done['deadly'].error
    assert [name for name, outcome in done.items() if outcome.error] == ['deadly']
    made = {path.name: path.read_text() for path in (tmp_path / 'out').iterdir()}
    assert made == {name: name for name in ('calm', 'late', 'snare', 'still')}
    assert capsys.readouterr().out == ''  # Ray itself would tell of deaths there
    killed = (folder / 'snare.pid').read_text()
    assert not list(scratch.glob(f'*-{killed}'))
    again = [text.split(':')[0] for text in said if text.endswith('; it is done again')]
    assert sorted(again) == [str(folder / name) for name in ('deadly', 'deadly', 'late', 'snare')]


def test_an_item_that_fails_is_told(run, tmp_path):
    folder = files(tmp_path / 'in', 'torn', 'whole')
    made = items(folder, tmp_path / 'out')
    made[0].target.mkdir()  # stands in the way
    done, _ = run(Perilous(QUICK), made)
    assert 'torn' in done['torn'].error
    assert done['whole'].error == ''


def test_weights_that_are_other_ones_or_none_are_refused(run, models, tmp_path, monkeypatch):
    made = items(files(tmp_path / 'in', 'one'), tmp_path / 'out')
    own = shutil.copytree(models, tmp_path / 'models') / 'hf' / 'me'
    shutil.copytree(own / 'tiny', own / 'other')
    tiny.save(own / 'tiny', head_hidden_size=4)
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', str(tmp_path / 'models'))
    for name, text in (
        ('hf:me/tiny', r'process \d+\): the weights of hf:me/tiny: \w+ there, \w+ here\. Install'),
        ('hf:me/other', r'process \d+\): hf:me/other is not in .*models download hf:me/other'),
    ):
        with pytest.raises(ValueError, match=text):
            run(Perilous(dataclasses.replace(QUICK, model=name)), made)


def test_what_cannot_be_is_refused(run, tmp_path):
    made = items(files(tmp_path / 'in', 'one'), tmp_path / 'out')
    for device, text in (
        ('cuda', 'no machine of the cluster has a GPU'),
        ('cuda:0', 'of its own'),
    ):
        with pytest.raises(ValueError, match=text):
            run(Perilous(dataclasses.replace(QUICK, device=device)), made)
    with pytest.raises(ValueError, match='the cluster has 2 processors, too few for 3 workers'):
        run(Perilous(QUICK), made, workers=3)


@pytest.mark.parametrize(
    ('address', 'text'),
    [
        ('127.0.0.1:9', 'there is no Ray cluster at 127.0.0.1:9 .*refused'),
        ('localhost', "is IP:PORT, or auto, not 'localhost'"),
    ],
)
def test_where_there_is_no_cluster_that_is_said_at_once(address, text):
    with pytest.raises(ValueError, match=text), connected(address):
        pass


def test_a_machine_that_does_not_see_the_folders_is_named(cluster, tmp_path):
    """It has a file system of its own in the folder of this test, as without a common mount."""
    hidden = f'mount -t tmpfs none {tmp_path} && exec "$@"'
    under = ['unshare', '--mount', 'sh', '-c', hidden, 'sh']
    if subprocess.run([*under, 'true'], capture_output=True, check=False).returncode:
        pytest.skip('needs the right to mount')
    made = items(files(tmp_path / 'in', 'one', 'two', 'three'), tmp_path / 'out')
    second = [*documented('--address', cluster), '--num-cpus=2']
    said = []
    work = Perilous(dataclasses.replace(QUICK, runtime='auto'))
    with (
        ray_start(*second, under=under),
        pytest.raises(ValueError, match=rf'process \d+\): it does not see the file {tmp_path}/in'),
    ):
        list(run_on_ray(work, made, unseen, said.append, cluster))
    assert 'with --runtime auto each machine takes what is fastest there' in said[0]
    assert list((tmp_path / 'out').glob('.*')) == []


@pytest.fixture
def bags(tmp_path):
    """A folder of two short bags and a long one."""
    (tmp_path / 'bags').mkdir()
    for name, frames in (('a', 2), ('b', 2), ('long', 600)):
        recorded.ros2(tmp_path / 'bags' / name, recorded.drive(frames))
    return tmp_path / 'bags'


@contextlib.contextmanager
def called(*arguments, **settings):
    """`depth-estimation bag` under way, in a group of processes of its own, as a terminal has."""
    flags = ['--model=bundled', '--runtime=torch', '--device=cpu', *arguments]
    process = subprocess.Popen(
        [sys.executable, '-m', 'depth_estimation_ros.cli', 'bag', *map(str, flags)],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)


def test_ctrl_c_ends_all_and_this_machine_was_alone(bags, tmp_path):
    """Of what listens, all is on the loopback interface; what was finished stays."""
    out, home = tmp_path / 'out', tmp_path / 'home'
    home.mkdir()
    with tempfile.TemporaryDirectory() as temporary:  # short: sockets lie in it
        (line,) = [one for one in documents.arguments('bag') if '--workers' in one]
        flags = (*line.split()[3:], '--json')
        with called(bags, out, *flags, HOME=str(home), TMPDIR=temporary) as process:
            deadline = time.monotonic() + 120.0
            while not ((out / 'a').exists() and (out / '.long.partial').exists()):
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline, list(out.glob('*'))
                time.sleep(0.1)
            tree = psutil.Process(process.pid).children(recursive=True)
            pids = {child.pid for child in tree}
            listening = {
                one.laddr.ip.removeprefix('::ffff:')
                for one in psutil.net_connections('inet')
                if one.pid in pids and one.status == psutil.CONN_LISTEN
            }
            os.killpg(process.pid, signal.SIGINT)
            said, complained = process.communicate(timeout=30.0)
        assert not psutil.wait_procs(tree, 10.0)[1]
        assert list(Path(temporary).iterdir()) == []
    assert listening == {'127.0.0.1'}
    assert (process.returncode, said) == (1, '')
    assert complained.strip().splitlines()[-1] == 'depth-estimation: interrupted'
    assert '.long.partial' not in [path.name for path in out.iterdir()]
    assert not (out / 'long').exists()
    assert len(list((out / 'a').glob('*.mcap'))) == 1
    assert list(home.iterdir()) == []
