# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Which calibration a camera has for a network, when none is in force yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depth_estimation_ros import calibration_file, sections
from depth_estimation_ros.calibration import Calibration
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.models import store
from depth_estimation_ros.models.model_spec import ModelSpec

Identity = tuple[ModelSpec, str]  # what a calibration belongs to: a model, and its preset


class Calibrations:
    """The calibrations of one camera that are not in force: saved, or of networks before.

    A calibration belongs to a model and to the preset of its input. Not for two threads at once.

    Args:
        name: Name of the camera; empty for a single one.
        options: Where they are saved.
        on_fault: Takes a message about a saved one that is not used.
    """

    def __init__(
        self, name: str, options: sections.CalibrationFile, on_fault: Callable[[str], None]
    ) -> None:
        self._name, self._options, self._on_fault = name, options, on_fault
        self._before: dict[Identity, Calibration | None] = {}
        self._unchecked: Calibration | None = None  # loaded, and waits for the intrinsics
        self._sought = not options.load

    def file(self, estimator: DepthEstimator) -> Path:
        """Where the calibration for this network is saved."""
        spec, preset = estimator.spec, estimator.preset
        origin = str(Path(spec.folder, spec.file)) if spec.folder else ''
        return calibration_file.path(
            self._options.directory, self._name, spec.name, preset, origin
        )

    def settle(self) -> None:
        """Look for a saved one no more: which one is in force has been decided."""
        self._sought, self._unchecked = True, None

    def exchange(
        self, old: Identity, in_force: Calibration | None, new: Identity
    ) -> Calibration | None:
        """What was in force for the new identity when it was last used; kept is what is now."""
        if self._sought and self._unchecked is None:
            self._before[old] = in_force
        self._unchecked = None
        self._sought = new in self._before or not self._options.load
        return self._before.get(new)

    def find(self, estimator: DepthEstimator, camera: Camera | None) -> Calibration | None:
        """The saved one, once, as soon as the intrinsics tell that it belongs to this camera."""
        if not self._sought:
            self._sought = True
            self._unchecked = self._load(self.file(estimator))
        loaded = self._unchecked
        if loaded is None or (camera is None and loaded.camera is not None):
            return None  # metres of another camera would be none
        self._unchecked = None
        try:
            weights = store.weights_of(estimator.spec)
            loaded.check(estimator.spec.name, camera, estimator.preset, weights)
        except (ValueError, OSError) as error:
            self._on_fault(f'the saved calibration is not used: {error}')
            return None
        return loaded

    def _load(self, file: Path) -> Calibration | None:
        try:
            return calibration_file.load(file)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            self._on_fault(f'the saved calibration is not used: {error}')
            return None


def identity(estimator: DepthEstimator) -> Identity:
    """What a calibration of this network belongs to: a model, with its weights, and a preset."""
    return estimator.spec, estimator.preset


def unfit(calibration: Calibration | None, camera: Camera | None) -> str:
    """Why a calibration that is in force is not applied to images of this camera; empty: it is."""
    if calibration is None or calibration.is_of(camera):
        return ''
    return (
        f'the calibration in force is not applied, camera_info is of another lens: {camera}, '
        f'calibrated was {calibration.camera}; calibrate again'
    )
