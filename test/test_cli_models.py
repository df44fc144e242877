# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation models` as users run it, against a server on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import documents
import pytest
import tiny
from web import BLOCK, COMMIT, Web

from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models import store
from depth_estimation_ros.models.catalog import spec

WEIGHTS = random.Random(0).randbytes(200_000)
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'depth_estimation_ros'
CONFIG = b'{"model_type": "depth_anything"}'
PROCESSOR = b'{"size": 384, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.2, 0.2]}'

# Without a network at all, on demand.
GUARD = """
import os, sys

def forbid(event, _):
    if event in {'socket.connect', 'socket.getaddrinfo', 'socket.sendto'}:
        os._exit(99)

if 'NO_NETWORK' in os.environ:
    sys.addaudithook(forbid)
"""

ESTIMATOR = 'from depth_estimation_ros.estimator import DepthEstimator'

# The command, with METER's weights at another address.
COMMAND = f"""{GUARD}
import dataclasses
from depth_estimation_ros import cli
from depth_estimation_ros.models.catalog import CATALOG

meter = CATALOG['meter-nyu-xxs']
CATALOG[meter.name] = dataclasses.replace(
    meter, url=os.environ['HF_ENDPOINT'] + '/meter', sha256=os.environ['SHA256']
)
sys.exit(cli.main())
"""


@pytest.fixture
def web():
    with Web() as web:
        yield web


@pytest.fixture
def environment(web, tmp_path, own_conversions):
    """A user's environment: models in one folder, and the hub is the local server.

    `remove` takes conversions away, too: not those that other tests are at.
    """
    return os.environ | {
        'DEPTH_ESTIMATION_MODELS': str(tmp_path / 'models'),
        'HF_HOME': str(tmp_path / 'huggingface'),
        'HF_ENDPOINT': web.url,
        'HF_HUB_OFFLINE': '0',
        'SHA256': SHA256,
    }


@pytest.fixture
def models(environment):
    """Runs the command; its exit code, stdout and stderr."""

    def run(*arguments, **more):
        done = subprocess.run(
            [sys.executable, '-c', COMMAND, 'models', *arguments],
            env=environment | more,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def offline(environment):
    """Runs code with an estimator; a connection ends it with exit code 99."""

    def run(code):
        return subprocess.run(
            [sys.executable, '-c', f'{GUARD}\n{ESTIMATOR}\n{code}'],
            env=environment | {'NO_NETWORK': ''},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def home(tmp_path):
    return tmp_path / 'models' / 'meter-nyu-xxs'


@pytest.fixture
def repository(web):
    """A model at the hub; the page that hands out its weights."""
    web.put_in_repository('someone/depth', 'config.json', CONFIG)
    web.put_in_repository('someone/depth', 'preprocessor_config.json', PROCESSOR)
    return web.put_in_repository('someone/depth', 'model.safetensors', WEIGHTS)


def test_a_file_from_an_address(models, web, home):
    page = web.put('/meter', WEIGHTS)
    code, out, err = models('download', 'meter-nyu-xxs')
    assert (code, err) == (0, '')
    assert 'licence MIT; trained on NYU Depth V2\n' in out
    assert (home / 'build_model_best_nyu_xxs').read_bytes() == WEIGHTS
    source = json.loads((home / 'source.json').read_text())
    assert source['origin'] == f'{web.url}/meter'
    assert source['files'] == {'build_model_best_nyu_xxs': SHA256}
    assert models('download', 'meter-nyu-xxs', NO_NETWORK='')[0] == 0  # is here and whole
    assert len(page.asked) == 1


def test_a_damaged_file_is_found_and_fetched_again(models, web, home):
    web.put('/meter', WEIGHTS)
    home.mkdir(parents=True)
    file = home / 'build_model_best_nyu_xxs'
    file.write_bytes(WEIGHTS[:-1] + b'!')
    code, out, _ = models('verify')
    assert code == 1
    assert f'meter-nyu-xxs: {file} is damaged or another version' in out
    assert models('download', 'meter-nyu-xxs')[0] == 0
    code, out, _ = models('verify', 'meter-nyu-xxs')
    assert (code, out) == (0, 'meter-nyu-xxs: whole\n')


def test_a_wrong_file_is_thrown_away(models, web, home):
    web.put('/meter', WEIGHTS[::-1])
    code, _, err = models('download', 'meter-nyu-xxs')
    assert code == 1
    assert err.startswith(f'depth-estimation: {web.url}/meter is damaged or another version')
    assert list(home.iterdir()) == []
    assert models('verify', 'meter-nyu-xxs')[0] == 1


def test_a_model_of_the_hub(models, web, repository, tmp_path):
    user = {'HF_TOKEN': 'hf_me'}
    code, _, err = models('download', 'hf:someone/depth', **user)
    assert (code, err) == (0, '')
    folder = tmp_path / 'models' / 'hf' / 'someone' / 'depth'
    assert (folder / 'model.safetensors').read_bytes() == WEIGHTS
    assert (folder / 'config.json').read_bytes() == CONFIG
    source = json.loads((folder / 'source.json').read_text())
    assert (source['origin'], source['commit']) == ('someone/depth', COMMIT)
    assert source['files']['model.safetensors'] == SHA256
    assert source['files'].keys() == {file.name for file in folder.iterdir()} - {'source.json'}
    assert len(source['files']) == 3
    config = web.pages[f'/someone/depth/resolve/{COMMIT}/config.json']
    assert config.asked[-1]['Authorization'] == 'Bearer hf_me'
    assert 'Authorization' not in repository.asked[0]  # another host
    assert models('download', 'hf:someone/depth', NO_NETWORK='')[0] == 0
    assert 'hf:someone/depth  ' in models('list')[1]
    assert models('verify', 'hf:someone/depth')[1] == 'hf:someone/depth: whole\n'
    (folder / 'config.json').write_text('{}')
    code, out, err = models('list')
    assert (code, 'hf:' in out) == (0, False)
    assert 'hf:someone/depth cannot be used: ' in err
    assert models('remove', 'hf:someone/depth')[1] == 'hf:someone/depth: 0.2 MB freed\n'


def test_a_downloaded_model_sees_and_a_damaged_one_is_refused(
    models, offline, web, environment, tmp_path, monkeypatch
):
    monkeypatch.setenv('DEPTH_ESTIMATION_MODELS', environment['DEPTH_ESTIMATION_MODELS'])
    (tmp_path / 'tiny').mkdir()
    for file in tiny.save(tmp_path / 'tiny').iterdir():
        web.put_in_repository('someone/tiny', file.name, file.read_bytes())
    assert models('download', 'hf:someone/tiny')[0] == 0
    done = offline("""
import numpy as np
estimator = DepthEstimator.load('hf:someone/tiny', device='cpu', runtime='torch')
(depth,) = estimator.predict([np.zeros((60, 80, 3), np.uint8)])
print(depth.values.shape, np.isfinite(depth.values).all())
""")
    assert (done.returncode, done.stdout) == (0, '(60, 80) True\n'), done.stderr
    weights = store.folder('hf:someone/tiny') / 'model.safetensors'
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ValueError, match=r'model\.safetensors is damaged or another version'):
        DepthEstimator.load('hf:someone/tiny', device='cpu', runtime='torch')


def test_a_network_that_cannot_be_used_is_not_fetched(models, web, repository):
    web.put_in_repository('someone/depth', 'config.json', b'{"model_type": "bert"}')
    code, _, err = models('download', 'hf:someone/depth')
    assert code == 1
    assert 'config.json is of bert; known are ' in err
    assert repository.asked == []


def test_an_id_that_the_catalogue_has_is_its_model(models):
    name = 'depth-anything-v2-small'
    said = models('info', f'hf:{spec(name).repository}')[1]
    assert said == models('info', name)[1]


def test_a_model_of_the_catalogue_from_the_hub(models, web, tmp_path):
    model = spec('depth-anything-v2-base')
    web.put_in_repository(model.repository, model.file, WEIGHTS, model.revision)
    code, out, err = models('download', model.name)
    assert (code, err) == (0, '')
    assert f'{model.name}: 390 MB, licence CC-BY-NC-4.0\n' in out
    assert f'{model.name}: NOT FOR COMMERCIAL USE\n' in out
    assert (tmp_path / 'models' / model.name / model.file).read_bytes() == WEIGHTS
    assert models('verify', model.name)[1] == f'{model.name}: whole\n'


def test_weights_of_the_hub_that_are_not_what_it_says(models, repository):
    repository.content = WEIGHTS[::-1]
    code, _, err = models('download', 'hf:someone/depth')
    assert code == 1
    assert f', not {SHA256}' in err


def test_older_weights_of_the_hub(models, web, tmp_path):
    web.put_in_repository('someone/old', 'config.json', CONFIG)
    web.put_in_repository('someone/old', 'preprocessor_config.json', PROCESSOR)
    web.put_in_repository('someone/old', 'pytorch_model.bin', WEIGHTS)
    assert models('download', 'hf:someone/old')[0] == 0
    assert (tmp_path / 'models' / 'hf' / 'someone' / 'old' / 'pytorch_model.bin').is_file()


@pytest.mark.parametrize(
    ('status', 'said'),
    [(401, r'log in with `hf auth login`'), (403, 'accept its licence'), (404, 'answers 404'),
     (500, 'answers 500')],
)  # fmt: skip
def test_what_the_hub_refuses_is_one_line(models, web, repository, status, said):
    for page in web.pages.values():
        page.status, page.headers = status, {}
    code, _, err = models('download', 'hf:someone/depth')
    assert code == 1
    assert said in err
    assert err.count('\n') == 1


def test_no_hub_is_one_line(models):
    code, _, err = models('download', 'hf:someone/depth', HF_ENDPOINT='http://hub.invalid')
    assert code == 1
    assert err.startswith('depth-estimation: http://hub.invalid/someone/depth/resolve/main/conf')
    assert err.count('\n') == 1


@pytest.mark.parametrize('model', ['meter-nyu-xxs', 'hf:someone/depth'])
def test_offline_opens_no_connection(models, web, repository, model):
    web.put('/meter', WEIGHTS)
    assert models('download', model, NO_NETWORK='')[0] == 99  # the guard guards
    for arguments, more in (('--offline',), {}), ((), {'HF_HUB_OFFLINE': '1'}):
        code, _, err = models('download', model, *arguments, NO_NETWORK='', **more)
        assert code == 1
        assert f'{model} is not in ' in err


@pytest.mark.parametrize(
    ('model', 'file'),
    [
        ('meter-nyu-xxs', 'meter-nyu-xxs/build_model_best_nyu_xxs.part'),
        ('hf:someone/depth', 'hf/someone/depth/model.safetensors.part'),
    ],
)
def test_an_interrupted_download_goes_on(environment, models, web, repository, model, file):
    page = repository if model.startswith('hf:') else web.put('/meter', WEIGHTS)
    page.paces = [0.2]
    process = subprocess.Popen(
        [sys.executable, '-c', COMMAND, 'models', 'download', model],
        env=environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = Path(environment['DEPTH_ESTIMATION_MODELS'], file)
    while not (part.is_file() and part.stat().st_size):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.endswith('the same command goes on from there\n')
    here = part.stat().st_size
    assert BLOCK <= here < len(WEIGHTS)
    assert models('download', model)[0] == 0
    assert page.sent[-1] == len(WEIGHTS) - here


def test_a_terminal_sees_progress(environment, web):
    web.put('/meter', WEIGHTS)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('4H', 24, 99, 0, 0))
    subprocess.run(
        [sys.executable, '-c', COMMAND, 'models', 'download', 'meter-nyu-xxs'],
        env=environment,
        cwd=ROOT,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    with os.fdopen(ours, 'rb', buffering=0) as screen:
        assert re.search(rb'build_model_best_nyu_xxs: 100%.*200k/200k', screen.read(10_000))


def test_the_list(models):
    code, out, err = models('list')
    assert (code, err) == (0, '')
    assert any(line.split()[:2] == ['bundled', 'metric'] for line in out.splitlines())
    kitti = next(line for line in out.splitlines() if line.startswith('meter-kitti-xxs'))
    assert ' NO ' in kitti
    assert 'CC BY-NC-SA' in kitti


def test_json_is_all_that_is_printed(models, home):
    rows = {row['name']: row for row in json.loads(models('list', '--json')[1])}
    assert rows['bundled']['on_disk'] is True
    assert rows['meter-nyu-xxs']['on_disk'] is False
    assert rows['meter-nyu-xxs']['path'] == str(home / 'build_model_best_nyu_xxs')
    facts = json.loads(models('info', 'meter-kitti-xxs', '--json')[1])
    assert facts['commercial'] is False
    assert facts['valid_range'] == [1.0, 80.0]


def test_info_says_when_it_came(models, web):
    web.put('/meter', WEIGHTS)
    assert 'on_disk: False\n' in models('info', 'meter-nyu-xxs')[1]
    assert models('download', 'meter-nyu-xxs')[0] == 0
    out = models('info', 'meter-nyu-xxs')[1]
    assert 'on_disk: True\n' in out
    assert '\ndownloaded: 20' in out


def test_remove_frees_what_was_made_of_it_too(models, web, home, own_conversions):
    web.put('/meter', WEIGHTS)
    assert models('download', 'meter-nyu-xxs')[0] == 0
    converted = own_conversions / 'meter-nyu-xxs'
    (converted / '256x192-openvino').mkdir(parents=True)
    (converted / '256x192-openvino' / 'compiled.blob').write_bytes(WEIGHTS)
    assert models('remove', 'meter-nyu-xxs')[:2] == (0, 'meter-nyu-xxs: 0.4 MB freed\n')
    assert not home.exists()
    assert not converted.exists()
    code, _, err = models('remove', 'meter-nyu-xxs')
    assert code == 1
    assert 'nothing to remove' in err


def test_what_travels_with_the_package_stays(models):
    code, _, err = models('remove', 'bundled-relative')
    assert code == 1
    assert 'travels with the package' in err


@pytest.mark.parametrize('name', ['hf:../..', 'hf:depth', 'hf:a/b/c', 'hf:', 'hf:a/..'])
def test_no_id_reaches_another_folder(models, name, tmp_path):
    (tmp_path / 'models' / 'hf').mkdir(parents=True)
    code, _, err = models('remove', name)
    assert code == 2
    assert f'is named hf:<owner>/<name>, not {name!r}' in err
    assert (tmp_path / 'models' / 'hf').is_dir()


@pytest.mark.parametrize('action', ['info', 'download', 'verify', 'remove'])
def test_an_unknown_name_is_wrong_use(models, action):
    code, _, err = models(action, 'meter-nyu')
    assert code == 2
    assert 'did you mean meter-nyu-xxs?' in err


def test_who_needs_missing_weights_downloads_nothing(offline):
    done = offline("DepthEstimator.load('meter-nyu-xxs')")
    assert done.returncode == 1
    assert 'FileNotFoundError: meter-nyu-xxs: there is no weights file' in done.stderr
    assert '`depth-estimation models download meter-nyu-xxs`' in done.stderr


def test_the_commands_in_the_documentation(models, web):
    web.put('/meter', WEIGHTS)
    lines = [line for line in documents.arguments('models') if 'depth-anything' not in line]
    assert [line.split()[1] for line in lines] == ['list', 'info', 'download', 'verify', 'remove']
    for line in lines:
        code, out, err = models(*shlex.split(line)[1:])
        assert (code, err) == (0, ''), line
        assert out, line


def test_only_the_command_line_knows_how_to_download():
    knowing = {
        str(module.relative_to(PACKAGE))
        for module in PACKAGE.rglob('*.py')
        if re.search(r'\b(models\.|import .*)(download|fetch|hub)\b', module.read_text('utf-8'))
    }
    assert knowing == {'cli/models.py', 'models/download.py'}
