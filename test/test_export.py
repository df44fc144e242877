# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Exported files answer what PyTorch answers; int8 is judged on pictures that it has not seen."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import cv2
import documents
import numpy as np
import pytest

from depth_estimation_ros import synthetic
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.cli import main
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.runtimes import kinds, libraries, quantise, selfcheck

pytestmark = pytest.mark.skipif(
    any(map(kinds.missing, kinds.FP32)), reason='needs the packages of the extra runtimes'
)
METER = 'weights/meter/build_model_best_nyu_xxs'
COMMANDS = documents.arguments('export')
CAMERA = Camera(256, 192, 224.0, 224.0, 128.0, 96.0)


def rendered(seed: int) -> np.ndarray:
    room = synthetic.make_room(seed)
    return synthetic.render(room, CAMERA, synthetic.trajectory(room, 1)[0])[0]


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    for seed in range(9):
        cv2.imwrite(str(folder / f'{seed}.png'), rendered(seed)[..., ::-1])
    cv2.imwrite(str(folder / 'depth.png'), np.full((192, 256), 1000, np.uint16))
    return folder


def by_torch(pixels: np.ndarray, model: str = 'bundled', **options) -> np.ndarray:
    estimator = DepthEstimator.load(model, device='cpu', runtime='torch', **options)
    return estimator.runtime.run(pixels)


def answer(file: Path, pixels: np.ndarray) -> np.ndarray:
    """What another program gets of an exported file."""
    if file.suffix == '.onnx':
        only = {'providers': ['CPUExecutionProvider']}
        session = libraries.onnxruntime().InferenceSession(file, **only)
        return session.run(['depth'], {'pixels': pixels})[0]
    options = {'INFERENCE_PRECISION_HINT': 'f32'}
    return (
        libraries.openvino()
        .Core()
        .compile_model(file, 'CPU', options)({'pixels': pixels})['depth']
    )


@pytest.mark.parametrize('command', [text for text in COMMANDS if '--int8' not in text])
def test_a_command_of_the_document_works(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 0
    made = [tmp_path / file for file in capsys.readouterr().out.split()]
    assert sorted(made) == sorted(path for path in tmp_path.rglob('*') if path.is_file())
    told = json.loads(made[-1].read_text('utf-8'))
    _, height, width, _ = shape = told['input']['shape']
    assert told['input'] == {
        'name': 'pixels', 'type': 'uint8', 'shape': shape, 'channels': 'RGB'
    }  # fmt: skip
    assert (told['kind'], told['unit']) == ('metric', 'metres along the optical axis')
    assert (told['licence'], told['precision']) == ('Apache-2.0', 'fp32')
    (network,) = [file for file in made if file.suffix in {'.onnx', '.xml'}]
    pixels = selfcheck.reference_pixels(width, height)
    assert selfcheck.difference(answer(network, pixels), by_torch(pixels)) < 1e-4


def test_what_is_there_is_replaced_only_where_that_is_asked_for(tmp_path, capsys):
    file = tmp_path / 'bundled-192x192.onnx'
    file.write_text('of before')
    arguments = ['export', 'bundled', '--format', 'onnx', '--image', '640x640', '-o']
    assert main([*arguments, str(tmp_path)]) == 1
    assert 'bundled-192x192.onnx' in (error := capsys.readouterr().err)
    assert '--overwrite replaces it' in error
    assert file.read_text() == 'of before'


def test_openvino_answers_the_same_in_another_program(tmp_path):
    (tmp_path / 'bundled-relative-256x192.xml').write_text('of before')
    arguments = ['export', 'bundled-relative', '--format', 'openvino', '-o', str(tmp_path)]
    assert main([*arguments, '--overwrite']) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'bundled-relative-256x192.bin',
        'bundled-relative-256x192.openvino.json',
        'bundled-relative-256x192.xml',
    ]
    pixels = selfcheck.reference_pixels(256, 192)
    depth = answer(tmp_path / 'bundled-relative-256x192.xml', pixels)
    assert selfcheck.difference(depth, by_torch(pixels, 'bundled-relative')) < 1e-4


def told(refusal: str) -> str:
    """The command that a refusal names."""
    return refusal.split('depth-estimation ')[1].removesuffix(' makes it')


@pytest.mark.parametrize('form', ['openvino', 'onnx'])
def test_int8_serves_once_it_was_made(form, tmp_path, pictures, own_conversions, capsys):
    runtime = {'onnx': 'onnxruntime-int8', 'openvino': 'openvino-int8'}[form]
    estimator = DepthEstimator.load('bundled', device='cpu', runtime=runtime)
    with pytest.raises(FileNotFoundError, match='depth-estimation export bundled') as refusal:
        estimator.warm_up(640, 480)
    (documented,) = [text for text in COMMANDS if '--int8' in text]
    command = documented if form == 'openvino' else told(str(refusal.value))
    arguments = re.sub('DIR|PICTURES', str(pictures), command).split()
    assert main([*arguments, '-o', str(tmp_path)]) == 0
    assert '6 pictures calibrate, 3 judge' in (said := capsys.readouterr().err)
    facts = json.loads((tmp_path / f'bundled-256x192-int8.{form}.json').read_text('utf-8'))
    assert 1e-4 < facts['distance_from_fp32'] < 0.05
    assert f'{100 * facts["distance_from_fp32"]:.1f} %' in said

    estimator = DepthEstimator.load('bundled', device='cpu', runtime=runtime)
    picture = rendered(100)
    (prediction,) = estimator.predict([picture])
    assert estimator.runtime.name == runtime
    expected = DepthEstimator.load('bundled', device='cpu', runtime='torch').predict([picture])
    distance = quantise.distance([prediction.values], [expected[0].values], DepthKind.METRIC)
    assert 1e-4 < distance < 0.05


def test_int8_that_is_too_far_from_fp32_is_refused_with_the_figures(tmp_path, assets, capsys):
    arguments = ['export', 'meter-nyu-xxs', '--weights', str(assets / METER), '--int8']
    arguments += ['--format', 'openvino', '--pictures', str(assets), '-o', str(tmp_path)]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert ' % from fp32 on 4 pictures that were held back, more than 5 %' in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--size', '250x192'], 'takes multiples of 32, not 250x192'),
        (['--size', '256x0'], 'takes multiples of 32, not 256x0'),
        (['--int8'], '--int8 and --pictures go together'),
        (['--preset', 'tiny'], "not 'tiny'"),
        (['--int8', '--pictures', '.'], 'holds 0 colour pictures'),
    ],
)
def test_what_cannot_be_is_refused(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['export', 'bundled', '--format', 'onnx', *options]) == 1
    assert words in capsys.readouterr().err


def test_openvino_in_int8_needs_onnx_runtime_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    options = ['--int8', '--pictures', str(tmp_path)]
    assert main(['export', 'bundled', '--format', 'openvino', *options]) == 1
    assert 'onnxruntime is not installed; pip install' in capsys.readouterr().err


def test_the_distance_of_relative_answers_does_not_see_scale_and_shift():
    reference = np.random.default_rng(0).uniform(1, 2, (8, 8)).astype(np.float32)
    assert quantise.distance([3 * reference - 1], [reference], DepthKind.RELATIVE) < 1e-6
    spread = np.abs(reference - np.median(reference)).mean()
    noisy = reference + np.float32(0.1) * spread * (-1) ** np.arange(8, dtype=np.float32)
    for shift in (0, 100):
        distance = quantise.distance([noisy], [reference + shift], DepthKind.RELATIVE)
        assert distance == pytest.approx(0.1, abs=0.01)
        nothing = quantise.distance([reference * 0], [reference + shift], DepthKind.RELATIVE)
        assert nothing == pytest.approx(1.0, abs=0.05)
    assert quantise.distance(
        [1.1 * reference], [reference], DepthKind.METRIC
    ) == pytest.approx(0.1, abs=1e-5)  # fmt: skip


def test_every_third_picture_is_held_back():
    calibrating, held = quantise.split([np.full(1, index, np.uint8) for index in range(7)])
    assert [int(p[0]) for p in held] == [2, 5]
    assert [int(p[0]) for p in calibrating] == [0, 1, 3, 4, 6]
