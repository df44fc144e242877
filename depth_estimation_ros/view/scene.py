# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a depth map: pictures, a camera, points and words, on a time line."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from numpy.typing import NDArray

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind, DepthMap
from depth_estimation_ros.outputs import jpeg
from depth_estimation_ros.painter import Painter
from depth_estimation_ros.pointcloud import cloud

_POINTS = 100_000  # of a cloud are shown at most: all would be no clearer, at 5 MB a frame
_SIZE = 1.5  # of a point, on the screen
_YEAR = 365 * 86400 * 10**9  # ns; clocks that tell less do not count from 1970
_BEHIND, _AHEAD = (0.0, -0.4, -1.5), (0.0, 0.0, 2.5)  # m, the view of a cloud: from where, to


class Scene:
    """The cameras of one recording of rerun.

    Below the name of each camera: `optical`, a pinhole with `image` and `depth`, of which rerun
    makes points as if the lens had no distortion; `points`, with distortion undone and without
    those that fly; `colorized`, `inverse_depth` and `calibration`.

    Args:
        recording: Takes them.
    """

    def __init__(self, recording: rr.RecordingStream) -> None:
        self._recording = recording
        self._painters: dict[str, Painter] = {}
        self._said: dict[str, str] = {}
        recording.set_log_time_enabled(False)
        recording.set_log_tick_enabled(False)

    def log(self, name: str, depth_map: DepthMap, config: Config) -> None:
        """Show a depth map; what it lacks is taken away.

        Args:
            name: Of the camera; a new one gets its place in the layout.
            depth_map: In main memory.
            config: Says how colours and points are made.
        """
        if name not in self._painters:
            self._painters[name] = Painter(config.colorize)
            self._recording.log(name, rr.ViewCoordinates.RDF, static=True)
            self._recording.send_blueprint(_layout(list(self._painters)))
        self._tell_time(depth_map.frame.stamp)
        for path, shown in self._parts(name, depth_map, config).items():
            nothing = rr.Clear(recursive=False)
            self._recording.log(f'{name}/{path}', nothing if shown is None else shown)
        if self._said.get(name) != (said := in_words(depth_map)):
            self._said[name] = said
            self._recording.log(f'{name}/calibration', rr.TextDocument(said))

    def settle_anew(self) -> None:
        """Let the colours of what has no unit settle again: it is of another model."""
        for name, painter in self._painters.items():
            self._painters[name] = Painter(painter.options)

    def _tell_time(self, stamp: int) -> None:
        self._recording.reset_time()
        if stamp < _YEAR:
            self._recording.set_time('time', duration=np.timedelta64(stamp, 'ns'))
        else:
            self._recording.set_time('stamp', timestamp=np.datetime64(stamp, 'ns'))

    def _parts(self, name: str, depth_map: DepthMap, config: Config) -> dict[str, Any]:
        """What is at the paths below a camera; None: nothing."""
        frame, options, depth = depth_map.frame, config.colorize, depth_map.depth
        painter = self._painters[name]
        painter.options = options
        parts: dict[str, Any] = {
            'optical': None if frame.camera is None else _pinhole(frame.camera),
            'optical/image': _picture(frame.image, options.jpeg_quality),
            'optical/depth': None,
            'points': None,
            'colorized': _picture(painter.paint(depth_map), options.jpeg_quality),
            'inverse_depth': None,
        }
        if depth is None:
            parts['inverse_depth'] = rr.Tensor(np.asarray(depth_map.prediction.values))
            return parts
        metres = np.asarray(depth)
        ends = options.min, options.max
        parts['optical/depth'] = rr.DepthImage(_finite(metres), meter=1.0, depth_range=ends)
        if frame.camera is not None:
            rays, edges = frame.camera.rays(), config.points.edges
            parts['points'] = _points(cloud(metres, rays, frame.image, edges), frame.image)
        return parts


def in_words(depth_map: DepthMap) -> str:
    """What the numbers are."""
    calibration = depth_map.calibration
    if calibration is not None:
        made = time.strftime('%Y-%m-%d %H:%M', time.localtime(calibration.created / 1e9))
        lines = [f'metres: {calibration.model}, calibrated {made}', *calibration.fit.told]
        if depth_map.drift:
            lines.append(f'its scale has held to {depth_map.drift:.1%} since')
    elif depth_map.kind is DepthKind.METRIC:
        lines = ['metres as the network says them, not calibrated for this camera']
    else:
        lines = ['no metres, so no cloud: inverse depth without unit, until it is calibrated']
    camera = depth_map.frame.camera
    if camera is None:
        lines.append('no cloud: the camera is unknown')
    elif camera.approximate:
        lines.append('the focal length is a guess, and so is the shape of the cloud')
    return '\n'.join(lines)


def _pinhole(camera: Camera) -> rr.Pinhole:
    return rr.Pinhole(
        image_from_camera=camera.matrix,
        resolution=(camera.width, camera.height),
        camera_xyz=rr.ViewCoordinates.RDF,
    )


def _picture(image: NDArray[np.uint8], quality: int) -> rr.EncodedImage:
    return rr.EncodedImage(contents=jpeg(image, quality).tobytes(), media_type='image/jpeg')


def _finite(metres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the infinities, between which rerun would place points."""
    return np.where(np.isfinite(metres), metres, np.float32(np.nan))


def _points(points: NDArray[np.float32], image: NDArray[np.uint8]) -> rr.Points3D:
    """Known points, thinned to every so many rows and columns."""
    step = math.ceil(math.sqrt(points.shape[0] * points.shape[1] / _POINTS))
    points, colours = points[::step, ::step, :3], image[::step, ::step]
    known = np.isfinite(points[..., 2])
    return rr.Points3D(points[known], colors=colours[known], radii=rr.Radius.ui_points(_SIZE))


def _layout(names: list[str]) -> rrb.Blueprint:
    views = [_camera_layout(name) for name in names]
    return rrb.Blueprint(rrb.Tabs(*views) if len(views) > 1 else views[0], collapse_panels=True)


def _camera_layout(name: str) -> rrb.Container:
    eye = rrb.EyeControls3D(position=_BEHIND, look_target=_AHEAD, eye_up=(0.0, -1.0, 0.0))
    points, optical = f'/{name}/points', f'/{name}/optical'
    pictures = rrb.Vertical(
        rrb.Spatial2DView(origin=optical, contents=f'{optical}/image', name='image'),
        rrb.Tabs(
            rrb.Spatial2DView(origin=f'/{name}/colorized', name='colours'),
            rrb.Spatial2DView(origin=optical, contents=f'{optical}/depth', name='depth'),
            rrb.TensorView(origin=f'/{name}/inverse_depth', name='inverse depth'),
        ),
    )
    clouds = rrb.Tabs(
        rrb.Spatial3DView(
            origin=f'/{name}', contents=[points, optical], name='cloud', eye_controls=eye
        ),
        rrb.Spatial3DView(
            origin=f'/{name}',
            contents=[optical, f'{optical}/depth'],
            name='cloud as if without distortion',
            eye_controls=eye,
        ),
    )
    words = rrb.TextDocumentView(origin=f'/{name}/calibration', name='calibration')
    return rrb.Horizontal(
        pictures,
        rrb.Vertical(clouds, words, row_shares=[4, 1]),
        column_shares=[2, 3],
        name=name,
    )
