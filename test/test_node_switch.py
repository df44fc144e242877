# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""~/set_model on a real ROS graph: the present model works on until the other one is there."""

from __future__ import annotations

import ctypes
import gc
import select
import shutil
import signal
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')
pytest.importorskip('depth_estimation_interfaces', reason='the interfaces are not built')

import tiny
import torch
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rig import Rig, image_message, info_message, rendered
from sensor_msgs.msg import Image

from depth_estimation_interfaces.msg import DepthStatus
from depth_estimation_interfaces.srv import CalibrateScale, GetDistance, SetModel
from depth_estimation_ros import messages
from depth_estimation_ros.colorize import SettlingRange, colorize_inverse
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models.architectures import build
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.models.store import locate
from depth_estimation_ros.models.weights import read
from depth_estimation_ros.ros.diagnostics import resident_megabytes
from depth_estimation_ros.runtimes import prepared
from depth_estimation_ros.runtimes.base import OutOfMemoryError

SPOTS = {'u': [40.0, 160.0, 280.0], 'v': [60.0, 120.0, 200.0]}


@pytest.fixture
def start(ros):
    rigs = []

    def begin(**options) -> Rig:
        rig = Rig(**{'runtime': 'torch', **options})
        rigs.append(rig)
        assert rig.node.autostart()
        rig.connect()
        return rig

    yield begin
    for rig in rigs:
        rig.close()


@pytest.fixture(scope='module')
def scene():
    return rendered()


class Gate:
    """Holds the loads of a node until it is opened; what is loaded then is real."""

    def __init__(self, rig: Rig) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        load = rig.node.load

        def held(config):
            self.entered.set()
            assert self.opened.wait(30.0)
            return load(config)

        rig.node.load = held


def call(rig: Rig, **fields: str):
    """The answer of set_model that is to come."""
    client = rig.client.create_client(SetModel, '/depth_estimation/set_model')
    rig.until(client.service_is_ready, 'set_model is there')
    return client.call_async(SetModel.Request(**fields))


def serve(rig: Rig, message: Image) -> GetDistance.Response:
    """Send an image and ask for distances in it."""
    received = rig.node.streams[''].received
    rig.send(message, info_message(message))
    rig.until(lambda: rig.node.streams[''].received > received, 'image arrives')
    return rig.ask(GetDistance, 'get_distance', **SPOTS)


def parameters(rig: Rig) -> dict[str, object]:
    names = ('model', 'weights', 'preset', 'runtime')
    return {name: rig.node.get_parameter(name).value for name in names}


def test_frames_go_on_while_another_model_is_loaded_and_then_it_serves(start, scene):
    rig = start(model='bundled')
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    inverse = rig.listen(Image, '/depth_estimation/inverse_depth/image')
    statuses = rig.listen(DepthStatus, '/depth_estimation/status', latched=True)
    gate, present = Gate(rig), weakref.ref(rig.node.estimator)
    answer = call(rig, model='bundled-relative', preset='fast')
    rig.until(gate.entered.is_set, 'the load has begun')
    for stamp in range(1, 6):
        rig.send(image_message(scene[0], stamp))
        rig.until(lambda stamp=stamp: len(depths) == stamp, 'depth during the load')
    second = rig.ask(SetModel, 'set_model', model='bundled')
    assert not second.success
    assert 'bundled-relative is being loaded' in second.message
    assert second.status.model == 'bundled'
    assert rig.node.set_parameters([Parameter('range.max', value=7.0)])[0].successful
    assert not answer.done()
    gate.opened.set()
    rig.until(answer.done, 'set_model answers')
    done = answer.result()
    assert done.success, done.message
    assert (done.status.model, done.status.depth_kind) == ('bundled-relative', 'relative')
    assert done.status.network_height < 192
    assert parameters(rig) == {
        'model': 'bundled-relative', 'weights': '', 'preset': 'fast', 'runtime': 'torch',
    }  # fmt: skip
    assert rig.node.config.range.max == 7.0
    rig.until(lambda: statuses[-1].model == 'bundled-relative', 'status is published anew')
    gone = rig.ask(GetDistance, 'get_distance', **SPOTS)
    assert 'since the model was changed' in gone.message
    rig.send(image_message(scene[0], 6))
    rig.until(lambda: inverse, 'the other model serves')
    assert len(depths) == 5
    gc.collect()
    assert present() is None
    (refused,) = rig.node.set_parameters([Parameter('model', value='bundled')])
    assert not refused.successful
    assert '~/set_model' in refused.reason


@pytest.mark.parametrize(
    ('wish', 'words'),
    [
        ({'model': 'no-such-model'}, ('no-such-model', 'bundled')),
        ({'model': 'meter-nyu-xxs'}, ('models download meter-nyu-xxs',)),
        ({'model': '/no/such/folder'}, ('/no/such/folder',)),
        ({'preset': 'enormous'}, ('enormous', 'balanced')),
        ({'runtime': 'abacus'}, ('abacus', 'torch')),
    ],
)
def test_what_cannot_be_loaded_changes_nothing_and_the_reason_is_told(start, scene, wish, words):
    rig = start(model='bundled')
    before, in_force = rig.node.estimator, parameters(rig)
    refused = rig.ask(SetModel, 'set_model', **wish)
    assert not refused.success
    assert all(word in refused.message for word in words), refused.message
    assert refused.status.model == 'bundled'
    assert rig.node.estimator is before
    assert parameters(rig) == in_force
    assert serve(rig, image_message(scene[0])).success


def test_weights_of_another_network_are_refused_and_the_path_returns_with_its_model(
    start, scene, tmp_path
):
    weights = tmp_path / 'meter.pth'
    torch.save(build(spec('meter-nyu-xxs')).state_dict(), weights)
    rig = start(model='meter-nyu-xxs', weights=str(weights))
    assert rig.ask(SetModel, 'set_model', model='bundled').success
    assert parameters(rig)['weights'] == ''
    torch.save(build(spec('bundled')).state_dict(), weights)
    refused = rig.ask(SetModel, 'set_model', model='meter-nyu-xxs')
    assert not refused.success
    assert 'does not fit' in refused.message
    assert parameters(rig)['model'] == 'bundled'
    torch.save(build(spec('meter-nyu-xxs')).state_dict(), weights)
    again = rig.ask(SetModel, 'set_model', model='meter-nyu-xxs')
    assert again.success, again.message
    assert parameters(rig)['weights'] == str(weights)


def test_a_model_that_had_to_be_cut_back_says_so_in_the_answer(start, scene):
    rig = start(model='bundled', preset='fast')
    warm_up = DepthEstimator.warm_up

    def cramped(estimator, width, height):
        predict = estimator.runtime.predict

        def refusing(images, plan, latency):
            if plan.network_width > 200:
                raise OutOfMemoryError('you tried to allocate too much')
            return predict(images, plan, latency)

        estimator.runtime.predict = refusing
        warm_up(estimator, width, height)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DepthEstimator, 'warm_up', cramped)
        answer = rig.ask(SetModel, 'set_model', model='bundled-relative', preset='full')
    assert answer.success
    assert 'memory did not suffice' in answer.message
    assert 'at preset balanced' in answer.message
    assert parameters(rig)['preset'] == 'balanced'


def test_a_calibration_stays_with_its_model_and_preset(start, scene):
    rig = start(model='bundled-relative', runtime='auto')
    message = image_message(scene[0])
    serve(rig, message)
    known = [float(scene[1][int(v), int(u)]) for u, v in zip(*SPOTS.values(), strict=True)]
    fitted = rig.ask(CalibrateScale, 'calibrate_scale', **SPOTS, distance=known)
    assert fitted.success, fitted.message
    kept = rig.ask(GetDistance, 'get_distance', **SPOTS)
    for wish, calibrated in (
        ({'runtime': 'torch'}, True),  # the same numbers, carried otherwise
        ({'preset': 'fast'}, False),
        ({'preset': 'full'}, True),
        ({'model': 'bundled'}, False),
        ({'model': 'bundled-relative'}, True),
    ):
        answer = rig.ask(SetModel, 'set_model', **wish)
        assert answer.success, answer.message
        assert list(answer.status.calibrated) == [calibrated], wish
        found = serve(rig, message)
        if calibrated:
            np.testing.assert_allclose(found.depth, kept.depth, rtol=1e-3)
            # Larger where nothing tells that the network speaks in the scale of then: by what is
            # assumed of one that was not seen for long, a ninth of the depth.
            told, before = np.array(found.std_dev), np.array(kept.std_dev)
            assert np.all(told > 0.99 * before)
            assert np.all(told < 1.01 * np.hypot(before, 0.12 * np.array(kept.depth)))
        else:
            assert 'calibrate' in found.message


def test_a_saved_calibration_of_the_other_model_is_loaded(start, scene):
    rig = start(model='bundled-relative', preset='balanced')
    message = image_message(scene[0])
    serve(rig, message)
    known = [float(scene[1][int(v), int(u)]) for u, v in zip(*SPOTS.values(), strict=True)]
    fitted = rig.ask(CalibrateScale, 'calibrate_scale', **SPOTS, distance=known, save=True)
    assert fitted.success, fitted.message
    assert rig.node.streams[''].calibration_file().name == (
        'camera--bundled-relative--balanced.yaml'
    )
    rig.close()
    rig = start(model='bundled')
    for preset, calibrated in (('full', False), ('balanced', True)):
        assert rig.ask(SetModel, 'set_model', model='bundled-relative', preset=preset).success
        assert serve(rig, message).success == calibrated
        assert (rig.node.streams[''].calibration is not None) == calibrated


def test_a_saved_calibration_is_not_used_with_other_weights_of_the_same_name(
    start, scene, tmp_path
):
    tensors = read(locate(spec('bundled-relative')))
    others = {name: 1.01 * tensor for name, tensor in tensors.items()}
    here, there = str(tmp_path / 'here.pth'), str(tmp_path / 'there.pth')
    torch.save(tensors, here)
    rig = start(model='bundled-relative', weights=here)
    serve(rig, image_message(scene[0]))
    known = [float(scene[1][int(v), int(u)]) for u, v in zip(*SPOTS.values(), strict=True)]
    fitted = rig.ask(CalibrateScale, 'calibrate_scale', **SPOTS, distance=known, save=True)
    assert fitted.success, fitted.message
    kept = rig.node.streams[''].calibration_file()
    for content, weights, calibrated in (
        (others, here, False),
        (tensors, there, False),
        (tensors, here, True),
    ):
        rig.close()
        torch.save(content, weights)
        rig = start(model='bundled-relative', weights=weights)
        assert serve(rig, image_message(scene[0])).success == calibrated
        stream = rig.node.streams['']
        assert ('other weights' in stream.faults.latest) == (content is others)
        assert (stream.calibration_file() == kept) == (weights == here)


def test_the_colours_of_a_relative_model_settle_anew(start, scene):
    rig = start(model='bundled-relative')
    colours = rig.listen(Image, '/depth_estimation/colorized/image')
    inverse = rig.listen(Image, '/depth_estimation/inverse_depth/image')
    rig.send(image_message(scene[0] // 4))
    rig.until(lambda: colours and inverse, 'a first picture')
    assert rig.ask(SetModel, 'set_model', preset='fast').success
    rig.send(image_message(scene[0]))
    rig.until(lambda: len(colours) == len(inverse) == 2, 'another picture')
    values = messages.decode_depth(inverse[1])
    expected = np.empty((240, 320, 3), np.uint8)
    colorize_inverse(values, *SettlingRange().update(values), 'turbo', expected)
    np.testing.assert_array_equal(messages.decode_image(colours[1]), expected)


def test_the_states_of_the_lifecycle(start, scene):
    rig = start(model='bundled')
    rig.node.trigger_deactivate()
    assert rig.ask(SetModel, 'set_model', model='bundled-relative').success
    assert not rig.node._depth_worker.running
    rig.node.trigger_activate()
    assert serve(rig, image_message(scene[0])).header.stamp.sec == 1
    gate = Gate(rig)
    answer = call(rig, model='bundled')
    rig.until(gate.entered.is_set, 'the load has begun')
    rig.node.trigger_deactivate()
    rig.node.trigger_cleanup()
    gate.opened.set()
    rig.until(answer.done, 'set_model answers')
    assert not answer.result().success
    assert 'cleaned up' in answer.result().message
    assert rig.node.estimator is None
    refused = rig.ask(SetModel, 'set_model', model='bundled')
    assert 'not configured' in refused.message
    assert rig.node.autostart()
    assert rig.node.estimator.spec.name == 'bundled-relative'


@pytest.fixture
def depth_anything(tmp_path):
    """A folder with Depth Anything, 29 MB of random weights."""
    backbone = tiny.CONFIGURATIONS['depth_anything'][0]['backbone_config']
    wide = backbone | {'hidden_size': 384, 'num_attention_heads': 6}
    return tiny.save(tmp_path / 'wide', backbone_config=wide, reassemble_hidden_size=384)


def test_every_frame_is_served_during_a_load_and_memory_does_not_grow(
    start, scene, depth_anything
):
    rig = start(model='bundled-relative')
    inverse = rig.listen(Image, '/depth_estimation/inverse_depth/image')
    answer, sent = call(rig, model=str(depth_anything)), 0
    while not answer.done():
        sent += 1
        rig.send(image_message(scene[0], sent))
        rig.until(lambda sent=sent: len(inverse) == sent, 'inverse depth during the load')
    assert sent >= 3
    assert answer.result().success, answer.result().message
    assert parameters(rig)['model'] == str(depth_anything)
    used, estimators = [], []
    for turn in range(12):
        estimators.append(weakref.ref(rig.node.estimator))
        model = ('bundled', str(depth_anything))[turn % 2]
        assert rig.ask(SetModel, 'set_model', model=model).success
        assert serve(rig, image_message(scene[0])).success == (model == 'bundled')
        ctypes.CDLL(None).malloc_trim(0)  # what is free but kept by malloc comes and goes
        used.append(resident_megabytes())
    gc.collect()
    assert all(estimator() is None for estimator in estimators)
    assert used[-1] < used[1] + 25.0, used  # one that stayed would be 29, six of them 174


def test_frames_of_a_new_size_go_on_while_it_is_prepared(start, scene, conversions_at_hand):
    for former in prepared.home('bundled').glob('224x192-openvino-*'):
        shutil.rmtree(former)
    rig = start(runtime='openvino')
    statuses = rig.listen(DepthStatus, '/depth_estimation/status', latched=True)
    depths = rig.listen(Image, '/depth_estimation/depth/image')
    narrow = image_message(np.ascontiguousarray(scene[0][:, :288]))
    rig.send(narrow)
    rig.until(lambda: depths, 'depth while it is prepared')
    rig.until(lambda: statuses[-1].runtime == 'torch', 'the status says what serves')
    assert 'bundled at 224x192 is being prepared' in statuses[-1].hint
    rig.until(lambda: not statuses[-1].hint, 'it is prepared', 60.0)
    rig.send(narrow)
    rig.until(lambda: statuses[-1].runtime == 'openvino', 'what was asked for serves')
    assert len(depths) == 2


SHUTDOWN = """
import sys, torch
from depth_estimation_ros.ros import node

def endless(*_):
    torch.set_num_threads(1)  # it is there to last, not to take what the other tests need
    print('at work', flush=True)
    while True:
        torch.rand(500, 500) @ torch.rand(500, 500)

load = node.DepthNode.load
def other(self, config):
    return load(self, config) if config.model == 'bundled' else endless()

if 'configure' in sys.argv:
    node.DepthNode.load = endless
elif 'set_model' in sys.argv:
    node.DepthNode.load = other
else:
    node.DepthEstimator.predict = endless
raise SystemExit(node.main(['--ros-args', '-p', 'runtime:=torch']))
"""


@pytest.mark.parametrize(
    ('during', 'by'),
    [
        ('configure', signal.SIGTERM),
        ('set_model', signal.SIGINT),
        ('frame', signal.SIGINT),
        ('frame', signal.SIGTERM),
    ],
)
def test_a_shutdown_does_not_wait_for_what_takes_long(ros, spin_until, scene, during, by):
    process = subprocess.Popen(
        [sys.executable, '-c', SHUTDOWN, during],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    client, executor = Node('client'), SingleThreadedExecutor()
    executor.add_node(client)
    with process:
        try:
            if during == 'set_model':
                service = client.create_client(SetModel, '/depth_estimation/set_model')
                spin_until(executor, service.service_is_ready, 'the node is there', 30.0)
                service.call_async(SetModel.Request(model='bundled-relative'))
            if during == 'frame':
                client.create_subscription(Image, '/depth_estimation/depth/image', print, 1)
                image = client.create_publisher(Image, 'image', 1)
                client.create_timer(0.1, lambda: image.publish(image_message(scene[0])))
            said = [process.stdout]
            spin_until(executor, lambda: select.select(said, [], [], 0.0)[0], 'at work', 30.0)
            process.send_signal(by)
            _, errors = process.communicate(timeout=10.0)
            assert process.returncode == 0, errors
            assert 'Traceback' not in errors
        finally:
            process.kill()
            executor.shutdown()
            client.destroy_node()
