# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes a network ready for its runtimes, in a process of its own.

What converts a network needs PyTorch and a lot of memory; what then serves it does not. `prepare`
starts this module as a program, hands it the job and passes on what it says; the program leaves
its results in the folders of `prepared`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from depth_estimation_ros.runtimes import kinds, prepared, selfcheck
from depth_estimation_ros.runtimes.base import Say, Session
from depth_estimation_ros.runtimes.prepared import Abandoned, Job, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.runtimes.from_pixels import FromPixels

_SHOWN = 300  # characters of a converter's complaint
# What lies in the current folder, which Python would look at first, is the user's own.
_PROGRAM = f'import sys; sys.path[:] = filter(None, sys.path); import {__name__} as it; it.main()'
_SILENCE = 20.0  # seconds after which people want to know whether anything happens
_LOOK = 0.2  # seconds between looks whether the results are wanted still


def prepare(job: Job, runtimes: Sequence[str], say: Say, ended: Callable[[], bool] = bool) -> None:
    """Convert, check and measure a network for these runtimes.

    Args:
        job: The network. The caller is `prepared.alone` with it.
        runtimes: Their names.
        say: Takes what people may want to know meanwhile.
        ended: Whether nobody wants the results any more.

    Raises:
        ValueError: The weights do not fit the model.
        Abandoned: Nobody wants them; the process has ended.
        ChildProcessError: The process came to a bad end, for lack of memory perhaps.
    """
    log = job.folder('').with_name('prepare.log')
    package = Path(__file__).parents[2]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get('PYTHONPATH', '')]))
    with log.open('wb') as errors:
        process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, '-c', _PROGRAM],
            bufsize=0,  # select sees what is there
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, 'PYTHONPATH': path},
        )
    with process:
        # Its stdin stays open for as long as somebody waits for it, see _end_with_stdin.
        with contextlib.suppress(BrokenPipeError):
            cast('IO[bytes]', process.stdin).write(pickle.dumps((job, tuple(runtimes))))
        try:
            for kind, text in _answers(cast('IO[bytes]', process.stdout), job, say, ended):
                if kind == 'error':
                    raise ValueError(text)
                say(text)
        except Abandoned:
            process.kill()
            raise
        process.wait()
    if process.returncode:
        raise ChildProcessError(
            f'{job.title}: preparing {", ".join(runtimes)} ended with exit code '
            f'{process.returncode}, see {log}; the runtime torch needs no preparation'
        )


def _answers(
    stdout: IO[bytes], job: Job, say: Say, ended: Callable[[], bool]
) -> Iterator[tuple[str, str]]:
    """What the process says; while it says nothing, people are told that it is still at work."""
    started = heard = time.monotonic()
    while True:
        while not select.select([stdout], [], [], _LOOK)[0]:
            if ended():
                raise Abandoned
            now = time.monotonic()
            if now - heard >= _SILENCE:
                say(f'{job.title}: still being prepared, {now - started:.0f} s so far')
                heard = now
        line = stdout.readline()
        if not line:
            return
        kind, text = json.loads(line)
        heard = time.monotonic()
        yield kind, text


def main() -> None:
    """The program: the job on stdin, a JSON list [kind, text] a line on stdout."""
    # Whatever a library prints goes to the log.
    with os.fdopen(os.dup(1), 'w', encoding='utf-8') as answers:
        os.dup2(2, 1)

        def tell(kind: str, text: str) -> None:
            answers.write(json.dumps([kind, text]) + '\n')
            answers.flush()

        job, runtimes = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process above
        threading.Thread(target=_end_with_stdin, daemon=True).start()
        try:
            _work(job, runtimes, lambda text: tell('say', text))
        except ValueError as error:
            tell('error', str(error))
        except OSError as error:
            torch = 'the runtime torch needs no preparation'
            tell('error', f'{job.title} cannot be prepared: {error}; {torch}')


def _end_with_stdin() -> None:
    """Nobody waits for the results any more, were it because he was killed: end at once."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _work(job: Job, runtimes: Sequence[str], say: Say) -> None:
    import torch

    from depth_estimation_ros.models import weights
    from depth_estimation_ros.runtimes.from_pixels import FromPixels
    from depth_estimation_ros.runtimes.memory import watched

    network = FromPixels(weights.load(job.spec), job.spec).eval()
    if prepared.checksum(job.spec) != job.checksum:
        raise ValueError(f'{job.spec.name}: its weights were replaced meanwhile; load it again')
    frame = selfcheck.reference_pixels(job.width, job.height)
    # Not inference_mode: what a network keeps from one run to the next would then be of no use to
    # those who convert it.
    with torch.no_grad():
        reference = network(torch.from_numpy(frame)).numpy()
    sessions, verdicts = {}, {}
    with contextlib.ExitStack() as stack:
        # PyTorch's runtime rebuilds the network in place: it is the last to get it.
        folders = {
            runtime: stack.enter_context(prepared.making(job, runtime))
            for runtime in sorted(runtimes, key='torch'.__eq__)
        }
        for runtime, folder in folders.items():
            minutes = ': its engine takes minutes' if runtime == 'tensorrt' else ''
            say(f'{job.title}: making {runtime}{minutes}')
            try:
                with watched():
                    session = _made(job, runtime, network, folder)
                    verdicts[runtime] = _judged(job, runtime, session.run(frame), reference)
            except (OSError, MemoryError):
                raise  # no fault of the runtime
            except Exception as error:  # converters fail each in its own way
                text = f'{type(error).__name__}: {str(error)[:_SHOWN]}'
                verdicts[runtime] = Verdict(runtime, refused=text)
            if not verdicts[runtime].refused:
                sessions[runtime] = session
        times = selfcheck.milliseconds(list(sessions.values()), frame)
        for runtime, milliseconds in zip(sessions, times, strict=True):
            verdicts[runtime] = dataclasses.replace(verdicts[runtime], milliseconds=milliseconds)
        for runtime, folder in folders.items():
            prepared.judge(folder, verdicts[runtime])


def _judged(
    job: Job, runtime: str, output: NDArray[np.float32], reference: NDArray[np.float32]
) -> Verdict:
    difference = selfcheck.difference(output, reference)
    allowed = selfcheck.tolerance(job.spec, kinds.half(runtime))
    # PyTorch is what the others are held against. NaN is not within anything.
    if runtime == 'torch' or difference <= allowed:
        return Verdict(runtime, deviation=difference)
    text = f'it deviates from PyTorch by {difference:.2g}, more than {allowed:.2g}'
    return Verdict(runtime, deviation=difference, refused=text)


def _made(job: Job, runtime: str, network: FromPixels, folder: Path) -> Session:
    if runtime == 'torch':
        from depth_estimation_ros.runtimes.torch_runtime import TorchRuntime

        return TorchRuntime(network)
    kinds.convert(runtime, network, job.width, job.height, folder)
    return kinds.session(runtime, folder, job.device)
