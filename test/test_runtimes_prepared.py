# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO and ONNX Runtime answer what PyTorch answers, or are refused; what is made is kept."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from depth_estimation_ros.config import RUNTIMES
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.resolve import resolve
from depth_estimation_ros.runtimes import kinds, libraries, onnx_session, prepared, selfcheck
from depth_estimation_ros.runtimes.build import build
from depth_estimation_ros.runtimes.prepare import prepare

ROOT = Path(__file__).resolve().parents[1]
METER = 'weights/meter/build_model_best_nyu_xxs'

installed = pytest.mark.skipif(
    any(map(kinds.missing, kinds.FP32)), reason='needs the packages of the extra runtimes'
)
pytestmark = installed


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    return selfcheck.reference_pixels(width, height)[0][::-1].copy()


def estimate(model, runtime: str, path: str = '', images=None, say=None) -> list[np.ndarray]:
    model = resolve(model, path) if isinstance(model, str) else model
    estimator = DepthEstimator(model, build(model, 'cpu', runtime, say))
    predictions = estimator.predict([picture()] if images is None else images)
    estimator.close()
    return [prediction.values for prediction in predictions]


@pytest.mark.parametrize('runtime', kinds.FP32)
@pytest.mark.parametrize('model', ['bundled', 'meter-nyu-xxs'])
def test_every_runtime_answers_what_pytorch_answers(model, runtime, request):
    path = str(request.getfixturevalue('assets') / METER) if 'meter' in model else ''
    images = [picture(), 255 - picture()]
    expected = estimate(model, 'torch', path, images)
    for values, reference in zip(estimate(model, runtime, path, images), expected, strict=True):
        assert selfcheck.difference(values, reference) < 1e-4


def fresh(script: str) -> subprocess.Popen:
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONUNBUFFERED': '1'}
    return subprocess.Popen(
        [sys.executable, '-c', script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


LOAD = """
import sys
from depth_estimation_ros.estimator import DepthEstimator
estimator = DepthEstimator.load('bundled', device='cpu', runtime='RUNTIME', say=print)
estimator.warm_up(640, 480)
print(estimator.runtime.name, *(name for name in ('torch', 'timm') if name in sys.modules))
"""


def test_two_that_start_at_once_prepare_once_and_the_next_loads_without_pytorch(own_conversions):
    # Refused once, a runtime is tried again at the next start.
    folder = a_job('bundled').folder('openvino')
    folder.mkdir(parents=True)
    prepared.judge(folder, prepared.Verdict('openvino', refused='ImportError: libtbb.so.12'))
    script = LOAD.replace('RUNTIME', 'openvino')
    together = [fresh(script), fresh(script)]
    said = [process.communicate(timeout=120)[0] for process in together]
    assert sorted(text.splitlines()[-1] for text in said) == ['openvino', 'openvino'], said
    assert sum('preparing' in text and 'takes a while' in text for text in said) == 1
    assert sum('is being prepared elsewhere' in text for text in said) == 1

    later = fresh(script).communicate(timeout=60)[0]
    assert later.splitlines()[-1] == 'openvino'
    assert 'preparing' not in later
    assert [path.name for path in own_conversions.rglob('making-*')] == []


@pytest.mark.alone
def test_what_was_prepared_loads_within_seconds():
    estimate('bundled', 'openvino')
    started = time.monotonic()
    said = fresh(LOAD.replace('RUNTIME', 'openvino')).communicate(timeout=60)[0]
    assert time.monotonic() - started < 3.0
    assert said.splitlines()[-1] == 'openvino'


def test_auto_measures_once_and_remembers(own_conversions):
    said: list[str] = []
    for _ in range(2):
        estimate('bundled', 'auto', say=said.append)
        job = a_job('bundled')
        kept = {name for name in (*kinds.FP32, 'torch') if prepared.made(job, name)}
    preparing = [text for text in said if 'takes a while' in text]
    chosen = [text for text in said if 'serves' in text]
    assert len(preparing) == 1
    assert len(chosen) == 2
    assert chosen[0] == chosen[1]
    verdicts = [prepared.verdict(job, name) for name in ('openvino', 'onnxruntime', 'torch')]
    best = min(verdicts, key=lambda verdict: verdict.milliseconds)
    assert f' {best.runtime} serves (openvino ' in chosen[0]
    assert all(verdict.milliseconds > 0 and not verdict.refused for verdict in verdicts)
    assert kept == {best.runtime} - {'torch'}  # the others' files would lie there for nothing


def a_job(model, **changes) -> prepared.Job:
    model = spec(model) if isinstance(model, str) else model
    job = prepared.Job(model, prepared.checksum(model), 256, 192, 'cpu')
    return dataclasses.replace(job, **changes)


def test_what_deviates_is_refused_with_the_figures_and_pytorch_serves(
    own_conversions, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    strict = dataclasses.replace(spec('bundled'), tolerance=1e-12)
    said: list[str] = []
    (values,) = estimate(strict, 'auto', say=said.append)
    assert 'openvino is refused: it deviates from PyTorch by ' in said[-1]
    assert 'more than 1e-12' in said[-1]
    assert said[-1].startswith('bundled at 256x192: torch serves')
    np.testing.assert_array_equal(values, estimate('bundled', 'torch')[0])
    with pytest.raises(ValueError, match=r'openvino is refused: it deviates .* 1e-12'):
        estimate(strict, 'openvino')


def test_a_size_is_prepared_when_it_comes():
    said: list[str] = []
    estimator = DepthEstimator(
        spec('bundled'), build(spec('bundled'), 'cpu', 'openvino', said.append)
    )
    for width, height in ((320, 240), (240, 240), (320, 240)):
        (prediction,) = estimator.predict([picture(width, height)])
        assert prediction.values.shape == (height, width)
    serving = [text.split(':')[0] for text in said if 'serves' in text]
    assert serving == ['bundled at 256x192', 'bundled at 192x192']


def live(said: list[str]) -> DepthEstimator:
    runtime = build(spec('bundled'), 'cpu', 'openvino', said.append)
    runtime.patient = False
    return DepthEstimator(spec('bundled'), runtime)


def test_live_pytorch_serves_a_size_until_it_is_prepared(own_conversions):
    said: list[str] = []
    estimator = live(said)
    runtime, images = estimator.runtime, [picture(240, 240)]
    (meanwhile,) = estimator.predict(images)
    (wide,) = estimator.predict([picture()])  # one is prepared after the other
    assert (runtime.name, wide.values.shape) == ('torch', (240, 320))
    assert 'bundled at 192x192 is being prepared' in runtime.hint
    wait_for(lambda: not runtime.hint)
    (served,) = estimator.predict(images)
    assert runtime.name == 'openvino'
    assert runtime._torch is None
    assert selfcheck.difference(served.values, meanwhile.values) < 1e-4
    estimator.predict([picture()])
    assert 'bundled at 256x192 is being prepared' in runtime.hint
    assert len([text for text in said if 'takes a while' in text]) <= 2
    (child,) = wait_for(lambda: psutil.Process().children())
    estimator.close()
    assert not child.is_running()
    assert not runtime.hint
    assert len(list(own_conversions.rglob('verdict.json'))) == 1


def test_live_what_waits_for_another_to_prepare_can_be_closed(own_conversions):
    said: list[str] = []
    with prepared.alone(a_job('bundled'), print):
        estimator = live(said)
        estimator.predict([picture()])
        wait_for(lambda: len(said) == 2)
        estimator.close()
    assert said == [
        'bundled at 256x192: loading PyTorch, which serves until that is prepared',
        'bundled at 256x192: the same model is being prepared elsewhere; waiting',
    ]
    assert not psutil.Process().children()


def test_live_a_runtime_that_could_not_be_prepared_serves_no_more(own_conversions, monkeypatch):
    monkeypatch.setenv('PYTHONHOME', '/nowhere')
    estimator = live([])
    estimator.predict([picture()])
    wait_for(lambda: not estimator.runtime.hint)
    for _ in range(2):
        with pytest.raises(ValueError, match=r'ended with exit code 1.*torch needs no'):
            estimator.predict([picture()])


def test_a_network_whose_weights_are_anothers_is_refused_by_name(assets):
    with pytest.raises(ValueError, match=r'holds the weights of meter-nyu-xxs.*not of bundled'):
        estimate('bundled', 'openvino', str(assets / METER))


@pytest.mark.parametrize('runtime', ['openvino', 'onnxruntime'])
def test_what_is_not_installed_is_refused_with_the_cure(runtime, monkeypatch):
    monkeypatch.setitem(sys.modules, runtime, None)
    with pytest.raises(ValueError, match=rf'{runtime} is not installed; pip install .*runtimes'):
        build(spec('bundled'), device='cpu', runtime=runtime)


def test_where_only_pytorch_is_installed_auto_prepares_nothing(own_conversions, monkeypatch):
    for name in kinds.FP32:
        monkeypatch.setitem(sys.modules, name, None)
    assert build(spec('bundled'), device='cpu').name == 'torch'
    assert not own_conversions.exists()


def test_a_device_that_a_runtime_does_not_run_on_is_refused():
    with pytest.raises(ValueError, match='tensorrt runs on an NVIDIA GPU'):
        build(spec('bundled'), device='cpu', runtime='tensorrt')
    with pytest.raises(ValueError, match='openvino runs on the cpu, not on cuda:0'):
        kinds.check('openvino', 'cuda:0')
    with pytest.raises(ValueError, match='onnxruntime-gpu'):
        kinds.check('tensorrt', 'cuda:0')
    with pytest.raises(ValueError, match="not 'tensorflow'"):
        build(spec('bundled'), runtime='tensorflow')
    assert {*kinds.FP32, *kinds.INT8, 'tensorrt'} == set(RUNTIMES) - {'auto', 'torch'}


def test_a_preparation_that_dies_leaves_pytorch(own_conversions, monkeypatch):
    monkeypatch.setenv('PYTHONHOME', '/nowhere')  # of the process that prepares: it cannot start
    said: list[str] = []
    (values,) = estimate('bundled', 'auto', say=said.append)
    assert 'ended with exit code 1, see ' in said[-2]
    np.testing.assert_array_equal(values, estimate('bundled', 'torch')[0])
    with pytest.raises(ChildProcessError, match='the runtime torch needs no preparation'):
        estimate('bundled', 'openvino')
    assert list(own_conversions.rglob('verdict.json')) == []


def test_what_failed_is_not_tried_again_at_every_image(own_conversions, monkeypatch):
    monkeypatch.setenv('PYTHONHOME', '/nowhere')
    said: list[str] = []
    runtime = build(spec('bundled'), 'cpu', 'openvino', said.append)
    estimator = DepthEstimator(spec('bundled'), runtime)
    with pytest.raises(ChildProcessError, match='ended with exit code 1'):
        estimator.predict([picture()])
    with pytest.raises(ValueError, match='ended with exit code 1'):
        estimator.predict([picture()])
    assert len([text for text in said if 'takes a while' in text]) == 1


def test_a_folder_that_cannot_be_written_is_named_with_the_cure(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    with pytest.raises(ValueError, match=r'cannot be written: .* Set XDG_CACHE_HOME'):
        estimate('bundled', 'openvino')
    said: list[str] = []
    (values,) = estimate('bundled', 'auto', say=said.append)
    assert 'cannot be written' in said[0]
    assert said[1] == 'bundled at 256x192: torch serves (torch, not measured)'
    np.testing.assert_array_equal(values, estimate('bundled', 'torch')[0])


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_what_is_removed_while_it_is_prepared_is_named_with_the_cure(
    moment, own_conversions, monkeypatch
):
    home = prepared.home('bundled')

    def removed(job, runtimes, *_):
        shutil.rmtree(home)
        if moment == 'before':
            prepare(job, runtimes, print)

    monkeypatch.setattr('depth_estimation_ros.runtimes.prepared_runtime.prepare', removed)
    with pytest.raises(ValueError, match=r'runtimes/bundled was removed .*; load the model again'):
        estimate('bundled', 'openvino')


def test_what_prepares_ends_with_him_who_waits_for_it(own_conversions):
    waiting = fresh(LOAD.replace('RUNTIME', 'openvino'))
    assert 'takes a while' in waiting.stdout.readline()
    (child,) = wait_for(lambda: psutil.Process(waiting.pid).children())
    wait_for(lambda: list(own_conversions.rglob('making-*')))
    waiting.kill()
    waiting.communicate()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()
    assert list(own_conversions.rglob('verdict.json')) == []


def wait_for(condition, timeout: float = 60.0):
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_long_preparation_says_that_it_goes_on(own_conversions, tmp_path, monkeypatch):
    (tmp_path / 'dataclasses.py').write_text('raise SystemExit(9)')
    monkeypatch.chdir(tmp_path)  # what the user has there is not imported
    monkeypatch.setattr('depth_estimation_ros.runtimes.prepare._SILENCE', 0.2)
    said: list[str] = []
    with prepared.alone(a_job('bundled'), print):
        prepare(a_job('bundled'), ['torch'], said.append)
    assert 'bundled at 256x192: still being prepared, 0 s so far' in said


def test_weights_that_are_replaced_meanwhile_are_not_taken_for_the_former(own_conversions):
    job = a_job('bundled', checksum='0' * 64)
    with prepared.alone(job, print), pytest.raises(ValueError, match='weights were replaced'):
        prepare(job, ['openvino'], print)
    assert not prepared.made(job, 'openvino')


def test_a_conversion_for_former_weights_goes_when_the_next_is_made(own_conversions):
    former, job = a_job('bundled', checksum='0' * 64), a_job('bundled')
    others = [a_job('bundled', height=256), a_job('bundled', device='cuda:0')]
    for each in (former, *others):
        each.folder('openvino').mkdir(parents=True)
    with prepared.making(job, 'openvino') as folder:
        prepared.judge(folder, prepared.Verdict('openvino', 1.0))
    assert not former.folder('openvino').exists()
    assert all(each.folder('openvino').exists() for each in (job, *others))


def test_a_verdict_that_a_loss_of_power_emptied_is_none(own_conversions):
    job = a_job('bundled')
    job.folder('openvino').mkdir(parents=True)
    (job.folder('openvino') / 'verdict.json').touch()
    assert prepared.verdict(job, 'openvino') is None


@pytest.mark.parametrize(
    ('runtime', 'name'), [('openvino', 'compiled.blob'), ('onnxruntime', 'model.onnx')]
)
def test_a_damaged_conversion_is_named(runtime, name, own_conversions):
    job = a_job('bundled')
    job.folder(runtime).mkdir(parents=True)
    (job.folder(runtime) / name).write_bytes(b'no network')
    prepared.judge(job.folder(runtime), prepared.Verdict(runtime, 1.0))
    with pytest.raises(ValueError, match=rf'{name} is damaged, delete '):
        estimate('bundled', runtime)


def test_a_session_never_goes_on_somewhere_else(tmp_path):
    onnx = pytest.importorskip('onnx', reason='needs the packages of the extra runtimes')
    file = tmp_path / onnx_session.FILE
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1]) for name in ('pixels', 'depth')]
    node = onnx.helper.make_node('Identity', ['pixels'], ['depth'])
    graph = onnx.helper.make_graph([node], 'nothing', ends[:1], ends[1:])
    opset = onnx.helper.make_opsetid('', 18)
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=[opset]), file)
    assert not onnx_session.OnnxSession(file)._session._enable_fallback
    if not onnx_session.available('CUDA'):
        with (
            pytest.warns(UserWarning, match='CUDAExecutionProvider'),
            pytest.raises(ValueError, match=r'cannot start CUDA.* on cuda:0: .*docs/gpu\.md'),
        ):
            onnx_session.OnnxSession(file, 'cuda:0')


def test_tensorrt_is_loaded_from_where_pip_put_it(tmp_path, monkeypatch):
    (tmp_path / 'tensorrt.py').write_text('LOADED = True')
    libraries.tensorrt()  # which is no fault where it is not installed
    monkeypatch.syspath_prepend(tmp_path)
    libraries.tensorrt()
    assert sys.modules.pop('tensorrt').LOADED


def test_what_fails_while_it_is_made_leaves_nothing(own_conversions):
    job = a_job('bundled')
    left = job.folder('').with_name('making-killed')
    left.mkdir(parents=True)
    with prepared.alone(job, print):
        assert not left.exists()

    def half() -> None:
        with prepared.making(job, 'openvino') as folder:
            (folder / 'compiled.blob').write_bytes(b'half of')
            raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        half()
    assert prepared.verdict(job, 'openvino') is None
    assert [path.name for path in job.folder('').parent.iterdir()] == ['lock']


def test_a_conversion_belongs_to_all_that_it_depends_on():
    job = a_job('bundled')
    others = [
        a_job('bundled', checksum='0' * 64),
        a_job('bundled', height=256),
        a_job('bundled', device='cuda:0', gpu='NVIDIA GeForce RTX 3060'),
        a_job('bundled', device='cuda:0', gpu='NVIDIA RTX A2000'),
        a_job('bundled-relative'),
        a_job(dataclasses.replace(spec('bundled'), mean=(0.5, 0.5, 0.5))),
    ]
    folders = {each.folder('openvino') for each in [job, *others]}
    assert len(folders) == 1 + len(others)
    assert job.folder('openvino') == a_job('bundled').folder('openvino')


def test_the_libraries_report_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    script = """
import sys
from depth_estimation_ros.runtimes import libraries
libraries.openvino(), libraries.onnxruntime()
import openvino.tools.ovc.telemetry_utils as utils
assert 'openvino_telemetry.main' not in sys.modules
print(utils.tm.__name__)
"""
    assert fresh(script).communicate(timeout=60)[0] == 'openvino.tools.ovc.telemetry_stub\n'
    cache = Path(os.environ['XDG_CACHE_HOME'])
    assert [path.name for path in cache.iterdir()] == ['depth_estimation']
    assert list(tmp_path.iterdir()) == []


def test_the_difference_is_of_the_worst_pixel_and_knows_nan():
    reference = np.array([[2.0, 2.0], [2.0, -2.0]], np.float32)
    assert selfcheck.difference(reference + np.float32(0.5), reference) == 0.25
    assert selfcheck.difference(reference * 0, reference * 0) == 0.0
    broken = np.where(reference > 0, reference, np.float32(np.nan))
    assert not selfcheck.difference(broken, reference) <= 1e9
    with pytest.raises(ValueError, match=r'\(1, 2\) instead of \(2, 2\)'):
        selfcheck.difference(reference[:1], reference)
    assert selfcheck.tolerance(spec('bundled'), half=True) == 1e-2
