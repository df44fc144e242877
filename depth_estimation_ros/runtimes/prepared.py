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
import json
import math
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from depth_estimation_ros.models import store
from depth_estimation_ros.models.model_spec import ModelSpec
from depth_estimation_ros.runtimes import libraries
from depth_estimation_ros.runtimes.base import Say, cores

_VERDICT = 'verdict.json'
_LOOK = 0.2  # seconds between looks whether the lock is free
_MAKING = 'making-'
_LIBRARIES = (
    *('torch', 'timm', 'transformers', 'openvino'),
    *('onnx', 'onnxscript', 'onnxruntime', 'onnxruntime-gpu', 'tensorrt'),
)


class Abandoned(Exception):  # noqa: N818 - nothing went wrong
    """What was being prepared is not wanted any more."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A network to be carried at one size of its input.

    Attributes:
        spec: The model.
        checksum: Of its files, see `checksum`.
        width, height: Size of the network's input.
        device: `cpu` or `cuda:N`.
        gpu: What the GPU is called; TensorRT builds engines for one model of GPU.
    """

    spec: ModelSpec
    checksum: str
    width: int
    height: int
    device: str
    gpu: str = ''

    @property
    def title(self) -> str:
        """For people."""
        return f'{self.spec.name} at {self.width}x{self.height}'

    def folder(self, runtime: str) -> Path:
        """Where this runtime's conversion lies, or will."""
        version = _digest(dataclasses.asdict(self.spec), self.checksum, _software())
        return home(self.spec.name) / f'{self._slot(runtime)}-{version}'

    def outdated(self, runtime: str) -> list[Path]:
        """Where it lies of former weights of the same file, or of former software."""
        current = self.folder(runtime)
        return [
            folder
            for folder in current.parent.glob(f'{self._slot(runtime)}-*')
            if folder != current
        ]

    def _slot(self, runtime: str) -> str:
        """What no two conversions share that may be wanted at the same time."""
        place = (self.spec.folder, self.spec.file, f'{self.device} {self.gpu}'.rstrip())
        return f'{self.width}x{self.height}-{runtime}-{_digest(place, processor(), cores())}'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a runtime did with a job.

    Attributes:
        runtime: Its name.
        milliseconds: Median time of a run; infinite: not known.
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
        if math.isinf(self.milliseconds):
            return f'{self.runtime}, not measured'
        return f'{self.runtime} {self.milliseconds:.1f} ms'


def home(name: str) -> Path:
    """The folder of what is made of a model: in the user's cache, `depth_estimation/runtimes`."""
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    return cache / 'depth_estimation' / 'runtimes' / as_file(name)


def checksum(spec: ModelSpec) -> str:
    """SHA-256 of what a network is made of: the weights, and `config.json` where one lies beside.

    Raises:
        FileNotFoundError: There are no weights.
    """
    file = store.locate(spec)
    configuration = file.with_name('config.json')
    files = [file, configuration] if configuration.is_file() else [file]
    return ' '.join(map(store.sha256, files))


def verdict(job: Job, runtime: str) -> Verdict | None:
    """How a runtime did when it was prepared; None when it was not yet."""
    try:
        return Verdict(**json.loads((job.folder(runtime) / _VERDICT).read_text('utf-8')))
    except (OSError, ValueError, TypeError):  # none, or the power failed meanwhile
        return None


def made(job: Job, runtime: str) -> bool:
    """Whether more than the verdict is there."""
    return any(file.name != _VERDICT for file in job.folder(runtime).glob('*'))


def strip(job: Job, runtime: str) -> None:
    """Free the disk of what does not serve; how it did stays known."""
    for file in job.folder(runtime).glob('*'):
        if file.name != _VERDICT:
            file.unlink()


@contextlib.contextmanager
def making(job: Job, runtime: str) -> Iterator[Path]:
    """A folder to fill, which takes its place in one step, when the body has not failed.

    What lay there of former weights or software goes.
    """
    target = job.folder(runtime)
    with tempfile.TemporaryDirectory(prefix=_MAKING, dir=target.parent) as temporary:
        folder = Path(temporary) / runtime
        folder.mkdir()
        yield folder
        os.sync()  # robots are switched off at the plug
        for former in (target, *job.outdated(runtime)):
            shutil.rmtree(former, ignore_errors=True)
        os.replace(folder, target)


def judge(folder: Path, verdict: Verdict) -> None:
    """Leave the verdict beside what was made."""
    text = json.dumps(dataclasses.asdict(verdict), indent=1)
    (folder / _VERDICT).write_text(text + '\n', 'utf-8')


@contextlib.contextmanager
def alone(job: Job, say: Say, ended: Callable[[], bool] = bool) -> Iterator[None]:
    """Nobody else on this machine prepares the same model meanwhile.

    Args:
        job: Of that model.
        say: Takes that others are waited for.
        ended: Whether the wait is in vain.

    Raises:
        ValueError: Nothing can be written there, or all of it was removed meanwhile.
        Abandoned: It was.
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
        if not _locked(lock):
            say(f'{job.title}: the same model is being prepared elsewhere; waiting')
            while not _locked(lock):
                if ended():
                    raise Abandoned
                time.sleep(_LOOK)
        for left in folder.glob(f'{_MAKING}*'):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        try:
            yield
        except (ValueError, OSError) as error:
            _check_kept(job, lock, error)
            raise
        _check_kept(job, lock)


def _check_kept(job: Job, lock: IO[str], error: Exception | None = None) -> None:
    file = Path(lock.name)
    if not file.exists():
        raise ValueError(
            f'{job.title}: {file.parent} was removed while it was being prepared there, as '
            'depth-estimation models remove does; load the model again'
        ) from error


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@functools.lru_cache(maxsize=1)
def _software() -> tuple[str, ...]:
    """What a conversion depends on besides model and machine."""
    return (_code(), *map(libraries.version, _LIBRARIES))


def _digest(*known: object) -> str:
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12]


def _code() -> str:
    """Digest of the code that makes networks and converts them."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for file in sorted([*package.glob('models/*.py'), *package.glob('runtimes/*.py')]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@functools.lru_cache(maxsize=1)
def processor() -> str:
    """What the processor says it is: on x86 its name, on ARM the numbers of maker and part."""
    told = Path('/proc/cpuinfo').read_text('utf-8')
    names = set(re.findall(r'^(?:model name|CPU implementer|CPU part)\s*: .*', told, re.MULTILINE))
    return ' '.join([platform.machine(), *sorted(names)])


def as_file(name: str) -> str:
    """The name of a model, which may be a path, as that of a folder."""
    return re.sub(r'[^\w.-]+', '_', name)
