# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The RViz configuration of the package, for the cameras, topics and frame at hand."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import yaml

_IMAGE = '/image_raw'
_NAMES = {  # what the topics of the configuration are called in the node
    _IMAGE: '{}image',
    '/depth_estimation/colorized/image': '~/{}colorized/image',
    '/depth_estimation/points': '~/{}points',
}


@dataclasses.dataclass(frozen=True)
class Topics:
    """The names that the topics of a node have for others.

    Attributes:
        namespace, node: Of the node.
        remappings: Pairs of names, of which the first that fits counts.
    """

    namespace: str
    node: str
    remappings: Sequence[tuple[str, str]] = ()

    def resolve(self, topic: str) -> str:
        """The full name of `front/image` or `~/front/points`."""
        found = next((to for name, to in self.remappings if name == topic), topic)
        if found.startswith('/'):
            return found
        above = '/'.join(['', *filter(None, [self.namespace.strip('/')])])
        return f'{above}/{self.node}{found[1:]}' if found.startswith('~') else f'{above}/{found}'


def configuration(
    template: str,
    cameras: Sequence[str],
    topics: Topics,
    fixed_frame: str,
    compressed: bool = False,
) -> str:
    """What RViz shows of cameras: of each its image, depth in colours and cloud, and the frames.

    Args:
        template: The text of config/depth.rviz.
        cameras: Their names; one that is empty for a single camera.
        topics: Of the node.
        fixed_frame: Frame in which all is shown.
        compressed: The images are sensor_msgs/CompressedImage.

    Raises:
        ValueError: The template shows a topic that the node does not have.
    """
    config = yaml.safe_load(template)
    manager = config['Visualization Manager']
    manager['Global Options']['Fixed Frame'] = fixed_frame
    displays = manager['Displays']
    manager['Displays'] = [one for one in displays if 'Topic' not in one] + [
        _of_camera(display, camera, topics, compressed)
        for camera in cameras
        for display in displays
        if 'Topic' in display
    ]
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


def _of_camera(
    display: dict[str, Any], camera: str, topics: Topics, compressed: bool
) -> dict[str, Any]:
    made, shown = copy.deepcopy(display), display['Topic']['Value']
    if shown not in _NAMES:
        raise ValueError(f'RViz cannot show {shown}: known are {", ".join(_NAMES)}')
    topic = _NAMES[shown].format(f'{camera}/' if camera else '')
    if compressed and shown == _IMAGE:
        topic += '/compressed'
    made['Topic']['Value'] = topics.resolve(topic)
    if camera:
        made['Name'] = f'{camera}: {display["Name"]}'
    return made
