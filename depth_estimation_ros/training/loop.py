# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""AdamW, warm-up and cosine decay, averaged weights, checkpoints that resume exactly."""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from depth_estimation_ros.models.encoder_decoder import EncoderDecoder
from depth_estimation_ros.training.datasets import MEAN, STD, FrameSet, load_batch, render_frames
from depth_estimation_ros.training.losses import gradient_loss, silog_loss
from depth_estimation_ros.training.validation import held_out_errors


@dataclass(frozen=True)
class TrainingConfig:
    """One training run; its defaults make the bundled model.

    Attributes:
        output: Safetensors file to write.
        work: Folder for rendered frames and the checkpoint.
        backbone: Name of a timm network.
        rooms: How many rooms to render, from seed 0 on.
        views: Pictures of each room.
        height, width: Input of the network, pixels.
        steps: Optimiser's steps of `batch` frames each.
        batch: Frames of a step.
        learning_rate: Its peak, see `learning_rate`.
        weight_decay: Of AdamW.
        gradient_weight: Of the gradient loss, beside SILog with 1.
        average: Decay per step of the averaged weights, which are those that are kept.
        seed: Of everything random in training, frames apart.
        workers: Processes that render.
        checkpoint_every: Steps.
        glance: Held-out frames for a line of progress.
        held_out: Held-out frames for the table in the file.
    """

    output: Path
    work: Path = Path('training_output')
    backbone: str = 'mobilenetv4_conv_small_050'
    rooms: int = 2500
    views: int = 6
    height: int = 192
    width: int = 256
    steps: int = 4500
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    gradient_weight: float = 0.3
    average: float = 0.998
    seed: int = 0
    workers: int = 2
    checkpoint_every: int = 250
    glance: int = 40
    held_out: int = 240


@dataclass
class _Run:
    """What a checkpoint holds."""

    network: EncoderDecoder
    averaged: EncoderDecoder
    optimizer: torch.optim.AdamW
    step: int = 0


def _silent(line: str) -> None:
    del line


def train(config: TrainingConfig, report: Callable[[str], None] = _silent) -> Path:
    """Train, or go on where the checkpoint in `config.work` stopped, and write the weights.

    Args:
        config: the run. `steps` may differ from that of the checkpoint.
        report: receives a line of progress now and then.

    Returns:
        The safetensors file with the averaged weights.
    """
    frames = render_frames(
        config.work / 'frames',
        range(config.rooms),
        config.views,
        (config.height, config.width),
        config.workers,
    )
    report(f'{len(frames)} frames rendered')
    run = _begin(config)
    started, loss = time.monotonic(), 0.0
    while run.step < config.steps:
        loss += (_step(run, config, frames) - loss) * 0.05
        if run.step % config.checkpoint_every == 0 or run.step == config.steps:
            _save_checkpoint(run, config)
            errors = held_out_errors(run.averaged, config.glance, (config.height, config.width))
            report(
                f'step {run.step}/{config.steps} loss {loss:.4f} AbsRel {errors.abs_rel:.4f} '
                f'delta1 {errors.delta1:.4f} after {time.monotonic() - started:.0f} s'
            )
    return save_weights(run.averaged, config)


def save_weights(network: EncoderDecoder, config: TrainingConfig) -> Path:
    """Write weights with what is needed to use and to judge them as metadata."""
    size = (config.height, config.width)
    errors = held_out_errors(network, config.held_out, size)
    metadata = {
        'name': 'bundled',
        'architecture': 'EncoderDecoder',
        'arguments': json.dumps({'backbone': config.backbone}),
        'kind': 'metric',
        'mean': json.dumps(MEAN),
        'std': json.dumps(STD),
        'input_size': json.dumps(size),
        'licence': 'Apache-2.0',
        'training_data': 'rooms rendered by depth_estimation_ros.synthetic, nothing else',
        'training': json.dumps(asdict(config), default=lambda path: Path(path).name),
        'date': dt.datetime.now(dt.timezone.utc).date().isoformat(),
        'held_out': json.dumps(asdict(errors)),
    }
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    config.output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, config.output, metadata)
    return config.output


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up over a twentieth of the steps, then a cosine to zero."""
    progress = (step + 1) / config.steps
    if progress < 0.05:
        return config.learning_rate * progress / 0.05
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - 0.05) / 0.95))


def _begin(config: TrainingConfig) -> _Run:
    torch.manual_seed(config.seed)
    network = EncoderDecoder(config.backbone)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    run = _Run(network, averaged, optimizer)
    path = config.work / 'checkpoint.pt'
    if path.exists():
        state = torch.load(path, weights_only=True)
        network.load_state_dict(state['network'])
        averaged.load_state_dict(state['averaged'])
        optimizer.load_state_dict(state['optimizer'])
        run.step = state['step']
    return run


def _step(run: _Run, config: TrainingConfig, frames: FrameSet) -> float:
    """One step; frames and augmentation depend on its number alone, so that resuming is exact."""
    per_epoch = max(len(frames) // config.batch, 1)
    epoch, place = divmod(run.step, per_epoch)
    order = np.random.default_rng([config.seed, 3, epoch]).permutation(len(frames))
    indices = np.sort(order[place * config.batch : (place + 1) * config.batch])
    images, truth = load_batch(frames, indices, np.random.default_rng([config.seed, 4, run.step]))
    for group in run.optimizer.param_groups:
        group['lr'] = learning_rate(run.step, config)
    run.network.train()
    depth = run.network(images)
    loss = silog_loss(depth, truth) + config.gradient_weight * gradient_loss(depth, truth)
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimizer.step()
    run.step += 1
    _average(run, min(config.average, run.step / (run.step + 10)))
    return float(loss.detach())


@torch.no_grad()
def _average(run: _Run, decay: float) -> None:
    """Exponential moving average of weights and of BatchNorm's statistics."""
    current = run.network.state_dict()
    for name, tensor in run.averaged.state_dict().items():
        if tensor.is_floating_point():
            tensor.lerp_(current[name], 1 - decay)
        else:
            tensor.copy_(current[name])


def _save_checkpoint(run: _Run, config: TrainingConfig) -> None:
    """Write beside and rename, so that a stopped run leaves a whole file."""
    path = config.work / 'checkpoint.pt'
    state = {
        'network': run.network.state_dict(),
        'averaged': run.averaged.state_dict(),
        'optimizer': run.optimizer.state_dict(),
        'step': run.step,
    }
    torch.save(state, path.with_suffix('.partial'))
    path.with_suffix('.partial').replace(path)
