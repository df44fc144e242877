# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Losses on log depth: metric error and sharpness."""

from __future__ import annotations

from torch import Tensor

_EPSILON = 1e-6


def silog_loss(depth: Tensor, truth: Tensor, variance_focus: float = 0.5) -> Tensor:
    """Scale-invariant log error of Eigen et al. (2014), as a root like in AdaBins (2021).

    With `variance_focus` 1 the overall scale would cost nothing; 0.5 keeps answers metric.

    Args:
        depth: metres [N, H, W].
        truth: metres [N, H, W]; pixels that are not finite and positive do not count.
        variance_focus: weight of the squared mean that is taken off.
    """
    valid = truth.isfinite() & (truth > 0)
    error = (depth.log() - truth.clamp_min(_EPSILON).log()).masked_fill(~valid, 0.0)
    count = valid.sum((1, 2)).clamp_min(1)
    square, mean = (error**2).sum((1, 2)) / count, error.sum((1, 2)) / count
    return (square - variance_focus * mean**2 + _EPSILON).sqrt().mean()


def gradient_loss(depth: Tensor, truth: Tensor, scales: int = 3) -> Tensor:
    """Multi-scale gradient matching on log depth (Li and Snavely, "MegaDepth", 2018, eq. 3).

    Args:
        depth: metres [N, H, W].
        truth: metres [N, H, W]; pixels that are not finite and positive do not count.
        scales: how many times to halve.
    """
    valid = truth.isfinite() & (truth > 0)
    error = (depth.log() - truth.clamp_min(_EPSILON).log()).masked_fill(~valid, 0.0)[:, None]
    known = valid[:, None].to(error.dtype)
    total = error.new_zeros(())
    for _ in range(scales):
        across = (error.diff(dim=3) * known[..., 1:] * known[..., :-1]).abs().mean()
        down = (error.diff(dim=2) * known[..., 1:, :] * known[..., :-1, :]).abs().mean()
        total = total + across + down
        error, known = error[..., ::2, ::2], known[..., ::2, ::2]
    return total
