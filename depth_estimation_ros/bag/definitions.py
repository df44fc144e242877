# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What the messages of a bag mean: decoded, and those of ROS 1 as ROS 2 has them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from rosbags.convert.converter import STATIC_MSGTYPE_RENAMES, is_same_wireformat, migrate_bytes
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag1,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

from depth_estimation_ros.bag import types
from depth_estimation_ros.bag.records import UNDEFINED

_HEADER = 'std_msgs/msg/Header'
_IDL = '=' * 80 + '\n'  # between the files of a definition


def is_ros1(connection: Connection) -> bool:
    """Whether its messages are serialized as ROS 1 does."""
    form = getattr(connection.ext, 'serialization_format', '')
    return isinstance(connection.ext, ConnectionExtRosbag1) or form == 'ros1'


class Definitions:
    """The types of a bag's messages: as it defines them, else as ROS 2 does.

    Args:
        connections: All of the bag.
    """

    def __init__(self, connections: Iterable[Connection]) -> None:
        known = types.typestore()
        told: dict[str, Any] = {}
        of_ros1: dict[str, Any] = {}
        for connection in connections:
            (of_ros1 if is_ros1(connection) else told).update(_parsed(connection))
        self._ros1 = get_typestore(Stores.EMPTY)
        self._ros1.register(of_ros1)
        own = {name: fields for name, fields in of_ros1.items() if name not in known.fielddefs}
        self._told = frozenset(told)
        self._types = _with(known.fielddefs, {**own, **told})
        self._cache: dict[str, object] = {}

    def kind(self, connection: Connection) -> str:
        """Name of the type in ROS 2."""
        kind = str(connection.msgtype)
        return str(STATIC_MSGTYPE_RENAMES.get(kind, kind)) if is_ros1(connection) else kind

    def definition(self, connection: Connection) -> MessageDefinition:
        """Its .msg text in ROS 2; UNDEFINED where neither the bag nor ROS 2 tells it."""
        form, kind = connection.msgdef.format, self.kind(connection)
        if form is MessageDefinitionFormat.MSG and not is_ros1(connection):
            return connection.msgdef
        try:
            text, _ = self._types.generate_msgdef(kind, ros_version=2)
        except (KeyError, TypesysError):  # of it, or of a type within it
            return UNDEFINED
        return MessageDefinition(MessageDefinitionFormat.MSG, text)

    def decode(self, kind: str, data: bytes | memoryview) -> Any:
        """A message.

        Raises:
            ValueError: Its type is not known, or its bytes are damaged.
        """
        if kind not in self._types.fielddefs:
            raise ValueError(f'the bag does not define {kind}, and ROS 2 does not know it')
        try:
            return self._types.deserialize_cdr(data, kind)
        except Exception as error:  # what rosbags makes of damaged bytes is of many kinds
            text = f'a message of {kind} cannot be decoded: it is damaged'
            other = '' if kind in self._told else ", or of another ROS' version of that type"
            raise ValueError(f'{text}{other} ({error!r})') from error

    def converted(self, connection: Connection, data: bytes) -> bytes:
        """A message of ROS 1 as ROS 2 serializes it.

        Raises:
            ValueError: It is damaged.
        """
        kind, target = connection.msgtype, self.kind(connection)
        try:
            if self._same(kind, target):
                return bytes(self._types.ros1_to_cdr(data, target))
            return bytes(
                migrate_bytes(
                    self._ros1,
                    self._types,
                    kind,
                    target,
                    self._cache,
                    data,
                    src_is2=False,
                    dst_is2=True,
                )
            )
        except Exception as error:  # as above
            raise ValueError(f'a message of {kind} cannot be converted: {error}') from error

    @functools.cache  # noqa: B019
    def _same(self, kind: str, target: str) -> bool:
        """Whether ROS 2 has the same fields, but for the sequence number of headers."""
        return bool(is_same_wireformat(self._ros1, self._types, kind, target))


def _with(known: dict[str, Any], more: dict[str, Any]) -> Typestore:
    """The known types and more, which may define some of them otherwise."""
    store = get_typestore(Stores.LATEST)
    try:
        new = {name: fields for name, fields in known.items() if name not in store.fielddefs}
        store.register({**new, **more})
    except TypesysError:  # to make all anew takes ten times as long
        store = get_typestore(Stores.EMPTY)
        store.register({**known, **more})
    return store


def _parsed(connection: Connection) -> dict[str, Any]:
    form, text = connection.msgdef
    text = re.sub('(?m)^#include.*', '', text)  # what it includes is there as well
    kind = connection.msgtype
    try:
        if form is MessageDefinitionFormat.MSG:
            return dict(get_types_from_msg(text, kind))
        if form is MessageDefinitionFormat.IDL and text.startswith(_IDL):
            found: dict[str, Any] = {}
            for part in text.split(_IDL)[1:]:
                found.update(get_types_from_idl(part.partition('\n')[2]))
            return found
        if form is MessageDefinitionFormat.IDL:
            return dict(get_types_from_idl(text))
    except Exception:  # one that rosbags cannot parse is as good as none: bytes pass through
        return {}
    return {}
