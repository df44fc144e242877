# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The way into the network and the way back are each other's inverse, at the same place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.catalog import CATALOG, spec
from depth_estimation_ros.preprocessing import PRESETS, Preprocessing
from depth_estimation_ros.runtimes.from_pixels import FromPixels

# Values go in and out as they are: the byte's value in 0..1.
PLAIN = dataclasses.replace(
    spec('meter-kitti-xxs'), width=256, kind=DepthKind.RELATIVE, metres_per_unit=1.0
)


class Constant(nn.Module):
    """Answers one value everywhere."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, images):
        return torch.full_like(images[:, :1], self.value)


SIZES = st.tuples(st.integers(60, 900), st.integers(60, 900))
models = st.sampled_from(list(CATALOG.values()))


def there(plan: Preprocessing, image) -> np.ndarray:
    """What the network sees, [3, h, w]."""
    out = np.full((plan.network_height, plan.network_width, 3), 99, np.uint8)
    plan.apply(image, out)
    unit = dataclasses.replace(plan.spec, metres_per_unit=1.0)
    return FromPixels(nn.Identity(), unit)(torch.from_numpy(out)[None])[0].numpy()


@pytest.mark.parametrize(
    ('model', 'image', 'network'),
    [
        ('bundled', (640, 480), (256, 192)),
        ('bundled', (1280, 720), (352, 192)),
        ('bundled', (480, 640), (192, 256)),
        ('bundled', (100, 100), (192, 192)),
        ('meter-nyu-xxs', (1280, 720), (320, 192)),
        ('meter-kitti-xxs', (1242, 375), (640, 192)),
    ],
)
def test_the_short_side_is_nominal_and_the_aspect_kept(model, image, network):
    plan = Preprocessing.plan(spec(model), *image)
    assert (plan.network_width, plan.network_height) == network


@given(models.filter(lambda model: model.fitting == 'cover'), SIZES)
def test_sizes_fit_the_network_and_the_aspect(model, size):
    plan = Preprocessing.plan(model, *size)
    network = (plan.network_width, plan.network_height)
    assert all(side % model.multiple == 0 for side in network)
    assert min(network) == min(model.width, model.height)
    exact = min(network) * max(size) / min(size)
    assert abs(max(network) - exact) <= model.multiple / 2


@pytest.mark.parametrize(
    ('fitting', 'preset', 'network'),
    [
        ('cover', 'full', (686, 518)),
        ('cover', 'balanced', (518, 392)),
        ('cover', 'fast', (336, 252)),
        ('contain', 'full', (518, 392)),
        ('contain', 'fast', (252, 196)),
        ('stretch', 'full', (518, 518)),
    ],
)
def test_a_preset_shrinks_and_a_fitting_chooses_the_side(fitting, preset, network):
    model = dataclasses.replace(PLAIN, height=518, width=518, multiple=14, fitting=fitting)
    plan = Preprocessing.plan(model, 640, 480, preset)
    assert (plan.network_width, plan.network_height) == network
    upright = Preprocessing.plan(model, 480, 640, preset)
    assert (upright.network_height, upright.network_width) == network


@given(models, SIZES, st.sampled_from(list(PRESETS)))
def test_a_smaller_preset_is_never_larger(model, size, preset):
    assume(model.fitting != 'stretch')
    full, smaller = (Preprocessing.plan(model, *size, one) for one in ('full', preset))
    assert smaller.network_width <= full.network_width
    assert smaller.network_height <= full.network_height


def test_an_unknown_preset_or_one_that_a_network_cannot_take_is_refused():
    with pytest.raises(ValueError, match="full, balanced, fast, not 'tiny'"):
        Preprocessing.plan(PLAIN, 640, 480, 'tiny')
    rigid = dataclasses.replace(PLAIN, fitting='stretch')
    with pytest.raises(ValueError, match='256x192 only: preset full, not fast'):
        Preprocessing.plan(rigid, 640, 480, 'fast')


@pytest.mark.parametrize('size', [(0, 480), (640, 0), (-3, 3), (2000, 100)])
def test_what_is_no_picture_is_refused(size):
    with pytest.raises(ValueError, match=f'{size[0]}x{size[1]}'):
        Preprocessing.plan(PLAIN, *size)


@settings(max_examples=20)
@given(models, SIZES, st.tuples(*3 * [st.integers(0, 255)]))
def test_a_plain_colour_stays_one(model, size, colour):
    plan = Preprocessing.plan(model, *size)
    image = np.full((size[1], size[0], 3), colour, np.uint8)
    expected = (np.array(colour) / 255 - model.mean) / model.std
    out = there(plan, image)
    np.testing.assert_allclose(out, np.broadcast_to(expected[:, None, None], out.shape), atol=1e-6)


@settings(max_examples=20)
@given(SIZES, st.floats(0, 2 * np.pi))
def test_there_and_back_keeps_a_ramp(size, direction):
    u, v = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    ramp = 0.5 + 0.34 * (np.cos(direction) * u + np.sin(direction) * v)
    image = np.repeat(np.round(255 * ramp)[:, :, np.newaxis].astype(np.uint8), 3, axis=2)
    plan = Preprocessing.plan(PLAIN, *size)
    back = plan.restore(there(plan, image)[0])
    assert back.shape == ramp.shape
    assert back.dtype == np.float32
    # Two roundings, and at the border half a pixel of the network beyond its outermost centres.
    np.testing.assert_allclose(back, ramp, atol=2 / 255 + 0.5 / 192)


@pytest.mark.parametrize('size', [(640, 480), (1280, 720), (333, 251), (150, 100)])
def test_edges_come_back_at_their_place(size):
    width, height = size
    plan = Preprocessing.plan(PLAIN, width, height)
    errors = []
    for edge in range(width // 3, 2 * width // 3):
        image = np.zeros((height, width, 3), np.uint8)
        image[:, edge:] = 255
        row = plan.restore(there(plan, image)[0])[height // 2]
        errors.append((1 - row).sum() - edge)
    pixel = max(width / plan.network_width, 1)
    assert abs(np.mean(errors)) < 0.05 * pixel
    assert np.abs(errors).max() < 0.6 * pixel


@settings(max_examples=20)
@given(SIZES, st.integers(0, 2**32 - 1), st.sampled_from([np.flipud, np.fliplr]))
def test_a_mirrored_image_gives_the_mirrored_answer(size, seed, mirror):
    image = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    plan = Preprocessing.plan(PLAIN, *size)
    one = plan.restore(there(plan, image)[1])
    other = plan.restore(there(plan, mirror(image))[1])
    np.testing.assert_allclose(mirror(other), one, atol=2.01 / 255)


def test_each_channel_goes_its_own_way():
    image = np.zeros((192, 256, 3), np.uint8)
    image[:] = (10, 20, 30)
    out = there(Preprocessing.plan(spec('bundled'), 256, 192), image)
    expected = (np.array([10, 20, 30]) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose(out[:, 5, 7], expected, rtol=1e-6)


def test_views_and_locked_images_will_do():
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    plan = Preprocessing.plan(PLAIN, 640, 480)
    bgr = image[:, :, ::-1].copy()[:, :, ::-1]
    image.flags.writeable = False
    np.testing.assert_array_equal(there(plan, bgr), there(plan, image))


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((480, 640, 3), np.float32), 'uint8, not float32'),
        ([[0]], 'uint8, not list'),
        (np.zeros((480, 640), np.uint8), r'\[H, W, 3\] .* not \(480, 640\)'),
        (np.zeros((480, 640, 4), np.uint8), r'not \(480, 640, 4\)'),
        (np.zeros((0, 640, 3), np.uint8), r'not \(0, 640, 3\)'),
        (np.zeros((240, 320, 3), np.uint8), 'planned for 640x480, not 320x240'),
    ],
)
def test_what_is_no_such_image_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        there(Preprocessing.plan(PLAIN, 640, 480), image)


def test_units_become_metres():
    centimetres = FromPixels(Constant(250.0), spec('meter-nyu-xxs'))
    depth = centimetres(torch.zeros(2, 192, 256, 3, dtype=torch.uint8))
    assert depth.shape == (2, 192, 256)
    np.testing.assert_allclose(depth.numpy(), 2.5, rtol=1e-6)


@pytest.mark.parametrize('nonsense', [np.nan, np.inf, -np.inf, -1.0, 0.0])
def test_what_is_no_depth_is_unknown(nonsense):
    plan = Preprocessing.plan(spec('meter-nyu-xxs'), 640, 480)
    output = np.ones((48, 64), np.float32)
    output[:, :32] = nonsense
    depth = plan.restore(output)
    assert np.isnan(depth[:, :310]).all()
    np.testing.assert_allclose(depth[:, 330:], 1.0, rtol=1e-6)
    assert np.isnan(plan.restore(np.full((48, 64), nonsense, np.float32))).all()


def test_inverse_depth_may_be_negative_but_not_infinite():
    plan = Preprocessing.plan(PLAIN, 640, 480)
    output = np.full((48, 64), -3, np.float32)
    output[:, 32:] = np.inf
    values = plan.restore(output)
    assert (values[:, :310] == -3).all()
    assert np.isnan(values[:, 330:]).all()


def test_an_answer_is_new_even_where_nothing_is_to_do():
    plan = Preprocessing.plan(PLAIN, 256, 192)
    output = np.ones((192, 256), np.float32)
    assert not np.shares_memory(plan.restore(output), output)
