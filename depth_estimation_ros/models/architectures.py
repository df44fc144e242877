# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks by the name that the catalogue uses, without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def build(architecture: str) -> nn.Module:
    """The network of this architecture, its weights not yet loaded.

    Raises:
        ValueError: There is none of this name.
    """
    if architecture == 'meter-xxs':
        from depth_estimation_ros.models.meter import Meter

        return Meter()
    raise ValueError(f'no network architecture {architecture!r}')
