# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as a picture: frames with their errors, and where the estimates lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator

from depth_estimation_ros import colorize
from depth_estimation_ros.evaluation.tally import DEPTHS, ERRORS, Example, Tally

_WIDTH, _PLOTS, _HEAD, _CAPTION = 13.0, 4.6, 1.3, 0.29  # inches
_LEFT, _RIGHT = 0.03, 0.855  # of the width: where the frames are
_UNKNOWN = '#cfcfcf'
_WORST = 0.5  # relative error of the strongest colour
_FAINT = '#555555'
_COLOUR = '#1f5f8b'
_TICKS = [step * 10.0**power for power in range(-2, 3) for step in (1, 2, 3, 5, 7)]  # metres


def draw(rows: Sequence[dict[str, Any]], tallies: Sequence[Tally], file: Path) -> None:
    """Write a section for each network.

    Args:
        rows: What `scores.row` says of each.
        tallies: The scores of each.
        file: PNG.
    """
    heights = [_HEAD + _pictures(tally) + _PLOTS for tally in tallies]
    figure = Figure(figsize=(_WIDTH, sum(heights)), dpi=100)
    sections = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for section, row, tally, height in zip(sections, rows, tallies, heights, strict=True):
        _section(section, row, tally, height)
    FigureCanvasAgg(figure).print_png(file)


def _pictures(tally: Tally) -> float:
    """Inches that the frames take, of the aspect of the highest."""
    shapes = [example.truth.shape for example in tally.examples]
    aspect: float = max(height / width for height, width in shapes)
    return len(shapes) * ((_RIGHT - _LEFT) * _WIDTH / 4 * aspect + _CAPTION)


def _section(section: SubFigure, row: dict[str, Any], tally: Tally, height: float) -> None:
    title = f'{row["model"]} on {row["data"]}'
    section.text(_LEFT, 1 - 0.4 / height, title, fontsize=16, weight='bold')
    section.text(_LEFT, 1 - 0.95 / height, _subtitle(row), fontsize=10.5, color=_FAINT)
    near, far = _span(tally.examples)
    rows = {'top': 1 - _HEAD / height, 'bottom': _PLOTS / height}
    grid = section.add_gridspec(
        len(tally.examples), 4, left=_LEFT, right=_RIGHT, wspace=0.03, hspace=0.14, **rows
    )
    for index, example in enumerate(tally.examples):
        panels = [section.add_subplot(grid[index, column]) for column in range(4)]
        _frame(panels, example, near, far, first=index == 0)
    bars = section.add_gridspec(1, 2, left=0.87, right=0.945, wspace=5.0, **rows)
    _bars(section, [section.add_subplot(bars[0]), section.add_subplot(bars[1])], near, far)
    plots = section.add_gridspec(
        1, 2, left=0.06, right=0.97, top=(_PLOTS - 0.6) / height, bottom=0.65 / height, wspace=0.15
    )
    _joint(section, section.add_subplot(plots[0]), tally)
    _errors(section.add_subplot(plots[1]), tally)


def _subtitle(row: dict[str, Any]) -> str:
    cap = 'none' if row['cap_m'] is None else f'{row["cap_m"]:g} m'
    flicker = '' if row['flicker'] is None else f', flicker {row["flicker"]:.4f}'
    return (
        f'{row["layout"]}, {row["split"]}; crop {row["crop"]}, cap {cap}, alignment '
        f'{row["align"]}; {row["frames"]} frames, {row["pixels"]} pixels\n'
        f'AbsRel {row["AbsRel"]:.4f}, RMSE {row["RMSE"]:.3f} m, SILog {row["SILog"]:.2f}, '
        f'δ1 {row["delta1"]:.3f}, coverage {row["coverage"]:.3f}{flicker}'
    )


def _span(examples: Sequence[Example]) -> tuple[float, float]:
    """Metres of the first and last colour, the same for all frames."""
    known = np.concatenate([one.truth[np.isfinite(one.truth)] for one in examples])
    near, far = np.percentile(known, (1, 99)).tolist()
    return near, max(far, near + 0.1)


def _frame(panels: Sequence[Axes], example: Example, near: float, far: float, first: bool) -> None:
    error = (example.depth - example.truth) / example.truth
    warm_is_near = _near_warm()
    panels[0].imshow(example.image)
    for panel, depth in zip(panels[1:3], (example.truth, example.depth), strict=True):
        panel.imshow(depth, cmap=warm_is_near, norm=Normalize(near, far), interpolation='nearest')
    panels[3].imshow(error, cmap='RdBu', norm=_error_norm(), interpolation='nearest')
    for panel in panels:
        panel.set(xticks=[], yticks=[], facecolor=_UNKNOWN)
    panels[0].set_xlabel(example.name, fontsize=9, labelpad=2)
    panels[3].set_xlabel(f'AbsRel {example.abs_rel:.3f}', fontsize=9, labelpad=2)
    titles = ('picture', 'truth', 'estimate', 'relative error (Z − t) / t')
    for panel, title in zip(panels, titles if first else (), strict=False):
        panel.set_title(title, fontsize=11, loc='left')


def _bars(section: SubFigure, boxes: Sequence[Axes], near: float, far: float) -> None:
    depth = ScalarMappable(Normalize(near, far), _near_warm())
    section.colorbar(depth, cax=boxes[0], extend='both').set_label(
        'depth, m; grey: unknown or not scored'
    )
    boxes[0].invert_yaxis()  # near at the top, where the warm colours are
    error = ScalarMappable(_error_norm(percent=True), 'RdBu')
    bar = section.colorbar(error, cax=boxes[1], extend='both')
    bar.set_label('relative error, %; red: too near, blue: too far')


def _near_warm() -> ListedColormap:
    """The colours of depth, as the node has them."""
    return ListedColormap(colorize.table('turbo')[:0:-1, 0] / 255.0)


def _error_norm(percent: bool = False) -> Normalize:
    worst = 100 * _WORST if percent else _WORST
    return Normalize(-worst, worst)


def _joint(section: SubFigure, axes: Axes, tally: Tally) -> None:
    """How many pixels have which truth and which estimate."""
    counts = np.where(tally.joint > 0, tally.joint, np.nan)
    mesh = axes.pcolormesh(
        DEPTHS, DEPTHS, counts.T, cmap='viridis', norm=LogNorm(1, max(10, np.nanmax(counts)))
    )
    section.colorbar(mesh, ax=axes, label='pixels', pad=0.02)
    used = np.flatnonzero(tally.joint.sum(0) + tally.joint.sum(1))
    low, high = DEPTHS[max(used[0] - 3, 0)], DEPTHS[min(used[-1] + 4, len(DEPTHS) - 1)]
    line = np.array([low, high])
    axes.plot(line, line, color='black', lw=1.2, label='estimate = truth')
    for factor, label in ((1.25, 'off by a factor of 1.25 (δ1)'), (1 / 1.25, None)):
        axes.plot(line, factor * line, color='black', lw=0.9, ls='--', label=label)
    axes.set(xscale='log', yscale='log', xlim=(low, high), ylim=(low, high))
    axes.set(xlabel='truth, m', ylabel='estimate, m')
    ticks = [metres for metres in _TICKS if low <= metres <= high]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter('{x:g}')
        axis.set_minor_formatter('')
    axes.tick_params(labelsize=8)
    axes.set_title('estimate against truth, all scored pixels', fontsize=11, loc='left')
    axes.legend(fontsize=8, loc='upper left')


def _errors(axes: Axes, tally: Tally) -> None:
    """The share of pixels by relative error."""
    shares = 100 * tally.errors / max(tally.errors.sum(), 1)
    axes.stairs(shares, 100 * ERRORS, fill=True, color=_COLOUR)
    axes.axvline(0, color='black', lw=1)
    axes.set(
        xlabel='relative error (Z − t) / t, %; the last bin holds all beyond', xlim=(-100, 100)
    )
    axes.set(ylabel='share of scored pixels, %')
    axes.tick_params(labelsize=8)
    axes.spines[['top', 'right']].set_visible(False)
    axes.set_title('relative error, all scored pixels', fontsize=11, loc='left')
