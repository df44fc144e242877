# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a demonstration, on a ROS graph of their own, ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from depth_estimation_ros.ros import transport

# Away from 0, where users' own nodes are; above 101 domains meet Linux' ephemeral ports.
_DOMAINS = range(20, 60)
_PATIENCE = 5.0  # seconds a process has to end by itself


def free_domain() -> int:
    """A ROS domain nobody on this machine takes part in.

    Raises:
        OSError: All are taken.
    """
    start = os.getpid()
    for turn in range(len(_DOMAINS)):
        domain = _DOMAINS[(start + turn) % len(_DOMAINS)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # Where the first participant of a domain listens (DDSI-RTPS 9.6.1.1).
                probe.bind(('', 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    raise OSError(f'ROS domains {_DOMAINS.start} to {_DOMAINS.stop - 1} are all in use')


class Processes(contextlib.AbstractContextManager['Processes']):
    """Python modules run beside this process; a context that ends them by id.

    Args:
        domain: ROS domain of all of them.
        logs: Folder for what they print.

    Attributes:
        running: The processes by name.
    """

    def __init__(self, domain: int, logs: Path) -> None:
        self._environment = {
            **os.environ,
            **transport.missing(os.environ),
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        }
        self._logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Run a module; what it prints goes to NAME.log."""
        command = [sys.executable, '-m', f'depth_estimation_ros.{module}', *arguments]
        with self._log(name).open('wb') as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=self._environment
            )

    def check(self) -> None:
        """See that all of them run.

        Raises:
            ChildProcessError: One has ended; the text has what it said last.
        """
        for name, process in self.running.items():
            if process.poll() is not None:
                said = self._log(name).read_text(errors='replace').strip().splitlines()
                raise ChildProcessError(
                    f'the {name} ended with code {process.returncode}: '
                    f'{said[-1] if said else "it said nothing"}'
                )

    def _log(self, name: str) -> Path:
        return self._logs / f'{name}.log'

    def __exit__(self, *_error: object) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            _see_end(process)


def _see_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
