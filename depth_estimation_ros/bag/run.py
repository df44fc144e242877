# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One bag, from its first message to its last."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from depth_estimation_ros.bag import types
from depth_estimation_ros.bag.answers import Answers, stamped, time
from depth_estimation_ros.bag.cameras import CameraTopics, find_cameras
from depth_estimation_ros.bag.depth import CameraDepth
from depth_estimation_ros.bag.latched import kept
from depth_estimation_ros.bag.records import Serialized, Topic, profile
from depth_estimation_ros.bag.shots import Shot, Shots
from depth_estimation_ros.bag.source import BagSource
from depth_estimation_ros.bag.writer import BagWriter
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.faults import Faults
from depth_estimation_ros.frames import DepthMap
from depth_estimation_ros.jobs.base import Progress
from depth_estimation_ros.offline import in_order
from depth_estimation_ros.outputs import fill_status

if TYPE_CHECKING:
    from depth_estimation_ros.bag.process import BagWork

_TOGETHER = 4_000_000  # bytes of other messages that wait for the next image, at most


class _Batch(NamedTuple):
    """Messages in their order, and the shots that are whole with the last of them."""

    records: list[Serialized]
    shots: list[Shot]


class _Done(NamedTuple):
    """What came of a shot: whether its own reference calibrated it, and what is said from now."""

    shot: Shot
    depth_map: DepthMap
    fitted: bool
    status: bytes | None


class _Made(NamedTuple):
    """What came of a batch."""

    records: list[Serialized]
    done: list[_Done]


class Run:
    """One bag, from its first message to its last."""

    def __init__(
        self,
        work: BagWork,
        estimator: DepthEstimator,
        source: BagSource,
        wanted: Sequence[str],
    ) -> None:
        self.frames = 0
        self._work, self._estimator, self._source = work, estimator, source
        self._notes: list[str] = []
        self._cameras = find_cameras(
            source, work.images, work.infos, work.references, self._notes.append
        )
        self._faults = Faults(lambda _: None)  # the summary says them
        prefix = f'/{work.namespace.strip("/")}/'
        self._status = f'{prefix}status'
        self._said = b''
        self._depths = {
            camera.name: CameraDepth(camera.name, estimator, work.road, work.following)
            for camera in self._cameras
        }
        self._answers = {
            camera.name: Answers(
                f'{prefix}{camera.name}/' if camera.name else prefix, wanted, work.config
            )
            for camera in self._cameras
        }
        self._copied = self._chosen()
        self._start, self._end = self._times()

    def close(self) -> None:
        """End the threads that encode."""
        for answers in self._answers.values():
            answers.close()

    def _written(self) -> list[Topic]:
        """The topics that are added."""
        outputs = [topic for answers in self._answers.values() for topic in answers.topics]
        return [*outputs, Topic(self._status, types.STATUS, (profile(latched=True),))]

    def _chosen(self) -> list[Topic]:
        """The topics that are copied.

        Raises:
            ValueError: One is not there, or has the name of one that is added.
        """
        topics, names = self._source.topics, self._work.topics
        for name in names or ():
            if name not in topics:
                raise ValueError(
                    f'{self._source.path} has no topic {name} to copy; it has '
                    f'{", ".join(sorted(topics))}'
                )
        chosen = [topic for topic in topics.values() if names is None or topic.name in names]
        for topic in self._written():
            if topic.name in {one.name for one in chosen}:
                raise ValueError(
                    f'{self._source.path} has a topic {topic.name} already: give another '
                    '--namespace, or the --topics to copy without it'
                )
        return chosen

    def _times(self) -> tuple[int | None, int | None]:
        """From when and until when messages are taken, ns.

        Raises:
            ValueError: There is no time between.
        """
        first, last = self._source.start, self._source.end
        start, end = self._work.start, self._work.end
        times = [None if one is None else first + round(one * 1e9) for one in (start, end)]
        begin, finish = times
        stop = last + 1 if finish is None else finish
        if (begin is not None and begin > last) or (first if begin is None else begin) >= stop:
            raise ValueError(
                f'there is nothing from {start or 0:g} s to '
                f'{"the end" if end is None else f"{end:g} s"} of {self._source.path}, which '
                f'lasts {(last - first) / 1e9:.1f} s'
            )
        return begin, finish

    def copy(self, bag: BagWriter, progress: Callable[[Progress], None]) -> None:
        """Write all of it."""
        for topic in (*self._copied, *self._written()):
            bag.add(topic)
        total = self._total()

        def write(made: _Made) -> None:
            for record in made.records:
                bag.write(record)
            for done in made.done:
                for record in self._records(done):
                    bag.write(record)
                if self._work.observer is not None:
                    self._work.observer(done.shot.camera.name, done.depth_map)
                self.frames += 1
                progress(Progress(self.frames, total))

        in_order(self._batches(), self._make, write)
        for depth in self._depths.values():
            depth.check_settled()
        if not self.frames:
            raise ValueError(self._why_none())

    def _total(self) -> int | None:
        """How many frames there will be; None where that is not known beforehand."""
        if self._start is not None or self._end is not None:
            return None
        topics, stride = self._source.topics, self._work.stride
        return sum(-(-topics[camera.image].count // stride) for camera in self._cameras)

    def _batches(self) -> Iterator[_Batch]:
        """All messages; what lies between two images is kept together, unless it is too much."""
        copied = {topic.name for topic in self._copied}
        wanted = copied.union(*(camera.topics for camera in self._cameras))
        given, stride = self._work.road.intrinsics, self._work.stride
        shots = Shots(self._source, self._cameras, given, self._faults.add, stride)
        records: list[Serialized] = []
        size = 0
        for record in self._taken(wanted):
            if record.topic in copied:
                records.append(record)
                size += len(record.data)
            whole = list(shots.add(record))
            if whole or size > _TOGETHER:
                yield _Batch(records, whole)
                records, size = [], 0
        yield _Batch(records, list(shots.end()))

    def _taken(self, topics: Collection[str]) -> Iterator[Serialized]:
        """The messages of the part, and first what was latched when it begins."""
        start = self._start
        before = [] if start is None else kept(self._source, topics, start)
        return itertools.chain(before, self._source.messages(topics, start, self._end))

    def _make(self, batch: _Batch) -> _Made:
        made: list[_Done] = []
        for given in batch.shots:
            depth = self._depths[given.camera.name]
            shot = depth.settle(given)
            try:
                depth_map = depth.process(shot)
            except ValueError as error:
                self._faults.add(str(error))  # as in the node: the next frame is served
            else:
                made.append(_Done(shot, depth_map, depth.fitted, self._news(shot)))
        return _Made(batch.records, made)

    def _news(self, shot: Shot) -> bytes | None:
        """The status from this shot on, where it is another than before."""
        message = types.empty(types.STATUS)
        hints = [self._estimator.hint, *(depth.hint for depth in self._depths.values())]
        calibrations = {name: depth.calibration for name, depth in self._depths.items()}
        hint = '; '.join(dict.fromkeys(filter(None, hints)))
        fill_status(message, self._estimator, calibrations, hint, time)
        said = bytes(types.serialize(message))
        if said == self._said:
            return None
        self._said = said
        message.header = stamped(shot.frame.stamp)
        return bytes(types.serialize(message))

    def _records(self, done: _Done) -> Iterator[Serialized]:
        shot, answers = done.shot, self._answers[done.shot.camera.name]
        if done.status is not None:
            yield Serialized(self._status, shot.arrived, done.status)
        yield from answers.records(done.depth_map, shot.arrived)
        if shot.reference is not None:
            answers.compare(done.depth_map, shot.reference, done.fitted)

    def _why_none(self) -> str:
        names = ', '.join(camera.image for camera in self._cameras)
        said = '; '.join(self._faults.counts) or 'no message came'
        return f'no image of {names} could be used: {said}'

    def summary(self) -> dict[str, Any]:
        """What came of it; what there is nothing to say of is left out."""
        parts = {
            'frames': self.frames,
            'notes': self._notes,
            'faults': dict(self._faults.counts),
            'loss': list(self._source.loss),
            'cameras': {
                camera.name or camera.image: self._told(camera) for camera in self._cameras
            },
        }
        return {name: part for name, part in parts.items() if part}

    def _told(self, camera: CameraTopics) -> dict[str, Any]:
        answers, depth = self._answers[camera.name], self._depths[camera.name]
        calibration = depth.calibration
        fit = (
            {}
            if calibration is None
            else {'scale': calibration.fit.scale, 'shift': calibration.fit.shift}
        )
        parts = {
            'image': camera.image,
            'camera_info': camera.info,
            'reference': camera.reference,
            'without_metres': answers.without_metres,
            'messages': dict(answers.counts),
            'calibration': fit,
            'fits': depth.taken,
            'refused': dict(depth.refused),
            'errors': answers.scores(fitted=False),
            'errors_of_fitted': answers.scores(fitted=True),
        }
        return {name: part for name, part in parts.items() if part}
