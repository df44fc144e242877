# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What was made for this machine once and is kept: converted networks, and how they did.

Each lies in a folder of its own, whose name changes with whatever the network depends on: the
weights and what the catalogue says of them, this package's code, the libraries, the processor.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from depth_estimation_ros.models import store
from depth_estimation_ros.models.catalog import ModelSpec
from depth_estimation_ros.runtimes.base import Say, cores

_VERDICT = 'verdict.json'
_MAKING = 'making-'
_LIBRARIES = ('torch', 'timm', 'transformers', 'openvino', 'onnxruntime', 'onnxruntime-gpu')


@dataclasses.dataclass(frozen=True)
class Job:
    """A network to be carried at one size of its input.

    Attributes:
        spec: The model.
        weights: Path of its weights file; empty: where the catalogue says.
        checksum: Of its files, see `checksum`.
        width, height: Size of the network's input.
        device: `cpu` or `cuda:N`.
    """

    spec: ModelSpec
    weights: str
    checksum: str
    width: int
    height: int
    device: str

    @property
    def title(self) -> str:
        """For people."""
        return f'{self.spec.name} at {self.width}x{self.height}'

    def folder(self, runtime: str) -> Path:
        """Where this runtime's conversion lies, or will."""
        known = (dataclasses.asdict(self.spec), self.checksum, self.device, _circumstances())
        digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
        return root() / as_file(self.spec.name) / f'{self.width}x{self.height}-{runtime}-{digest}'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a runtime did with a job.

    Attributes:
        runtime: Its name.
        milliseconds: Median time of a run.
        deviation: From PyTorch in fp32, see `selfcheck.difference`.
        refused: Why it may not serve; empty when it may.
    """

    runtime: str
    milliseconds: float = 0.0
    deviation: float = 0.0
    refused: str = ''

    def __str__(self) -> str:
        """For people: `openvino 12.3 ms`, or why not."""
        if self.refused:
            return f'{self.runtime} is refused: {self.refused}'
        return f'{self.runtime} {self.milliseconds:.1f} ms'


def root() -> Path:
    """The folder of all of it, `depth_estimation/runtimes` in the user's cache."""
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    return cache / 'depth_estimation' / 'runtimes'


def checksum(spec: ModelSpec, weights: str) -> str:
    """SHA-256 of what a network is made of: the weights, and `config.json` where one lies beside.

    Raises:
        FileNotFoundError: There are no weights.
    """
    file = store.locate(spec, weights)
    configuration = file.with_name('config.json')
    files = [file, configuration] if configuration.is_file() else [file]
    return ' '.join(map(store.sha256, files))


def verdict(job: Job, runtime: str) -> Verdict | None:
    """How a runtime did when it was prepared; None when it was not yet."""
    try:
        return Verdict(**json.loads((job.folder(runtime) / _VERDICT).read_text('utf-8')))
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def making(job: Job, runtime: str) -> Iterator[Path]:
    """A folder to fill, which takes its place in one step, when the body has not failed."""
    target = job.folder(runtime)
    with tempfile.TemporaryDirectory(prefix=_MAKING, dir=target.parent) as temporary:
        folder = Path(temporary) / runtime
        folder.mkdir()
        yield folder
        shutil.rmtree(target, ignore_errors=True)
        os.replace(folder, target)


def judge(folder: Path, verdict: Verdict) -> None:
    """Leave the verdict beside what was made."""
    text = json.dumps(dataclasses.asdict(verdict), indent=1)
    (folder / _VERDICT).write_text(text + '\n', 'utf-8')


@contextlib.contextmanager
def alone(job: Job, say: Say) -> Iterator[None]:
    """Nobody else on this machine prepares the same model meanwhile.

    Raises:
        ValueError: Nothing can be written there.
    """
    folder = job.folder('').parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / 'lock').open('a')
    except OSError as error:
        raise ValueError(
            f'converted networks are kept in {folder}, which cannot be written: {error}. Set '
            'XDG_CACHE_HOME to a folder of yours, or take the runtime torch'
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'{job.title}: another process is preparing it; waiting')
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f'{_MAKING}*'):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield


@functools.lru_cache(maxsize=1)
def _circumstances() -> tuple[object, ...]:
    """What a conversion depends on besides the model."""
    return (_code(), _processor(), cores(), *map(_version, _LIBRARIES))


def _code() -> str:
    """Digest of the code that makes networks and converts them."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted([*package.glob('models/*.py'), *package.glob('runtimes/*.py')]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    """Name of the processor; without one, its architecture."""
    with contextlib.suppress(FileNotFoundError):
        name = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text('utf-8'))
        if name:
            return name[1]
    return platform.machine()


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ''


def as_file(name: str) -> str:
    """The name of a model, which may be a path, as that of a folder."""
    return re.sub(r'[^\w.-]+', '_', name)
