# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Between main memory and a device: each array crosses once, and only when somebody wants it."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class DeviceArray:
    """Numbers on a device; NumPy functions take it, and have it copied to main memory.

    Attributes:
        tensor: The numbers; nobody writes to them.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self._host: NDArray[Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """As of a NumPy array."""
        return tuple(self.tensor.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of a NumPy array."""
        return np.dtype(str(self.tensor.dtype).removeprefix('torch.'))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """In main memory, copied at the first call and remembered; read-only unless a copy."""
        if self._host is None:
            # Pinned: the device writes there by itself, at several times the speed.
            host = torch.empty_like(self.tensor, device='cpu', pin_memory=self.tensor.is_cuda)
            self._host = host.copy_(self.tensor).numpy()
            self._host.flags.writeable = False
        return np.array(self._host, dtype, copy=copy)


class Uploads:
    """Copies on a device of arrays in main memory, each for as long as its array lives.

    For what is used again: rays of a camera, colour tables, the image whose depth was asked for.
    Arrays are known by identity; nobody may write to them meanwhile.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._copies: dict[int, tuple[weakref.ref[NDArray[Any]], Tensor]] = {}

    def of(self, array: NDArray[Any]) -> Tensor:
        """The copy, made at the first call."""
        found = self._copies.get(id(array))
        if found is not None and found[0]() is array:
            return found[1]
        # From a copy: the array may be locked, and torch shares no memory that is.
        copy = torch.from_numpy(array.copy(order='K')).to(self._device)
        self.keep(array, copy)
        return copy  # whatever another thread frees meanwhile

    def keep(self, array: NDArray[Any], copy: Tensor) -> None:
        """Note a copy that somebody made anyway."""
        key = id(array)
        self._copies[key] = weakref.ref(array, lambda _: self._copies.pop(key, None)), copy

    def clear(self) -> None:
        """Free the copies."""
        self._copies.clear()
