# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by the name that the catalogue uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.frames import DepthKind

if TYPE_CHECKING:
    from torch import nn


def build(architecture: str) -> nn.Module:
    """The network of this architecture, its weights not yet loaded.

    Raises:
        ValueError: There is none of this name.
    """
    if architecture == 'encoder-decoder':
        from depth_estimation_ros.models.encoder_decoder import EncoderDecoder

        return EncoderDecoder()
    if architecture == 'meter-xxs':
        from depth_estimation_ros.models.meter import Meter

        return Meter()
    raise ValueError(f'no network architecture {architecture!r}')


def answering(kind: DepthKind, architecture: str, network: nn.Module) -> nn.Module:
    """The network, answering in this kind: one that gives metres can give inverse depth."""
    if architecture == 'encoder-decoder' and kind is DepthKind.RELATIVE:
        from depth_estimation_ros.models.encoder_decoder import InverseDepth

        return InverseDepth(network)
    return network
