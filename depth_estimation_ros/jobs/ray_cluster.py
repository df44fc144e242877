# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster to work on: one that runs, or one of this machine for as long as needed."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

# All to be set before Ray is imported. Unasked, it reports to its makers over the internet.
_SETTINGS = {'RAY_USAGE_STATS_ENABLED': '0'}
# A cluster of this machine listens on the loopback interface alone, as Ray has it for systems on
# which it knows no cluster of several machines; and only to those who know a word.
_ALONE = {
    'RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER': '0',
    'RAY_AUTH_MODE': 'token',
    'RAY_AUTH_TOKEN': secrets.token_hex(32),
}
_OBJECTS = 80 << 20  # bytes of shared memory, near the least there may be: little is sent
_PATIENCE = 5.0  # s for the head of a cluster to answer


def ray() -> Any:
    """The module, which reports to nobody.

    Raises:
        ValueError: It is not installed; with the cure.
    """
    os.environ.update(_SETTINGS)
    try:
        return importlib.import_module('ray')
    except ModuleNotFoundError as error:
        raise ValueError(f'{error}: install this package with its extra ray') from error


@contextlib.contextmanager
def connected(address: str = '') -> Iterator[Any]:
    """Ray, connected to a cluster; whatever of it was started here ends with the context.

    Args:
        address: IP:PORT of the head of a cluster that this machine belongs to, or auto: the one
            that runs on this machine; empty: a cluster of this machine alone, which no other
            machine can reach.

    Raises:
        ValueError: Ray is not installed, or is another version there, or there is no cluster.
        OSError: There is none on this machine.
    """
    options: dict[str, Any] = {'address': address}
    with contextlib.ExitStack() as stack:
        if not address:
            folder = tempfile.TemporaryDirectory(prefix='ray-', ignore_cleanup_errors=True)
            own = stack.enter_context(folder)
            # Temporary files of workers lie there, too, and go with it.
            stack.enter_context(_environment(_ALONE | {'TMPDIR': own}))
            options = {
                'address': 'local',
                '_node_ip_address': '127.0.0.1',
                '_temp_dir': own,
                'include_dashboard': False,
                'object_store_memory': _OBJECTS,
            }
        elif address != 'auto':
            _check(address)
        module = ray()
        stack.callback(module.shutdown)
        try:
            module.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except RuntimeError as error:
            raise ValueError(f'the cluster {address or "of this machine"}: {error}') from error
        # Unasked, deaths of workers are printed to stdout, which is others', and told here anyway.
        # There is no public way; where Ray has this one no more, it prints.
        with contextlib.suppress(AttributeError):
            module._private.worker._worker_logs_enabled = False  # noqa: SLF001
        yield module


def _check(address: str) -> None:
    """Refuse at once what Ray would try for minutes."""
    host, _, port = address.rpartition(':')
    if not host or not port.isdecimal():
        raise ValueError(f'the address of a cluster is IP:PORT, or auto, not {address!r}')
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ValueError(
            f'there is no Ray cluster at {address} ({error}): start one with `ray start --head`'
        ) from error


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment for as long as the context lasts."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
