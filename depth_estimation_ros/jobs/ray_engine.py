# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings spread over the machines of a Ray cluster, each worker with a network of its own."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import math
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.jobs import environment, ray_cluster, ray_worker
from depth_estimation_ros.jobs.base import Item, OnProgress, Outcome, Work
from depth_estimation_ros.jobs.ray_worker import Assignment, Ready, Worker

if TYPE_CHECKING:
    from depth_estimation_ros.runtimes.base import Say

_TRIES = 3  # of an item whose worker dies, and of workers that die before they have begun
_PERIOD = 0.3  # s, between two looks at how far the workers are
_PATIENCE = 20.0  # s without a worker, after which people want to know why
_ENDING = 5.0  # s for a killed worker to be gone
_SHOWN = 300  # characters of Ray's reasons


def run_on_ray(
    work: Work,
    items: Sequence[Item],
    on_progress: OnProgress,
    say: Say,
    address: str = '',
    workers: int = 0,
) -> Generator[Outcome, None, None]:
    """What came of each item, as they get done; the same as `run_here` makes of them.

    An item whose worker dies is done again by another one.

    Args:
        work: What is to be done with each.
        items: The recordings, in folders that every machine mounts at the same path.
        on_progress: Takes how far an item is.
        say: Takes what people may want to know meanwhile.
        address: See `ray_cluster.connected`.
        workers: How many; 0: one for each GPU, or for each machine where there is none.

    Raises:
        ValueError: A machine lacks something, or is not as this one; it is named.
        OSError: There is no cluster on this machine.
    """
    wanted = environment.describe(work.network)
    with ray_cluster.connected(address) as ray, _probed(items) as sizes:
        places = _places(ray, work.network.device, workers, len(items))
        network = dataclasses.replace(
            work.network, device='cuda' if 'num_gpus' in places[0] else 'cpu'
        )
        machines = sum(node['Alive'] for node in ray.nodes())
        if machines > 1 and (network.device, network.runtime) == ('cpu', 'auto'):
            say(
                'with --runtime auto each machine takes what is fastest there, and last digits of '
                'results may differ: name one, such as --runtime openvino'
            )
        assignment = Assignment(work, network, wanted, environment.openmp(), sizes)
        with contextlib.closing(_Crew(ray, assignment, on_progress, say)) as crew:
            yield from crew.work_off(items, places)


@contextlib.contextmanager
def _probed(items: Sequence[Item]) -> Iterator[dict[Path, int | None]]:
    """What every worker must see: the recordings, and a file where results go, while it lasts."""
    sizes = ray_worker.seen(items)
    with contextlib.ExitStack() as stack:
        for folder in {_existing(item.target.parent) for item in items}:
            probe = stack.enter_context(
                tempfile.NamedTemporaryFile(prefix='.depth-estimation-', dir=folder)
            )
            sizes[Path(probe.name)] = 0
        yield sizes


def _existing(folder: Path) -> Path:
    """The folder, or that of its parents which is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _places(ray: Any, device: str, workers: int, items: int) -> list[dict[str, Any]]:
    """What each worker claims of the cluster, and where.

    Raises:
        ValueError: The cluster has no such device, or not so many.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if device.startswith('cuda:'):
        raise ValueError(f'device {device}: each worker gets a GPU of its own; take cuda')
    resources = ray.cluster_resources()
    gpus = 0 if device == 'cpu' else int(resources.get('GPU', 0))
    if device == 'cuda' and not gpus:
        raise ValueError('device cuda: no machine of the cluster has a GPU; take auto or cpu')
    have, what = (gpus, 'GPUs') if gpus else (int(resources.get('CPU', 0)), 'processors')
    if workers > have or not have:
        raise ValueError(f'the cluster has {have} {what}, too few for {workers or 1} workers')
    if gpus:
        return [{'num_gpus': 1}] * min(workers or gpus, items)
    nodes = [
        node['NodeID'] for node in ray.nodes() if node['Alive'] and 'CPU' in node['Resources']
    ]
    return [
        {
            'num_cpus': 1,
            'scheduling_strategy': NodeAffinitySchedulingStrategy(node, soft=True),
        }
        for node in itertools.islice(itertools.cycle(nodes), min(workers or len(nodes), items))
    ]


@dataclasses.dataclass
class _Seat:
    """A worker that is under way: with an item, or still without one."""

    actor: Any
    place: dict[str, Any]
    machine: str = ''
    item: Item | None = None


class _Crew:
    """The workers, and what each is at."""

    def __init__(
        self, ray: Any, assignment: Assignment, on_progress: OnProgress, say: Say
    ) -> None:
        self._ray, self._assignment = ray, assignment
        self._on_progress, self._say = on_progress, say
        self._told = ray.put(assignment)
        self._seats: dict[Any, _Seat] = {}  # by the answer that is awaited of them
        self._waiting: collections.deque[Item] = collections.deque()
        self._deaths: collections.Counter[Item | None] = collections.Counter()
        own = environment.processors()
        self._kinds = {own} if assignment.network.device == 'cpu' else set()

    def work_off(
        self, items: Sequence[Item], places: Sequence[dict[str, Any]]
    ) -> Iterator[Outcome]:
        """What came of each item, as they get done."""
        self._waiting.extend(items)
        there = self._assignment.work.there
        self._absent = {item for item in items if not there(item)}
        for place in places:
            self._hire(place)
        patience = time.monotonic() + _PATIENCE
        while self._seats:
            answers, _ = self._ray.wait(list(self._seats), num_returns=1, timeout=_PERIOD)
            self._hear()
            for answer in answers:
                patience = math.inf
                outcome = self._settle(answer)
                if outcome is not None:
                    yield outcome
            if time.monotonic() > patience:
                patience = math.inf
                self._say('no worker has begun yet: the cluster may be busy with other work')

    def close(self) -> None:
        """End all workers, and remove what they have not finished."""
        for seat in self._seats.values():
            self._ray.kill(seat.actor)
        self._ray.wait(list(self._seats), num_returns=len(self._seats), timeout=_ENDING)
        for seat in self._seats.values():
            if seat.item is not None:
                self._clear(seat.item)

    def _clear(self, item: Item) -> None:
        """Leave nothing of an item: neither half done, nor whole without anybody knowing."""
        self._assignment.work.discard(item, finished=item in self._absent)

    def _hear(self) -> None:
        """Pass on what those who are at work have to tell."""
        at_work = {seat.item: seat.actor for seat in self._seats.values() if seat.item}
        if not at_work:
            return
        news = [actor.news.remote() for actor in at_work.values()]
        heard, _ = self._ray.wait(news, num_returns=len(news), timeout=_PERIOD)
        for answer in heard:
            with contextlib.suppress(self._ray.exceptions.RayError):  # who died is buried later
                progress, said = self._ray.get(answer)
                for text in said:
                    self._say(text)
                if progress is not None and progress[0] in at_work:
                    self._on_progress(*progress)

    def _hire(self, place: dict[str, Any]) -> None:
        actor = self._ray.remote(Worker).options(max_concurrency=2, **place).remote()
        self._seats[actor.prepare.remote(self._told)] = _Seat(actor, place)

    def _occupy(self, seat: _Seat) -> None:
        """The next item for a worker that is free, which goes where there is none."""
        if not self._waiting:
            self._ray.kill(seat.actor)
            return
        seat.item = self._waiting.popleft()
        self._seats[seat.actor.run.remote(seat.item)] = seat

    def _settle(self, answer: Any) -> Outcome | None:
        """What a worker's answer, or its death, means."""
        seat = self._seats.pop(answer)
        try:
            said: Ready | Outcome = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError:
            raise  # a defect, of the work or of this package
        except self._ray.exceptions.RayError as error:
            return self._bury(seat, error)
        self._deaths[None] = 0
        if isinstance(said, Ready):
            self._welcome(seat, said)
        self._occupy(seat)
        return said if isinstance(said, Outcome) else None

    def _welcome(self, seat: _Seat, ready: Ready) -> None:
        seat.machine = ready.machine
        if ready.fault:
            raise ValueError(f'{ready.machine}: {ready.fault}')
        others = self._kinds - {ready.computes_on}
        if others and ready.computes_on not in self._kinds:
            self._say(
                f'{ready.machine} computes on {ready.computes_on}, others on '
                f'{", ".join(sorted(others))}: the last digits of what they say may differ'
            )
        self._kinds.add(ready.computes_on)

    def _bury(self, seat: _Seat, error: Exception) -> Outcome | None:
        """Another worker in place of a dead one, whose item is done again, but not for ever."""
        self._ray.kill(seat.actor)
        item = seat.item
        self._deaths[item] += 1
        again = self._deaths[item] < _TRIES
        if item is None:
            if self._waiting and again:
                self._hire(seat.place)
            elif self._waiting and not self._seats:
                raise ValueError(f'workers die before they have begun: {_brief(error)}')
            return None
        self._clear(item)
        text = f'{seat.machine} died at it: {_brief(error)}'
        if again:
            self._say(f'{item.source}: {text}; it is done again')
            self._waiting.append(item)
        if self._waiting:
            self._hire(seat.place)
        return None if again else Outcome(item, error=f'given up after {_TRIES} times: {text}')


def _brief(error: Exception) -> str:
    """What Ray says of a death, as short as people read it."""
    text = ' '.join(str(error).split())
    if 'exits with a connection error code' in text:  # all that Ray knows of SIGKILL and SIGSEGV
        return 'it was killed, for want of memory perhaps, or crashed'
    return text[-_SHOWN:]
