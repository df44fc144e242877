# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations on the disk: one YAML file per camera, model and preset.

Keys are the fields of `Calibration`, `Fit` and `Camera`. A missing key takes its default, as in
files that are older than the field. An unknown key is refused: a newer version wrote it, and the
rest may not mean the same without it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import hashlib
import os
import re
import tempfile
import time
import typing
from pathlib import Path
from typing import Any

import yaml

from depth_estimation_ros.anchors import Anchors
from depth_estimation_ros.calibration import ASSUMED_RELATIVE_ERROR, Calibration, Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind

_END = 2**31 * 10**9  # of the time that ROS messages tell, nanoseconds


def path(
    directory: str, camera_name: str, model: str, preset: str = 'full', origin: str = ''
) -> Path:
    """Where the calibration of this camera, model and preset is kept.

    Args:
        directory: Folder; empty: depth_estimation under $XDG_STATE_HOME, or ~/.local/state.
        camera_name: Name of the camera in the node; empty for a single one.
        model: Name of the network.
        preset: Size of its input.
        origin: Path of weights that are not the model's own; others may bear the same name.
    """
    state = Path(os.environ.get('XDG_STATE_HOME') or Path.home() / '.local/state')
    folder = Path(directory).expanduser() if directory else state / 'depth_estimation'
    camera = camera_name.replace('/', '.') or 'camera'  # no other name of a camera has a dot
    at = '' if preset == 'full' else f'--{preset}'
    digest = f'--{hashlib.sha256(origin.encode()).hexdigest()[:8]}' if origin else ''
    plain = re.sub(r'[^\w.-]+', '_', f'{camera}--{model}{digest}{at}')
    return folder / f'{plain}.yaml'


def save(calibration: Calibration, file: Path) -> None:
    """Write the file, all of it or nothing: a temporary file is renamed over the old one.

    Temporary files left by processes that were killed are removed after a minute.

    Raises:
        OSError: It cannot be written; the text names it, and who calls knows what helps.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, yaml.safe_dump(_plain(calibration), sort_keys=False))
    except OSError as error:
        raise OSError(f'cannot write the calibration to {file}: {error.strerror}') from error


def _replace(file: Path, content: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f'.{file.name}.')
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(file.parent)
    _sweep(file)


def _sync(folder: Path) -> None:
    """Make sure that a new name survives a loss of power."""
    with contextlib.suppress(OSError):  # not all file systems can; what is written is written
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(file: Path) -> None:
    """Remove what killed processes left, but not what another one is writing now."""
    for left in file.parent.glob(f'.{glob.escape(file.name)}.*'):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - 60.0:
                left.unlink()


def load(file: Path) -> Calibration:
    """Read a calibration.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is not a calibration; the text names it.
    """
    try:
        stored = _known(Calibration, yaml.safe_load(file.read_text(encoding='utf-8')))
        stored['fit'] = _fit(stored['fit'])
        if stored['camera'] is not None:
            camera = _known(Camera, stored['camera'])
            stored['camera'] = Camera(**{**camera, 'distortion': tuple(camera['distortion'])})
        _check_time(stored['created'])
        if 'anchors' in stored:
            stored['anchors'] = Anchors.from_plain(stored['anchors'])
        return Calibration(**stored)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'there is no calibration {file}: depth-estimation calibrate makes one'
        ) from error
    except (
        yaml.YAMLError, RecursionError, KeyError, TypeError, ValueError, OverflowError
    ) as error:  # fmt: skip
        reason = ' '.join(str(error).split())  # YAML's own take several lines
        raise ValueError(
            f'{file} is not a calibration ({reason}): calibrate again, or remove it'
        ) from error


def _known(kind: type, stored: Any) -> dict[str, Any]:
    """What is stored of a value of this class."""
    found: dict[str, Any] = dict(stored)
    types = typing.get_type_hints(kind)
    unknown = found.keys() - types.keys()
    if unknown:
        raise ValueError(f'{", ".join(map(repr, sorted(unknown)))} is of a newer version')
    for name, value in found.items():
        may_be = (int, float) if types[name] is float else (types[name],)
        if types[name] in (bool, int, float, str) and type(value) not in may_be:
            raise ValueError(f'{name} is {value!r}, not a {types[name].__name__}')
    return found


def _check_time(created: int) -> None:
    if not 0 <= created < _END:
        raise ValueError(f'created is {created}, no time in nanoseconds that ROS messages tell')


def _fit(stored: Any) -> Fit:
    stored = _known(Fit, stored)
    # Older files lack it.
    stored.setdefault('noise', max(stored['rms_relative_error'], ASSUMED_RELATIVE_ERROR))
    kind, covariance = DepthKind(stored['kind']), tuple(stored['covariance'])
    return Fit(**{**stored, 'kind': kind, 'covariance': covariance})


def _plain(calibration: Calibration) -> dict[str, Any]:
    stored = dataclasses.asdict(dataclasses.replace(calibration, anchors=None))
    del stored['anchors']
    if calibration.anchors is not None:
        stored['anchors'] = calibration.anchors.plain()
    stored['fit']['kind'] = calibration.fit.kind.value
    stored['fit']['covariance'] = list(calibration.fit.covariance)
    if calibration.camera is not None:  # its numbers may be NumPy's, which YAML does not know
        for name in ('fx', 'fy', 'cx', 'cy'):
            stored['camera'][name] = float(stored['camera'][name])
        stored['camera']['distortion'] = [float(d) for d in calibration.camera.distortion]
    return stored
