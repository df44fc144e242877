# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras a bag has: their images, their camera_info, a depth image beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from depth_estimation_ros.bag.source import BagSource

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'


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
) -> list[CameraTopics]:
    """The cameras of a bag.

    Args:
        source: The bag.
        images: Image topics; none: the only one that can be meant.
        infos: The camera_info of each of them, in their order; none: as they lie beside them.
        references: Likewise the depth images; none: no references.

    Raises:
        ValueError: No image topic, several of which none is named, or a named topic that is not
            there or of another type; the text lists the topics that there are.
    """
    raise NotImplementedError
