# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 bags: messages in, the same bytes for the same messages, a whole bag or none."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionMode, StoragePlugin, Writer
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Writer

from depth_estimation_ros.bag import types
from depth_estimation_ros.bag.mcap_storage import McapStorage
from depth_estimation_ros.bag.records import Serialized, Topic, profile

_OF_BAGS = ('.yaml', '.mcap', '.db3', '.zstd')  # files, of which a bag that is replaced consists


class BagWriter:
    """An open bag that takes messages, from any thread, one after the other.

    Attributes:
        path: Where it will be.
        written: How many messages it has.
    """

    def __init__(self, path: Path, writer: Writer) -> None:
        self.path, self.written, self._writer = path, 0, writer
        self._connections: dict[str, Connection] = {}
        with _said(path):
            writer.open()

    def add(self, topic: Topic) -> None:
        """Announce a topic; without a QoS of its own it has that of this package's publishers."""
        definition, digest = types.defined(topic.kind, topic.definition)
        self._connections[topic.name] = self._writer.add_connection(
            topic.name,
            topic.kind,
            msgdef=definition,
            rihs01=digest,
            offered_qos_profiles=list(topic.qos) or [profile(topic.latched)],
        )

    def write(self, record: Serialized) -> None:
        """Write a message of a topic that was announced.

        Raises:
            OSError: It cannot be written; the text says what to do.
        """
        connection = self._connections[record.topic]
        with _said(self.path):
            self._writer.write(connection, record.arrived, record.data)
        self.written += 1

    def finish(self) -> None:
        """Write what is left.

        Raises:
            OSError: As `write`.
        """
        with _said(self.path):
            self._writer.close()

    def end(self) -> None:
        """Leave the files, whole or not."""
        with contextlib.suppress(Exception):  # of a full disk it is said already
            self._writer.abort()


class _Sqlite3Storage(Sqlite3Writer):  # type: ignore[misc]
    """Takes messages from any thread."""

    def __init__(self, path: Path, compression: CompressionMode) -> None:
        super().__init__(path, compression)
        self.conn.close()
        self.conn: sqlite3.Connection = sqlite3.connect(self.path, check_same_thread=False)
        self.cursor = self.conn.cursor()


class _Writer(Writer):  # type: ignore[misc]
    STORAGE_PLUGINS: ClassVar = {
        StoragePlugin.MCAP: McapStorage,
        StoragePlugin.SQLITE3: _Sqlite3Storage,
    }


@contextlib.contextmanager
def new_bag(
    path: Path, storage: str = 'mcap', overwrite: bool = False, keep_partial: bool = False
) -> Iterator[BagWriter]:
    """A bag that is written beside its place, and put there when it is whole.

    Left by an error it leaves nothing.

    Args:
        path: Folder to make, or FILE.mcap for a bag of that one file.
        storage: mcap (with zstd where it saves something) or sqlite3.
        overwrite: Replace a bag that is there.
        keep_partial: Left by Ctrl-C, it keeps what was written until then as a whole bag.

    Raises:
        FileExistsError: There is something already.
        ValueError: FILE.mcap that is to be sqlite3.
        OSError: It cannot be written; the text says what to do.
    """
    one_file = path.suffix == '.mcap'
    if one_file and storage != 'mcap':
        raise ValueError(f'{path} is to be {storage}: name a folder, or take storage mcap')
    check_free(path, overwrite)
    discard(path)
    # Files of a bag are named after its folder, which therefore has its name from the first.
    made = _hidden(path) / (path.stem if one_file else path.name)
    # Version 9 tells QoS in a form that Humble and Iron refuse; newer ones read 8 as well.
    writer = _Writer(made, version=8, storage_plugin=StoragePlugin[storage.upper()])
    try:
        bag = BagWriter(path, writer)
        try:
            yield bag
            bag.finish()
        except KeyboardInterrupt:
            if not (keep_partial and bag.written):
                raise
            bag.finish()
            _put(writer.path, path)
            raise
        finally:
            bag.end()
        _put(writer.path, path)
    finally:
        discard(path)


def _put(made: Path, path: Path) -> None:
    """Put a whole bag where it belongs."""
    with _said(path):
        if path.is_dir():
            shutil.rmtree(path)
        (made / f'{path.stem}.mcap' if path.suffix == '.mcap' else made).replace(path)


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say what to do when the disk is full, whichever way it says so."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise OSError(
            f'{path} cannot be written: {error}. Nothing of it is left: make room there, choose '
            'another place, or write less, fewer topics or outputs'
        ) from error


def write(path: Path, topics: Sequence[Topic], recorded: Sequence[Serialized]) -> None:
    """Write a bag, mcap.

    Args:
        path: Folder to make.
        topics: All topics, of which some may have no message.
        recorded: The messages in any order.
    """
    with new_bag(path) as bag:
        for topic in topics:
            bag.add(topic)
        for message in sorted(recorded, key=lambda one: one.arrived):
            bag.write(message)


def check_free(path: Path, overwrite: bool) -> None:
    """Refuse a place where something is, unless it is a bag that may be replaced.

    Raises:
        FileExistsError: There is something.
    """
    if overwrite:
        if path.is_dir() and not _is_bag(path):
            raise FileExistsError(f'{path} is no bag, and is not replaced: give another place')
    elif path.exists():
        raise FileExistsError(f'{path} exists: give another place, or --overwrite')
    elif _hidden(path).exists():
        raise FileExistsError(
            f'{_hidden(path)} is there: another run writes {path}, or was killed; in that case '
            'remove it, or give --overwrite'
        )


def _is_bag(folder: Path) -> bool:
    files = list(folder.iterdir())
    return bool(files) and all(file.suffix in _OF_BAGS for file in files)


def discard(path: Path) -> None:
    """Remove what a writer has left half done beside the place of its bag."""
    shutil.rmtree(_hidden(path), ignore_errors=True)


def _hidden(path: Path) -> Path:
    return path.parent / f'.{path.name}.partial'
