# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of a benchmark, and the file of its figures."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """That of a benchmark; it has --json already."""
    made = argparse.ArgumentParser(prog=f'benchmark {name}', description=description)
    made.add_argument('--json', type=Path, help='file for the figures')
    return made


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT of the command line."""
    match = re.fullmatch(r'([1-9]\d*)x([1-9]\d*)', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'a size is WIDTHxHEIGHT like 640x480, not {text!r}')
    return int(match[1]), int(match[2])


def write(figures: object, file: Path | None) -> None:
    """Write figures as JSON, where a file was asked for."""
    if file is not None:
        file.write_text(json.dumps(figures, indent=2) + '\n')
