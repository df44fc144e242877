# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording of rerun, read back by rerun itself."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import numpy as np
import rerun.chunk


def entities(file: Path) -> dict[str, list[tuple[int | None, dict[str, Any]]]]:
    """What was logged at each path: stamp in ns (None: always) and components by name."""
    found: dict[str, list[tuple[int | None, dict[str, Any]]]] = collections.defaultdict(list)
    for chunk in rerun.chunk.RrdReader(file).stream():
        batch = chunk.to_record_batch()
        for row in range(batch.num_rows):
            values = {name: batch.column(name)[row] for name in batch.schema.names}
            time = next((values[name] for name in ('stamp', 'time') if name in values), None)
            stamp = None if time is None else int(time.value)
            found[chunk.entity_path].append((stamp, values))
    return found


def array(value: Any, dtype: Any) -> np.ndarray:
    """The numbers of a component that is one blob or one list."""
    flat = value.values
    while hasattr(flat, 'values'):
        flat = flat.values
    return flat.to_numpy(zero_copy_only=False).view(dtype)
