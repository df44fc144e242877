# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Flying points of the cloud, before and after `points.edges`, and what the mask costs.

Rendered rooms, whose true depth is told at the size of a network's answer, softened as networks
soften it, and enlarged to 640x480 as answers are. A point flies when it is farther than 5 cm and
3 % from every true surface within four pixels.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros import synthetic
from depth_estimation_ros.benchmarks import command, turns
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.config import Config
from depth_estimation_ros.frames import DepthKind
from depth_estimation_ros.models.catalog import spec
from depth_estimation_ros.pointcloud import cloud
from depth_estimation_ros.preprocessing import Preprocessing
from depth_estimation_ros.table import table

WANTED_REMOVED = {'672x512': 0.98, '256x192': 0.98, '128x96': 0.4}
"""Share of the flying points that go, by the network's input; the last is the preset fast."""
WANTED_LOST = 0.01  # share of the good points that go with them
BUDGET_MS = 0.3  # beside the cloud itself
_CAMERA = Camera.from_hfov(640, 480, 65.0)
_MODULE = 'depth_estimation_ros.benchmarks.edges'
_FIRST_ROOM = 700
_NEARBY = 4  # pixels
_SOFTENED = 3  # pixels of the answer
_ROUNDS = 200  # of the cloud without and with the mask

Image = NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class View:
    """A room seen by a camera: its picture, and depth [480, 640] in metres."""

    image: NDArray[np.uint8]
    true: Image
    said: Image


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when what is wanted does not hold."""
    parser = command.parser('edges', __doc__)
    parser.add_argument('--rooms', type=int, default=12, help='default: %(default)s')
    parser.add_argument('--picture', type=Path, help='PNG of a cloud from above, before and after')
    parser.add_argument('--role', choices=('cost',), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.role:
        print(json.dumps(cost()))
        return 0
    rows = [
        {'network': network, 'kind': kind.value} | shares(views(network, kind, options.rooms))
        for network in WANTED_REMOVED
        for kind in (DepthKind.METRIC, DepthKind.RELATIVE)
    ]
    with turns.process(_MODULE, _as_the_node(), '--role', 'cost') as process:
        figures = {'rows': rows, **turns.answer(process)}
    _print(figures)
    command.write(figures, options.json)
    if options.picture:
        _draw(next(views('256x192', DepthKind.METRIC, 1)), options.picture)
    return int(not _holds(figures))


def views(network: str, kind: DepthKind, rooms: int) -> Iterator[View]:
    """Rooms, and what a perfect but soft network of this input size makes of them.

    Args:
        network: Size of its input, and so of its answer.
        kind: Whether it answers depth, or inverse depth.
        rooms: How many.
    """
    width, height = map(int, network.split('x'))
    network_spec = dataclasses.replace(spec('bundled'), kind=kind)
    plan = Preprocessing(network_spec, _CAMERA.width, _CAMERA.height, width, height)
    for seed in range(_FIRST_ROOM, _FIRST_ROOM + rooms):
        room = synthetic.make_room(seed)
        pose = synthetic.random_pose(room, np.random.default_rng(seed))
        image, true = synthetic.render(room, _CAMERA, pose)
        _, exact = synthetic.render(room, _CAMERA.scaled(width, height), pose)
        relative = kind is DepthKind.RELATIVE
        answer = cv2.GaussianBlur(1.0 / exact if relative else exact, (_SOFTENED, _SOFTENED), 0)
        said = plan.restore(answer.astype(np.float32))
        yield View(image, true, 1.0 / said if relative else said)


def shares(seen: Iterable[View]) -> dict[str, float]:
    """Shares of all points that fly before and after, and of the good ones that go."""
    points = flying = left = lost = 0
    for view in seen:
        wrong, there = ~_near_a_surface(view.said, view.true), _points(view)
        points += wrong.size
        flying += int(wrong.sum())
        left += int((wrong & there).sum())
        lost += int((~wrong & ~there).sum())
    return {
        'flying_before': flying / points,
        'flying_after': left / points,
        'removed': 1.0 - left / flying,
        'lost': lost / (points - flying),
    }


def _as_the_node() -> dict[str, str]:
    """The environment that `depth-estimation node` gives itself: memory is kept, not returned."""
    from depth_estimation_ros.ros import transport

    return {**os.environ, **transport.missing(os.environ)}


def cost() -> dict[str, float]:
    """Median milliseconds of the cloud without and with the mask, in turns."""
    (view,) = views('256x192', DepthKind.METRIC, 1)
    rays, out = _CAMERA.rays(), np.empty((*view.said.shape, 4), np.float32)
    seconds: dict[float, list[float]] = {0.0: [], Config().points.edges: []}
    for _ in range(_ROUNDS):
        for edges, taken in seconds.items():
            start = time.perf_counter()
            cloud(view.said, rays, view.image, edges, out)
            taken.append(time.perf_counter() - start)
    without, masked = (float(np.median(taken)) * 1e3 for taken in seconds.values())
    return {'cloud_ms': without, 'masked_ms': masked}


def _points(view: View) -> NDArray[np.bool_]:
    masked = cloud(view.said, _CAMERA.rays(), view.image, Config().points.edges)
    there: NDArray[np.bool_] = np.isfinite(masked[..., 2])
    return there


def _near_a_surface(said: Image, true: Image) -> NDArray[np.bool_]:
    height, width = said.shape
    around = cv2.copyMakeBorder(true, *(_NEARBY,) * 4, cv2.BORDER_REPLICATE)
    near = np.zeros(said.shape, np.bool_)
    for y in range(2 * _NEARBY + 1):
        for x in range(2 * _NEARBY + 1):
            surface = around[y : y + height, x : x + width]
            near |= np.abs(said - surface) <= 0.05 + 0.03 * surface
    return near


def _holds(figures: dict[str, Any]) -> bool:
    return figures['masked_ms'] - figures['cloud_ms'] <= BUDGET_MS and all(
        row['removed'] >= WANTED_REMOVED[row['network']] and row['lost'] <= WANTED_LOST
        for row in figures['rows']
    )


def _print(figures: dict[str, Any]) -> None:
    titles = 'network input', 'answers', 'flying', 'with the mask', 'removed', 'good points lost'
    cells = [
        (
            row['network'].replace('x', '×'),
            row['kind'],
            *(f'{row[name]:.3%}' for name in ('flying_before', 'flying_after')),
            f'{row["removed"]:.1%} (wanted {WANTED_REMOVED[row["network"]]:.0%})',
            f'{row["lost"]:.2%} (at most {WANTED_LOST:.1%})',
        )
        for row in figures['rows']
    ]
    print(table(titles, cells, words=2))
    without, masked = figures['cloud_ms'], figures['masked_ms']
    print(
        f'\ncloud of 640×480: {without:.2f} ms, with the mask {masked:.2f} ms: '
        f'{masked - without:.2f} ms (at most {BUDGET_MS:g} ms)'
    )


def _draw(view: View, file: Path) -> None:
    """The points around the middle row from above, before and after; flying ones are red."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    band = slice(view.said.shape[0] // 2 - 40, view.said.shape[0] // 2 + 40)
    xyz = cloud(view.said, _CAMERA.rays(), view.image)[band, :, :3]
    wrong, there = ~_near_a_surface(view.said, view.true)[band], _points(view)[band]
    figure = Figure(figsize=(9.0, 4.2), dpi=90, layout='constrained')
    plots = figure.subplots(1, 2, sharex=True, sharey=True)
    for plot, title, kept in zip(
        plots, ('every pixel a point', 'points.edges'), (np.ones_like(there), there), strict=True
    ):
        for shown, colour in ((kept & ~wrong, '#1f5f8b'), (kept & wrong, '#d03020')):
            plot.scatter(xyz[shown, 0], xyz[shown, 2], s=0.4, c=colour, linewidths=0)
        plot.set_title(f'{title}: {int((kept & wrong).sum())} points fly', fontsize=10)
        plot.set_xlabel('x, m')
        plot.set_aspect('equal')
    plots[0].set_ylabel('z, m (from above)')
    FigureCanvasAgg(figure).print_png(file)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
