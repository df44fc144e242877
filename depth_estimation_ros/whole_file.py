# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A file that is written takes its place when it is whole; until then it is hidden beside it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(target: Path, overwrite: bool) -> Iterator[Path]:
    """Where to write a file; it becomes the target at the end, and an error leaves nothing.

    Raises:
        FileExistsError: It is there, and is not to be replaced.
        IsADirectoryError: A folder is there, which no file replaces.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if target.exists() and not overwrite:
        raise there(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    discard_file(target)
    try:
        yield _beside(target)
        os.replace(_beside(target), target)
    finally:
        discard_file(target)


def discard_file(target: Path) -> None:
    """Remove what was left half done of a file."""
    _beside(target).unlink(missing_ok=True)


def there(target: Path) -> FileExistsError:
    """The error for a target that exists and is not to be replaced."""
    return FileExistsError(f'{target} exists: give another place, or --overwrite')


def _beside(target: Path) -> Path:
    return target.with_name(f'.{target.name}.part')
