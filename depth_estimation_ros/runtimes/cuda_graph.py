# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Work on a GPU recorded once and launched as one: hundreds of kernels without Python between."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_WARM_UPS = 3  # libraries choose their kernels and allocate in the first runs, not in a recording
_ALONE = threading.Lock()  # PyTorch records but one graph at a time in a process


class Recorder:
    """Records graphs on one device, in memory that they share.

    So what one of them answers must be copied before another one is launched.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        # One for all: memory is used again by the stream that used it before, and no other. And
        # none of another recorder: libraries keep a workspace for each, which its graphs write to.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record work as a CUDA graph.

        After "CUDA Graphs" in PyTorch's notes: warm up on the stream that records, then record.

        Args:
            work: Reads and writes memory that stays where it is, and waits for nothing.

        Returns:
            Does the work again. It answers with the same tensor each time.

        Raises:
            torch.OutOfMemoryError: It did not fit.
            RuntimeError: The work does something that cannot be recorded.
        """
        with _ALONE, torch.cuda.device(self._device):
            outside = torch.cuda.current_stream()
            self._stream.wait_stream(outside)
            with torch.cuda.stream(self._stream):
                for _ in range(_WARM_UPS):
                    work()
            outside.wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            try:
                # Of this thread only: another one may be at work with the model of before.
                with torch.cuda.graph(
                    graph, self._pool, self._stream, capture_error_mode='thread_local'
                ):
                    answer = work()
            except RuntimeError as error:
                self._forget()
                raise _reason(error) from None
            finally:
                torch.cuda.set_stream(outside)  # which torch.cuda.graph forgets when it fails

        def again() -> Tensor:
            graph.replay()
            return answer

        return again

    def _forget(self) -> None:
        """Tell the allocator of the current device that a recording has ended by failing.

        CUDAGraph.capture_end would, but gives up before (aten/src/ATen/cuda/CUDAGraph.cpp).
        Untold, the allocator frees nothing any more, and in some versions empty_cache, with which
        every recording begins, fails: "captures_underway.empty() INTERNAL ASSERT FAILED".
        """
        memory: Any = torch.cuda.memory
        device = torch.cuda.current_device()
        # It was told where it was not CUDA that failed; before 2.8 PyTorch has no such functions.
        with contextlib.suppress(RuntimeError, AttributeError):
            memory._cuda_endAllocateToPool(device, self._pool)  # noqa: SLF001
            memory._cuda_releasePool(device, self._pool)  # noqa: SLF001


def _reason(error: RuntimeError) -> RuntimeError:
    """Why recording failed: to end a recording that has failed fails, too, without telling why."""
    return error.__context__ if isinstance(error.__context__, RuntimeError) else error
