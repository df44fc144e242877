# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A video or an image sequence to its depth: a video, pictures or numbers."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import sections
from depth_estimation_ros.colorize import legend
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Observer
from depth_estimation_ros.jobs.base import Item, Network, Progress
from depth_estimation_ros.media import numbers, sequence
from depth_estimation_ros.media.base import Clip, Picture, Reader
from depth_estimation_ros.media.formats import FORMATS
from depth_estimation_ros.media.video_reader import VideoReader
from depth_estimation_ros.media.video_writer import VideoWriter, new_video
from depth_estimation_ros.media.whole import discard_folder, is_written
from depth_estimation_ros.offline import in_order
from depth_estimation_ros.painter import Painter
from depth_estimation_ros.road import Road
from depth_estimation_ros.whole_file import discard_file

_NANOSECONDS = 10**9


def check_target(target: Path) -> None:
    """Raise ValueError where it says no kind of output."""
    suffix = target.suffix.lower()
    if sequence.is_pattern(target):
        if suffix not in numbers.PATTERNS:
            raise ValueError(f'{target}: numbered files end in {", ".join(numbers.PATTERNS)}')
    elif suffix not in FORMATS:
        raise ValueError(
            f'{target} says no kind of video: let it end in {", ".join(FORMATS)}, or give a '
            'pattern for numbered files, such as frames/%06d.png'
        )


@dataclasses.dataclass(frozen=True)
class VideoWork:
    """See `jobs.base.Work`. Items are videos, folders of pictures and patterns of them.

    Attributes:
        network: Which network.
        road: What is said of the camera.
        clip: The part that is wanted.
        rate: Pictures in a second of image sequences, which say none.
        colorize: The colours.
        side_by_side: The picture, too, on the left.
        legend: Which colour is how many metres, on the right.
        depth_output: Folder for files of depth; None: there are none.
        depth_kinds: Which, of `depth_files.KINDS`.
        folder_each: Each item has a folder of its own in `depth_output`.
        overwrite: Replace what is there.
        observer: Sees each depth map once it is written; None: nobody does.
    """

    network: Network
    road: Road
    clip: Clip = dataclasses.field(default=Clip())
    rate: Fraction = Fraction(30)
    colorize: sections.Colorize = dataclasses.field(default=sections.Colorize())
    side_by_side: bool = False
    legend: bool = False
    depth_output: Path | None = None
    depth_kinds: tuple[str, ...] = ('npz',)
    folder_each: bool = False
    overwrite: bool = False
    observer: Observer | None = None

    def run(
        self, estimator: DepthEstimator, item: Item, progress: Callable[[Progress], None]
    ) -> dict[str, Any]:
        """See `jobs.base.Work`."""
        check_target(item.target)
        self._check_folders(item)
        self._check_metres(estimator, item)
        with contextlib.closing(self._reader(item.source)) as reader:
            depths = _Depths(self.road, estimator, reader)
            show = _Show(self, reader.width, reader.height)
            done = 0
            with contextlib.ExitStack() as stack:
                video, writes = self._writes(stack, item, reader, show.size)

                def write(found: tuple[Picture, DepthMap]) -> None:
                    nonlocal done
                    result = numbers.Result(*found, show.of(found[1]))
                    for each in writes:
                        each(result)
                    if self.observer is not None:
                        self.observer('', result.depth_map)
                    done += 1
                    progress(Progress(done, reader.total))

                in_order(reader, depths.of, write)
                if not done:
                    raise ValueError(f'{item.source} has no frame in the part that is wanted')
            width, height = show.size if video is None else video.size
            remarks = [*reader.remarks, *(video.remarks if video is not None else ())]
            return {
                'frames': done,
                'width': width,
                'height': height,
                'kind': depths.kind,
                'loss': reader.loss,
                'remarks': remarks,
            }

    def there(self, item: Item) -> bool:
        """See `jobs.base.Work`."""
        return item.target.exists() or any(map(is_written, self._folders(item)))

    def discard(self, item: Item, finished: bool) -> None:
        """See `jobs.base.Work`."""
        discard_file(item.target)
        if finished:
            item.target.unlink(missing_ok=True)
        for folder in self._folders(item):
            discard_folder(folder, finished)

    def _folders(self, item: Item) -> list[Path]:
        """Those of numbered files."""
        colours = [item.target.parent] if sequence.is_pattern(item.target) else []
        if self.depth_output is None:
            return colours
        return [*colours, self._depth_folder(self.depth_output, item)]

    def _depth_folder(self, output: Path, item: Item) -> Path:
        return output / item.target.name if self.folder_each else output

    def _check_folders(self, item: Item) -> None:
        numbered = sequence.is_pattern(item.target)
        if numbered and self.depth_output and item.target.parent == self.depth_output:
            raise ValueError(
                f'{self.depth_output} is the folder of {item.target.name}, too, and each has a '
                'times.csv: give --depth-output another one'
            )

    def _check_metres(self, estimator: DepthEstimator, item: Item) -> None:
        kinds = self.depth_kinds if self.depth_output is not None else ()
        wanted = numbers.need_metres(item.target, kinds) + ['a legend'] * self.legend
        relative = estimator.spec.kind is DepthKind.RELATIVE
        if wanted and relative and not self.road.makes_metres:
            raise ValueError(
                f'{estimator.spec.name} answers inverse depth without unit, so there are no '
                f'metres for {", ".join(wanted)}: calibrate (depth-estimation calibrate) and give '
                '--calibration FILE, or give --depth-scale'
            )

    def _reader(self, source: Path) -> Reader:
        if not source.is_file():
            return sequence.SequenceReader(source, self.clip, self.rate)
        return VideoReader(source, self.clip)

    def _writes(
        self, stack: contextlib.ExitStack, item: Item, reader: Reader, size: tuple[int, int]
    ) -> tuple[VideoWriter | None, list[numbers.Write]]:
        """What takes results, and the video among it."""
        writes: list[numbers.Write] = []
        video = None
        if self.depth_output is not None:
            folder = self._depth_folder(self.depth_output, item)
            writes.append(
                stack.enter_context(numbers.beside(folder, self.depth_kinds, self.overwrite))
            )
        if sequence.is_pattern(item.target):
            writes.append(stack.enter_context(numbers.numbered(item.target, self.overwrite)))
        else:  # entered last, it ends first: where there is no room for its end, nothing is left
            start = self.clip.start
            video = stack.enter_context(
                new_video(item.target, self.overwrite, size, reader.time_base, reader.rate)
            )
            if isinstance(reader, VideoReader):
                video.copy_audio(item.source, reader.origin, self.clip)
            add = video.write
            writes.append(lambda result: add(result.shown, result.picture.time - start))
        return video, writes


class _Depths:
    """Makes depth of pictures, one after the other.

    Attributes:
        kind: What the depth is; empty before the first.
    """

    def __init__(self, road: Road, estimator: DepthEstimator, reader: Reader) -> None:
        self._road = road
        self._camera = road.camera(reader.width, reader.height)
        self._pipeline = road.pipeline(estimator, self._camera)
        self.kind = ''

    def of(self, picture: Picture) -> tuple[Picture, DepthMap]:
        """The depth of a picture, in main memory."""
        stamp = round(picture.time * _NANOSECONDS)
        depth_map = self._pipeline.process(Frame(picture.image, stamp, '', self._camera))
        self._road.check(depth_map)
        self.kind = depth_map.kind.value
        return picture, depth_map.in_main_memory()


class _Show:
    """Puts depth in colours, beside the picture and a legend if that is wanted.

    Attributes:
        size: Width and height of what is shown.
    """

    def __init__(self, work: VideoWork, width: int, height: int) -> None:
        self._painter = Painter(work.colorize)
        self._left = width if work.side_by_side else 0
        self._legend = np.empty((height, 0, 3), np.uint8)
        if work.legend:
            colours = work.colorize
            self._legend = legend(height, colours.min, colours.max, 'm', colours.colormap)
        self.size = self._left + width + self._legend.shape[1], height

    def of(self, depth_map: DepthMap) -> NDArray[np.uint8]:
        """[height, width, 3] uint8 RGB of `size`."""
        image = depth_map.frame.image[:, : self._left]
        return np.hstack([image, self._painter.paint(depth_map), self._legend])
