# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations on the disk: one YAML file per camera, model and preset."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from depth_estimation_ros.calibration import ASSUMED_RELATIVE_ERROR, Calibration, Fit
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind


def path(directory: str, camera_name: str, model: str, preset: str = 'full') -> Path:
    """Where the calibration of this camera, model and preset is kept.

    Args:
        directory: Folder; empty: depth_estimation under $XDG_STATE_HOME, or ~/.local/state.
        camera_name: Name of the camera in the node; empty for a single one.
        model: Name of the network.
        preset: Size of its input.
    """
    state = Path(os.environ.get('XDG_STATE_HOME') or Path.home() / '.local/state')
    folder = Path(directory).expanduser() if directory else state / 'depth_estimation'
    camera = camera_name.replace('/', '.') or 'camera'  # no other name of a camera has a dot
    at = '' if preset == 'full' else f'--{preset}'
    plain = re.sub(r'[^\w.-]+', '_', f'{camera}--{model}{at}')
    return folder / f'{plain}.yaml'


def save(calibration: Calibration, file: Path) -> None:
    """Write the file, all of it or nothing: a temporary file is renamed over the old one.

    Raises:
        OSError: It cannot be written; the text names it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, yaml.safe_dump(_plain(calibration), sort_keys=False))
    except OSError as error:
        raise OSError(
            f'cannot write the calibration to {file}: {error.strerror}; '
            'set calibration.directory to a folder that can be written'
        ) from error


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


def load(file: Path) -> Calibration:
    """Read a calibration.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is not a calibration; the text names it.
    """
    try:
        stored = yaml.safe_load(file.read_text(encoding='utf-8'))
        fit = dict(stored['fit'])
        fit['kind'] = DepthKind(fit['kind'])
        fit['covariance'] = tuple(fit['covariance'])
        # Files of before it was stored lack it.
        fit.setdefault('noise', max(fit['rms_relative_error'], ASSUMED_RELATIVE_ERROR))
        camera = stored['camera']
        if camera is not None:
            camera = Camera(**{**camera, 'distortion': tuple(camera['distortion'])})
        preset = str(stored.get('preset', 'full'))  # files of before there were any lack it
        weights = str(stored.get('weights', ''))
        created = int(stored['created'])
        return Calibration(Fit(**fit), stored['model'], camera, created, preset, weights)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())  # YAML's own take several lines
        raise ValueError(
            f'{file} is not a calibration ({reason}): calibrate again, or remove it'
        ) from error


def _plain(calibration: Calibration) -> dict[str, Any]:
    stored = dataclasses.asdict(calibration)
    stored['fit']['kind'] = calibration.fit.kind.value
    stored['fit']['covariance'] = list(calibration.fit.covariance)
    if calibration.camera is not None:  # its numbers may be NumPy's, which YAML does not know
        for name in ('fx', 'fy', 'cx', 'cy'):
            stored['camera'][name] = float(stored['camera'][name])
        stored['camera']['distortion'] = [float(d) for d in calibration.camera.distortion]
    return stored
