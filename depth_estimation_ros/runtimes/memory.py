# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How PyTorch and OpenCV say that memory ran out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cv2
import torch

from depth_estimation_ros.runtimes.base import OutOfMemoryError

# PyTorch has an exception of its own for the GPU's allocator only: the CPU's allocator, the CUDA
# runtime and NVIDIA's libraries say it in the words of a RuntimeError.
_WORDS = (
    "can't allocate memory",
    'std::bad_alloc',
    'CUDA error: out of memory',
    'CUDA driver error: out of memory',  # where segments of memory may grow
    'CUBLAS_STATUS_ALLOC_FAILED',
    'CUDNN_STATUS_ALLOC_FAILED',
    'CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED',  # cuDNN 9 and newer
    'CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED',
    'Insufficient memory',  # OpenCV
    'could not create a primitive\n',  # oneDNN; 'a primitive descriptor' is another fault
)


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Raise OutOfMemoryError where the body ran out of memory, however PyTorch says so.

    What the body had allocated lives as long as the error: handle it after its except clause.
    """
    try:
        yield
    except (RuntimeError, cv2.error) as error:
        text = f'{error}\n'
        if isinstance(error, torch.OutOfMemoryError) or any(words in text for words in _WORDS):
            reason = text.rpartition('DefaultCPUAllocator: ')[2].strip().partition('\n')[0]
            raise OutOfMemoryError(reason) from error
        raise
