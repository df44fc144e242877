# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of what the node makes of a frame."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from depth_estimation_ros import colorize
from depth_estimation_ros.demo.session import Answer, Reference
from depth_estimation_ros.demo.view import side_view

_BACKGROUND, _PANEL, _TEXT, _FAINT = '#14161b', '#1d2027', '#f2f2f2', '#9aa1ad'
_ACCENT, _SECOND = '#ffb454', '#5ccfe6'
_CAPTION = (
    'Colours of depth: near warm, far cold, black unknown.    Cloud: metres along the optical '
    'axis, the camera in blue.    Distances: one sigma as bars, ± 15 % as band.'
)
_WORST = 0.5  # relative error of the brightest colour


@dataclasses.dataclass(frozen=True)
class Shown:
    """What is drawn.

    Attributes:
        title, subtitle: Text.
        image, colours: [H, W, 3] uint8 RGB: the camera's, and the node's coloured depth.
        depth, truth: [H, W] metres, NaN unknown.
        truth_name: What the truth is.
        points: [H, W, 4] float32, the node's cloud.
        near, far: Depths of the warmest and coldest colour, metres.
        references: Pixels the node was calibrated with.
        answers: Distances it was asked for.
    """

    title: str
    subtitle: str
    image: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    depth: NDArray[np.float32]
    truth: NDArray[np.float32]
    truth_name: str
    points: NDArray[np.float32]
    near: float
    far: float
    references: list[Reference]
    answers: list[Answer]


def draw(shown: Shown, path: Path) -> None:
    """Write the picture as PNG, 1920 pixels wide."""
    figure = Figure(figsize=(19.2, 11.4), dpi=100, facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    figure.text(0.022, 0.955, shown.title, color=_TEXT, fontsize=25, weight='bold')
    figure.text(0.022, 0.924, shown.subtitle, color=_FAINT, fontsize=14.5)
    figure.text(0.022, 0.026, _CAPTION, color=_FAINT, fontsize=13)
    _camera(_axes(figure, 0, 0, 'camera image and calibration pixels'), shown)
    axes = _axes(figure, 0, 1, "the node's depth")
    axes.imshow(shown.colours)
    axes = _axes(figure, 0, 2, shown.truth_name)
    truth = colorize.colorize(shown.truth.astype(np.float32), shown.near, shown.far)
    axes.imshow(truth)
    _bar(figure, 0, _depth_colours(shown.near, shown.far), 'depth, m')
    axes = _axes(figure, 1, 0, "the node's point cloud, seen from the side")
    axes.imshow(side_view(shown.points, shown.far, (1136, 852)), interpolation='antialiased')
    _scatter(_axes(figure, 1, 1, f'distances asked for, against the {shown.truth_name}'), shown)
    mappable = ScalarMappable(Normalize(0, 100 * _WORST), 'magma')
    error = 100 * np.abs(shown.depth - shown.truth) / shown.truth
    axes = _axes(figure, 1, 2, 'relative error of depth')
    axes.imshow(np.where(np.isfinite(error), error, np.nan), cmap='magma', norm=mappable.norm)
    _bar(figure, 1, mappable, 'error, %')
    figure.savefig(path, facecolor=_BACKGROUND)


def _axes(figure: Figure, row: int, column: int, title: str) -> Any:
    """A panel of the 3 by 2, each of the camera's aspect."""
    left, top, width, height = 0.022, 0.872, 0.296, 0.374
    axes = figure.add_axes(
        (left + column * (width + 0.012), top - height - row * (height + 0.062), width, height)
    )
    axes.set_facecolor(_PANEL)
    axes.set_title(title, color=_TEXT, fontsize=15, loc='left', pad=8)
    axes.tick_params(colors=_FAINT, labelsize=12)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _bar(figure: Figure, row: int, mappable: ScalarMappable, label: str) -> None:
    box = figure.axes[-1].get_position()
    axes = figure.add_axes((box.x1 + 0.008, box.y0, 0.011, box.height))
    bar = figure.colorbar(mappable, cax=axes)
    bar.set_label(label, color=_TEXT, fontsize=13)
    bar.outline.set_visible(False)
    axes.tick_params(colors=_TEXT, labelsize=12)
    if row == 0:
        axes.invert_yaxis()  # near at the top, where the warm colours are


def _depth_colours(near: float, far: float) -> ScalarMappable:
    table = colorize.table('turbo')[:0:-1, 0] / 255.0  # warm first; black stands for unknown
    return ScalarMappable(Normalize(near, far), ListedColormap(table))


def _camera(axes: Any, shown: Shown) -> None:
    axes.imshow(shown.image)
    for one in shown.references:
        axes.plot(one.u, one.v, 'o', ms=13, mfc='none', mec='black', mew=4)
        axes.plot(one.u, one.v, 'o', ms=13, mfc='none', mec=_ACCENT, mew=2.2)
        axes.annotate(
            f'{one.depth:.2f} m',
            (one.u, one.v),
            (0, 14),
            textcoords='offset points',
            ha='center',
            color=_ACCENT,
            fontsize=13,
            weight='bold',
            bbox={'boxstyle': 'round,pad=0.25', 'fc': '#000000b0', 'ec': 'none'},
        )


def _scatter(axes: Any, shown: Shown) -> None:
    true = np.array([one.truth for one in shown.answers])
    said = np.array([one.distance for one in shown.answers])
    sigma = np.array([one.std_dev for one in shown.answers])
    end = 1.08 * float(np.nanmax([*true, *said]))
    line = np.array([0.0, end])
    axes.fill_between(line, 0.85 * line, 1.15 * line, color=_SECOND, alpha=0.16, lw=0)
    axes.plot(line, line, color=_SECOND, lw=1.6)
    axes.errorbar(
        true, said, np.nan_to_num(sigma), fmt='o', color=_ACCENT, ms=7, elinewidth=1.3, mec='black'
    )
    axes.set(xlim=(0, end), ylim=(0, end))
    axes.set_xticks(np.arange(0, end, 1.0))
    axes.set_yticks(np.arange(1, end, 1.0))
    axes.grid(color='#ffffff', alpha=0.09)
    axes.tick_params(direction='in', pad=-18, length=0)
    for x, y, text, colour in (
        (0.70, 0.07, 'true distance, m', _FAINT),
        (0.06, 0.94, 'answered, m', _FAINT),
        (0.70, 0.93, '± 15 %', _SECOND),
    ):
        axes.text(x, y, text, transform=axes.transAxes, color=colour, fontsize=13)
