# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Work on a GPU recorded once and launched as one: hundreds of kernels without Python between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_WARM_UPS = 3  # libraries choose their kernels and allocate in the first runs, not in a recording


def captured(work: Callable[[], Tensor], device: torch.device, pool: Any) -> Callable[[], Tensor]:
    """Record work as a CUDA graph.

    After "CUDA Graphs" in PyTorch's notes: warm up on the stream that records, then record.

    Args:
        work: Reads and writes memory that stays where it is, and waits for nothing.
        device: Where it runs.
        pool: `torch.cuda.graph_pool_handle()`, memory that graphs share. So what one of them
            answers must be copied before another one is launched.

    Returns:
        Does the work again. It answers with the same tensor each time.

    Raises:
        torch.OutOfMemoryError: It did not fit.
        RuntimeError: The work does something that cannot be recorded.
    """
    with torch.cuda.device(device):
        outside = torch.cuda.current_stream()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(outside)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                work()
        outside.wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        try:
            # Of this thread only: another one may be loading the next model.
            with torch.cuda.graph(graph, pool, stream, capture_error_mode='thread_local'):
                answer = work()
        finally:
            torch.cuda.set_stream(outside)  # which torch.cuda.graph forgets when recording fails

    def again() -> Tensor:
        graph.replay()
        return answer

    return again
