# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from depth_estimation_ros import calibration_file
from depth_estimation_ros.calibration import ASSUMED_RELATIVE_ERROR, Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.fitting import factor, fit
from depth_estimation_ros.frames import DepthKind

CAMERA = Camera(640, 480, 500.0, 505.0, 321.0, 238.0, 'plumb_bob', (-0.2, 0.05, 0.0, 0.0, 0.1))
FIT = fit([0.5, 1.0, 2.0, 3.0], [2.0, 1.02, 0.49, 0.33], DepthKind.RELATIVE)
CALIBRATION = Calibration(FIT, 'bundled-relative', CAMERA, 1_763_700_000_123_456_789)

# Saves over the file of its first argument, and is killed inside the function of its second.
KILLED = """
import os, signal, sys
from pathlib import Path
from depth_estimation_ros import calibration_file
calibration = calibration_file.load(Path(sys.argv[1]))
setattr(os, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
calibration_file.save(calibration, Path(sys.argv[1]))
"""

# Saves two calibrations in turn over the file of its first argument, in children that it kills at
# random moments of what that takes just then, until ten of them were in the middle of it.
KILLED_OFTEN = """
import dataclasses, os, random, signal, sys, time
from pathlib import Path
from depth_estimation_ros import calibration_file
file = Path(sys.argv[1])
one = calibration_file.load(file)
two = dataclasses.replace(one, created=2, weights='x' * 5000)
at_work, begins = os.pipe()
left = 0
while left < 10:
    begun = time.monotonic()
    calibration_file.save(two, file)
    calibration_file.save(one, file)
    turn = time.monotonic() - begun
    child = os.fork()
    if not child:
        os.write(begins, b'.')
    while not child:
        calibration_file.save(two, file)
        calibration_file.save(one, file)
    os.read(at_work, 1)
    time.sleep(random.uniform(0.0, turn))
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert calibration_file.load(file) in (one, two)
    left = len(list(file.parent.iterdir())) - 1
"""


@pytest.mark.parametrize('camera', [CAMERA, None])
def test_what_was_saved_is_loaded(tmp_path, camera):
    saved = dataclasses.replace(CALIBRATION, camera=camera)
    file = tmp_path / 'new' / 'folder' / 'camera.yaml'
    calibration_file.save(saved, file)
    assert calibration_file.load(file) == saved
    assert [path.name for path in file.parent.iterdir()] == ['camera.yaml']


def test_a_fit_without_redundancy_is_kept_too(tmp_path):
    exact = fit([0.5, 2.0], [2.0, 0.5], DepthKind.RELATIVE)
    file = tmp_path / 'camera.yaml'
    calibration_file.save(dataclasses.replace(CALIBRATION, fit=exact), file)
    assert repr(calibration_file.load(file).fit) == repr(exact)  # leave_one_out is NaN


def test_a_plain_factor_is_kept_too(tmp_path):
    plain = dataclasses.replace(CALIBRATION, fit=factor(DepthKind.METRIC, 1.5))
    calibration_file.save(plain, tmp_path / 'camera.yaml')
    assert repr(calibration_file.load(tmp_path / 'camera.yaml')) == repr(plain)


def test_the_file_is_for_people_to_read(tmp_path):
    calibration_file.save(CALIBRATION, tmp_path / 'camera.yaml')
    stored = yaml.safe_load((tmp_path / 'camera.yaml').read_text())
    assert stored['model'] == 'bundled-relative'
    assert stored['fit']['kind'] == 'relative'
    assert stored['fit']['scale'] == FIT.scale
    assert stored['camera']['distortion'] == [-0.2, 0.05, 0.0, 0.0, 0.1]


def test_a_calibration_of_another_model_or_camera_is_refused(tmp_path):
    calibration_file.save(CALIBRATION, tmp_path / 'camera.yaml')
    loaded = calibration_file.load(tmp_path / 'camera.yaml')
    loaded.check('bundled-relative', CAMERA)
    with pytest.raises(ValueError, match='for model bundled-relative, not midas'):
        loaded.check('midas', CAMERA)
    with pytest.raises(ValueError, match=r'another camera.*fx=500.*fx=612'):
        loaded.check('bundled-relative', dataclasses.replace(CAMERA, fx=612.0))
    with pytest.raises(ValueError, match='for preset full, not fast'):
        loaded.check('bundled-relative', CAMERA, 'fast')
    with pytest.raises(ValueError, match='for other weights of bundled-relative'):
        loaded.check('bundled-relative', CAMERA, 'full', 'abc')
    calibration_file.save(dataclasses.replace(CALIBRATION, weights='abc'), tmp_path / 'own.yaml')
    calibration_file.load(tmp_path / 'own.yaml').check('bundled-relative', CAMERA, 'full', 'abc')


def test_a_file_of_before_was_made_at_full_size_with_an_error_that_is_assumed(tmp_path):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(dataclasses.replace(CALIBRATION, preset='fast'), file)
    assert calibration_file.load(file).preset == 'fast'
    stored = yaml.safe_load(file.read_text())
    del stored['preset'], stored['fit']['noise']
    file.write_text(yaml.safe_dump(stored))
    found = calibration_file.load(file)
    assert found.fit.noise == ASSUMED_RELATIVE_ERROR > FIT.rms_relative_error
    assert dataclasses.replace(found, fit=FIT) == CALIBRATION


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('scale: ', 'scale: ['),
        ('scale: ', 'scale: -'),
        ('scale: ', 'scale: far #'),
        ('shift: ', 'shift: .nan #'),
        ('kind: relative', 'kind: absolute'),
        ('model: ', 'network: '),
        ('width: 640', 'width: 0'),
        ('distortion_model: plumb_bob', 'distortion_model: barrel'),
        ('covariance:', 'covariance: []\n  rest:'),
        ('created: ', 'created: yesterday #'),
        ('created: ', 'created: .inf #'),
        ('created: ', 'created: 99'),
        ('scale: ', 'scale: ' + 400 * '9' + ' #'),
        ('leave_one_out: ', 'leave_one_out: [1] #'),
        ('references: ', 'references: 4.5 #'),
        ('model: ', 'model: 5 #'),
        ('fx: ', f'fx: {5000 * "["} #'),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, old, new):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(CALIBRATION, file)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=r'camera\.yaml is not a calibration.*calibrate again'):
        calibration_file.load(file)


@given(st.binary(max_size=200))
def test_any_other_file_is_refused_by_name(tmp_path_factory, content):
    file = tmp_path_factory.mktemp('any') / 'camera.yaml'
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r'camera\.yaml is not a calibration'):
        calibration_file.load(file)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(CALIBRATION, file)
    whole = file.read_text()
    for end in range(0, len(whole) - len('000\n'), 7):  # a shorter last number is a number
        if end >= whole.index('created: ') + len('created: '):
            break
        file.write_text(whole[:end])
        with pytest.raises(ValueError, match=r'camera\.yaml is not a calibration'):
            calibration_file.load(file)


def test_no_file_is_told_from_a_bad_one(tmp_path):
    with pytest.raises(FileNotFoundError, match='depth-estimation calibrate makes one'):
        calibration_file.load(tmp_path / 'camera.yaml')


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path):
    (tmp_path / 'state').write_text('a file, no folder')
    with pytest.raises(OSError, match=r'state/camera\.yaml: File exists'):
        calibration_file.save(CALIBRATION, tmp_path / 'state' / 'camera.yaml')


def test_a_file_that_cannot_be_replaced_is_named_with_the_reason(tmp_path):
    (tmp_path / 'camera.yaml').mkdir()
    with pytest.raises(OSError, match=r'camera\.yaml: Is a directory'):
        calibration_file.save(CALIBRATION, tmp_path / 'camera.yaml')
    assert [path.name for path in tmp_path.iterdir()] == ['camera.yaml']


@pytest.mark.parametrize('moment', ['fsync', 'replace'])
def test_a_process_killed_while_it_saves_loses_nothing(tmp_path, moment):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(CALIBRATION, file)
    child = subprocess.run(
        [sys.executable, '-c', KILLED, str(file), moment],
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert calibration_file.load(file) == CALIBRATION
    newer = dataclasses.replace(CALIBRATION, created=7)
    calibration_file.save(newer, file)
    assert calibration_file.load(file) == newer


def test_processes_killed_at_any_moment_lose_nothing_and_leave_nothing_for_long(tmp_path):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(CALIBRATION, file)
    run = [sys.executable, '-c', KILLED_OFTEN, str(file)]
    subprocess.run(run, cwd=Path(__file__).parents[1], check=True, timeout=60.0)
    another = tmp_path / '.camera2.yaml.x'
    another.touch()
    calibration_file.save(CALIBRATION, file)
    left = set(tmp_path.iterdir()) - {file, another}
    assert len(left) == 10  # a process that saves now may need them
    for temporary in left | {another}:
        os.utime(temporary, (0, 0))
    calibration_file.save(CALIBRATION, file)
    assert set(tmp_path.iterdir()) == {file, another}


@pytest.mark.parametrize('part', [[], ['fit'], ['camera']])
def test_a_file_of_a_newer_version_is_refused(tmp_path, part):
    file = tmp_path / 'camera.yaml'
    calibration_file.save(CALIBRATION, file)
    stored = yaml.safe_load(file.read_text())
    into = stored[part[0]] if part else stored
    into['quality'] = 'good'
    file.write_text(yaml.safe_dump(stored))
    with pytest.raises(ValueError, match="'quality' is of a newer version"):
        calibration_file.load(file)


def test_each_camera_model_and_preset_has_its_own_file(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_STATE_HOME', str(tmp_path))
    assert calibration_file.path('', '', 'bundled') == (
        tmp_path / 'depth_estimation' / 'camera--bundled.yaml'
    )
    assert calibration_file.path(str(tmp_path), 'front', 'a/b').parent == tmp_path
    monkeypatch.delenv('XDG_STATE_HOME')
    assert calibration_file.path('', '', 'bundled').is_relative_to(Path.home() / '.local/state')
    assert calibration_file.path('~/kept', '', 'bundled').parent == Path.home() / 'kept'
    files = {
        calibration_file.path('', camera, model, preset, origin)
        for camera in ('', 'front', 'rear', 'rear/left', 'rear_left')
        for model in ('bundled', 'bundled-relative')
        for preset in ('full', 'fast')
        for origin in ('', '/robot/bundled/model.pth', '/home/bundled/model.pth')
    }
    assert len(files) == 60


def test_numbers_of_numpy_are_written_as_numbers(tmp_path):
    k, d = np.diag([500.0, 501.0, 1.0]), np.array([-0.2, 0.05, 0.0, 0.0, 0.0])
    camera = Camera(640, 480, k[0, 0], k[1, 1], k[0, 2], k[1, 2], 'plumb_bob', tuple(d))
    found = fit([1.0, 2.0], [1.0, 0.5], DepthKind.RELATIVE)
    calibration_file.save(Calibration(found, 'any', camera, 0), tmp_path / 'c.yaml')
    assert calibration_file.load(tmp_path / 'c.yaml').camera == camera
