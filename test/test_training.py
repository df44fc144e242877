# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Losses by hand, frames from real rendering, and a run that stops and goes on."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from depth_estimation_ros.training.datasets import load_batch, random_camera, render_frames
from depth_estimation_ros.training.loop import TrainingConfig, learning_rate, train
from depth_estimation_ros.training.losses import gradient_loss, silog_loss
from depth_estimation_ros.training.validation import FIRST_SEED


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """Two rooms, two views each, rendered once by a worker process."""
    return render_frames(tmp_path_factory.mktemp('frames'), [5, 6], 2, (64, 96), workers=1)


@pytest.fixture
def config(tmp_path, frames):
    """A run of seconds on those frames."""
    (tmp_path / 'frames').symlink_to(frames.images.filename.parent)
    return TrainingConfig(
        tmp_path / 'out.safetensors',
        tmp_path,
        backbone='mobilenetv4_conv_small_035',
        rooms=2,
        views=2,
        height=64,
        width=96,
        steps=4,
        batch=2,
        workers=1,
        checkpoint_every=2,
        glance=2,
        held_out=2,
    )


def test_silog_by_hand():
    truth = torch.tensor([[[1.0, 2.0]]])
    depth = truth * torch.tensor([math.e, math.e**3])
    variance, mean = (1 + 9) / 2, 2.0
    assert silog_loss(depth, truth, 0.5).item() == pytest.approx(
        math.sqrt(variance - 0.5 * mean**2)
    )
    assert silog_loss(truth, truth).item() == pytest.approx(0, abs=2e-3)
    assert silog_loss(3 * truth, truth, 1.0).item() == pytest.approx(0, abs=2e-3)


def test_gradient_loss_by_hand():
    truth = torch.ones(1, 2, 2)
    depth = torch.tensor([[[1.0, math.e], [1.0, math.e]]])
    assert gradient_loss(depth, truth, scales=1).item() == pytest.approx(1.0)
    assert gradient_loss(5 * truth, truth, scales=1).item() == pytest.approx(0)


def test_losses_leave_out_unknown_pixels():
    truth, depth = torch.rand(2, 8, 8) + 1, torch.rand(2, 8, 8) + 1
    truth[:, 3] = math.nan
    truth[:, 4] = 0
    other = depth.clone()
    other[:, 3:5] = 40.0
    for loss in (silog_loss, gradient_loss):
        assert loss(depth, truth).isfinite()
        torch.testing.assert_close(loss(depth, truth), loss(other, truth))


def test_losses_pass_gradients_that_lower_them():
    truth = torch.rand(1, 16, 16) + 1
    log_depth = torch.zeros(1, 16, 16, requires_grad=True)
    optimizer = torch.optim.Adam([log_depth], 0.05)
    values = []
    for _ in range(40):
        loss = silog_loss(log_depth.exp(), truth) + gradient_loss(log_depth.exp(), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.3 * values[0]


def test_rendered_frames_are_kept_and_checked(frames):
    assert frames.images.shape == (4, 64, 96, 3)
    assert frames.depths.shape == (4, 32, 48)
    assert np.isfinite(frames.depths).all()
    assert frames.depths.min() > 0.2
    assert len({image.tobytes() for image in frames.images}) == 4
    directory = frames.images.filename.parent
    assert (render_frames(directory, [5, 6], 2, (64, 96)).images == frames.images).all()
    with pytest.raises(ValueError, match='remove it'):
        render_frames(directory, [5, 6], 3, (64, 96))


def test_augmentation_keeps_pictures_and_depths_together(frames):
    indices = np.arange(4)
    images, depths = load_batch(frames, indices)
    assert images.shape == (4, 3, 64, 96)
    flipped = 0
    for seed in range(4):
        changed, moved = load_batch(frames, indices, np.random.default_rng(seed))
        for before, after, old, new in zip(images, changed, depths, moved, strict=True):
            mirrored = not torch.equal(old, new)
            assert torch.equal(old.flip(1) if mirrored else old, new)
            same = _similarity(before.flip(2) if mirrored else before, after)
            assert same > _similarity(before if mirrored else before.flip(2), after)
            flipped += mirrored
    assert 0 < flipped < 16


def _similarity(a, b):
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]


def test_cameras_vary_in_moderation():
    rng = np.random.default_rng(0)
    cameras = [random_camera(rng, 256, 192) for _ in range(100)]
    views = [math.degrees(2 * math.atan(128 / camera.fx)) for camera in cameras]
    assert min(views) >= 52
    assert max(views) <= 72
    assert 30 < sum(bool(camera.distortion) for camera in cameras) < 70
    assert all(np.isfinite(camera.rays()).all() for camera in cameras[:10])


def test_learning_rate_rises_and_falls(config):
    long = dataclasses.replace(config, steps=1000)
    rates = [learning_rate(step, long) for step in range(1000)]
    assert rates[49] == pytest.approx(long.learning_rate, rel=0.01)
    assert rates[0] < 0.03 * long.learning_rate
    assert rates[-1] < 1e-4 * long.learning_rate
    assert all(a >= b for a, b in itertools.pairwise(rates[50:]))


def test_a_run_that_stops_goes_on_as_if_it_had_not(config, tmp_path):
    lines = []
    whole = load_file(train(config, lines.append))
    assert any(line.startswith('step 4/4') for line in lines)
    with safe_open(config.output, 'pt') as file:
        metadata = file.metadata()
    assert json.loads(metadata['arguments']) == {'backbone': 'mobilenetv4_conv_small_035'}
    assert json.loads(metadata['held_out'])['abs_rel'] > 0

    checkpoint = tmp_path / 'checkpoint.pt'
    checkpoint.unlink()
    stopped = []

    def stop_at_two(line):
        stopped.append(line)
        if line.startswith('step 2/4'):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, stop_at_two)
    assert torch.load(checkpoint, weights_only=True)['step'] == 2
    resumed = load_file(train(config, stopped.append))
    assert sum(line.startswith('step 2/4') for line in stopped) == 1
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-5)
    untrained = load_file(
        train(dataclasses.replace(config, steps=0, work=tmp_path / 'none', rooms=1))
    )
    assert any(not torch.equal(untrained[name], tensor) for name, tensor in whole.items())


def test_held_out_rooms_are_out_of_reach_of_training():
    assert TrainingConfig.rooms < FIRST_SEED
