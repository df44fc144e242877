# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras a bag has: their images, their camera_info, a depth image beside them."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable, Collection, Sequence

from depth_estimation_ros import encodings
from depth_estimation_ros.bag.source import BagSource

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
_LOG = logging.getLogger(__name__)
_OURS = '/depth_estimation/'  # what this package publishes is no camera
_COLOUR = {'color', 'colour', 'rgb'}


@dataclasses.dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera.

    Attributes:
        name: Of the camera among others of the bag, fit for a namespace; empty for the only one.
        image: Topic of sensor_msgs/Image or CompressedImage.
        compressed: Whether it is the latter.
        info: Topic of sensor_msgs/CameraInfo; None where there is none.
        reference: Topic of depth images registered to the image, to compare with; or None.
    """

    name: str
    image: str
    compressed: bool
    info: str | None = None
    reference: str | None = None

    @property
    def topics(self) -> frozenset[str]:
        """All of them."""
        every = (self.image, self.info, self.reference)
        return frozenset(topic for topic in every if topic is not None)


def find_cameras(
    source: BagSource,
    images: Sequence[str] = (),
    infos: Sequence[str] = (),
    references: Sequence[str] = (),
    say: Callable[[str], object] = _LOG.info,
) -> list[CameraTopics]:
    """The cameras of a bag.

    Args:
        source: The bag.
        images: Image topics; none: the only one that can be meant.
        infos: The camera_info of each of them, in their order; none: as they lie beside them.
        references: Likewise the depth images; none: no references.
        say: Takes what was chosen for want of better, and what is not there.

    Raises:
        ValueError: No image topic, several of which none is named, or a named topic that is not
            there or of another type; the text lists the topics that there are.
    """
    for name in images:
        _check(source, name, {IMAGE, COMPRESSED})
    chosen = list(dict.fromkeys(images)) or [_only_image(source)]
    for names, kind, flag in (
        (infos, INFO, 'camera_info'),
        (references, IMAGE, 'reference depth'),
    ):
        for name in names:
            _check(source, name, {kind})
        if names and len(names) != len(chosen):
            raise ValueError(
                f'{len(names)} topics of {flag} for {len(chosen)} images '
                f'({", ".join(chosen)}): name one for each, in their order, or none'
            )
    return [
        CameraTopics(
            name,
            image,
            source.topics[image].kind == COMPRESSED,
            infos[index] if infos else _info(source, image, len(chosen) == 1, say),
            references[index] if references else None,
        )
        for index, (name, image) in enumerate(zip(_names(chosen), chosen, strict=True))
    ]


def camera_images(source: BagSource) -> list[str]:
    """The topics with pictures of cameras: not of depth, none twice; the only coloured one."""
    found = [name for name in source.topics if _may_be_camera(source, name)]
    raw = [name for name in found if name.removesuffix('/compressed') not in {*found} - {name}]
    coloured = [name for name in raw if _COLOUR & {*re.split('[/_]', name)}]
    return coloured if len(coloured) == 1 else raw


def depth_images(source: BagSource) -> list[str]:
    """The topics of depth images, by encoding."""
    return [
        name
        for name, topic in source.topics.items()
        if topic.kind == IMAGE and _encoding(source, name) in {'16UC1', '32FC1'}
    ]


def listed(source: BagSource) -> str:
    """The topics that there are, with their types, for messages."""
    every = sorted(source.topics.values(), key=lambda topic: topic.name)
    told = ', '.join(
        f'{topic.name} ({topic.kind}{"" if topic.count else ", no message"})' for topic in every
    )
    told = told or 'no topic at all'
    return f'{told} (not all could be read: {"; ".join(source.loss)})' if source.loss else told


def _check(source: BagSource, name: str, kinds: Collection[str]) -> None:
    topic = source.topics.get(name)
    if topic is None:
        raise ValueError(f'{source.path} has no topic {name}; it has {listed(source)}')
    if topic.kind not in kinds:
        raise ValueError(
            f'{name} of {source.path} is of type {topic.kind}, not {" or ".join(sorted(kinds))}; '
            f'there are {listed(source)}'
        )


def _only_image(source: BagSource) -> str:
    """The image topic that is meant where none is named."""
    found = camera_images(source)
    if len(found) > 1:
        raise ValueError(
            f'{source.path} has {len(found)} image topics: {", ".join(found)}; name those that '
            'you want with --image-topic'
        )
    if not found:
        raise ValueError(
            f'{source.path} has no image topic with pictures of a camera; it has {listed(source)}'
        )
    return found[0]


def _may_be_camera(source: BagSource, name: str) -> bool:
    topic = source.topics[name]
    if name.startswith(_OURS) or not topic.count:
        return False
    if topic.kind == COMPRESSED:
        return 'depth' not in name.lower()
    return topic.kind == IMAGE and _encoding(source, name) in encodings.KNOWN


def _encoding(source: BagSource, name: str) -> str:
    """The encoding of the first message of a topic; empty where there is none."""
    for record in source.messages({name}):
        return str(source.decode(record).encoding)
    return ''


def _info(source: BagSource, image: str, alone: bool, say: Callable[[str], object]) -> str | None:
    """The camera_info of an image: beside it, else in its namespace, else the only one."""
    there = [one.name for one in source.topics.values() if one.kind == INFO and one.count]
    base = image.removesuffix('/compressed')
    namespace = base.rpartition('/')[0]
    if f'{namespace}/camera_info' in there:
        return f'{namespace}/camera_info'
    near = [name for name in there if name.rpartition('/')[0] in {namespace, base}]
    if len(near) == 1:
        return near[0]
    if alone and len(there) == 1:
        say(f'{there[0]} is the only camera_info, and taken for that of {image}')
        return there[0]
    known = f'there are {", ".join(there)}: name one' if there else 'the bag has none'
    say(f'{image} has no camera_info ({namespace}/camera_info); {known}')
    return None


def _names(images: Sequence[str]) -> list[str]:
    """Names of cameras: what their topics do not have in common."""
    if len(images) == 1:
        return ['']
    ways = [
        [re.sub('/image[^/]*$', '', image.removesuffix('/compressed')) for image in images],
        [image.removesuffix('/compressed') for image in images],
        list(images),
    ]
    told = next(way for way in ways if len({*way}) == len(way) and all(way))
    parts = [one.strip('/').split('/') for one in told]
    while len({one[0] for one in parts}) == 1 and min(map(len, parts)) > 1:
        parts = [one[1:] for one in parts]
    return [re.sub('^(?=[0-9])', 'camera_', '_'.join(one)) for one in parts]
