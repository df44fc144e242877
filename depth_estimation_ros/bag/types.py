# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of ROS 2 where no ROS is installed: made, serialized, and their definitions."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat, Nodetype
from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

STATUS = 'depth_estimation_interfaces/msg/DepthStatus'
_ZEROS: dict[str, Any] = {'string': '', 'bool': False, 'float32': 0.0, 'float64': 0.0}
UNHASHED = 'RIHS01_' + 64 * '0'


@functools.cache
def typestore() -> Typestore:
    """The types of the newest ROS, and DepthStatus."""
    types = get_typestore(Stores.LATEST)
    text = Path(__file__).with_name('DepthStatus.msg').read_text('utf-8')
    types.register(get_types_from_msg(text, STATUS))
    return types


def empty(kind: str) -> Any:
    """A message of this type, `sensor_msgs/msg/Image`, all of it zero."""
    types = typestore()
    _, fields = types.fielddefs[kind]
    return types.types[kind](**{name: _zero(node) for name, node in fields})


def _zero(field: Any) -> Any:
    node, description = field
    if node is Nodetype.BASE:
        return _ZEROS.get(description[0], 0)
    if node is Nodetype.NAME:
        return empty(description)
    element, length = description
    return [_zero(element) for _ in range(length)] if node is Nodetype.ARRAY else []


def serialize(message: Any) -> memoryview:
    """The CDR bytes of a message; its arrays may be of any kind that holds the numbers."""
    types, kind = typestore(), message.__msgtype__
    arrays = {
        name: np.asarray(getattr(message, name), description[0][1][0])
        for name, (node, description) in types.fielddefs[kind][1]
        if node in (Nodetype.ARRAY, Nodetype.SEQUENCE)
        and description[0][0] is Nodetype.BASE
        and description[0][1][0] != 'string'
    }
    return memoryview(types.serialize_cdr(dataclasses.replace(message, **arrays), kind))


def defined(kind: str, given: MessageDefinition) -> tuple[str, str]:
    """Text of a type's definition, and its hash as ROS makes it.

    Args:
        kind: The type.
        given: Its definition, which may be none: then that of the newest ROS.
    """
    types = get_typestore(Stores.EMPTY)
    try:
        if given.format is MessageDefinitionFormat.IDL:
            types.register(get_types_from_idl(given.data))
        elif given.format is MessageDefinitionFormat.MSG:
            types.register(get_types_from_msg(given.data, kind))
        else:
            types = typestore()
            return types.generate_msgdef(kind, ros_version=2)[0], types.hash_rihs01(kind)
        return given.data, types.hash_rihs01(kind)
    except (TypesysError, KeyError):  # of a type that nobody knows the messages are copied as well
        return given.data, UNHASHED
