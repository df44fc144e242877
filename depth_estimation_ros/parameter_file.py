# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameter file, read where no ROS is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# The sections that the node would take as its own: rcl matches its name, and wildcards.
_SECTIONS = ('/**', '**', '/*', '*', '/depth_estimation', 'depth_estimation')
_PARAMETERS = 'ros__parameters'


def load(file: Path) -> dict[str, Any]:
    """The parameters of the node by dotted name; a later section replaces what earlier ones say.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no parameter file, or has no section for the node.
    """
    try:
        sections = yaml.safe_load(file.read_text('utf-8'))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there is no parameter file {file}: give one with the node's parameters, as "
            'config/depth.yaml has them'
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(error).split())  # YAML's own take several lines
        raise ValueError(f'{file} is no parameter file: {reason}') from error
    if not isinstance(sections, dict):
        raise ValueError(  # noqa: TRY004 (it is the file that is wrong)
            f'{file} is no parameter file: write it as config/depth.yaml is'
        )
    ours = [
        section[_PARAMETERS]
        for name, section in sections.items()
        if name in _SECTIONS and isinstance(section, dict) and _PARAMETERS in section
    ]
    if not ours:
        raise ValueError(
            f'{file} has no {_PARAMETERS} under /** or depth_estimation, as config/depth.yaml has'
        )
    return {name: value for section in ours for name, value in _flat(section or {})}


def _flat(section: Mapping[Any, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value
