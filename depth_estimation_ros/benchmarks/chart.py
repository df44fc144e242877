# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of the comparison of models as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from depth_estimation_ros.benchmarks.machine import described

_COLOURS = {'full': '#1f5f8b', 'balanced': '#3a9d8f', 'fast': '#e0a030'}
_OPPONENT = '#8a8a8a'
_ROW, _MARGIN = 0.27, 0.95  # inches
_WIDTH = 11.0  # inches
_WAITING = {'passive': 'OMP_WAIT_POLICY=PASSIVE', 'default': "OpenMP's default policy"}


def draw(result: dict[str, Any], file: Path) -> None:
    """Write bars of the median time of a frame, a row of plots for each model.

    Args:
        result: As `models.run` returns it.
        file: PNG.
    """
    comparisons = result['comparisons']
    models = list(dict.fromkeys(one['model'] for one in comparisons))
    policies = list(dict.fromkeys(one['openmp'] for one in comparisons))
    bars = [
        max(len(one['rows']) for one in comparisons if one['model'] == model) for model in models
    ]
    heights = [count * _ROW + _MARGIN for count in bars]
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.9), dpi=110, layout='constrained')
    figure.suptitle(
        f'Milliseconds from a {result["frame"].replace("x", "×")} frame to its depth, median, '
        'and how many times faster than the grey one',
        fontsize=12,
        weight='bold',
    )
    plots = figure.subplots(len(models), len(policies), squeeze=False, height_ratios=heights)
    for comparison in comparisons:
        column = policies.index(comparison['openmp'])
        plot = plots[models.index(comparison['model'])][column]
        _bars(plot, comparison, labelled=column == 0)
    figure.supxlabel(described(result['machine']).replace('; ', '\n'), fontsize=8, color='#555555')
    FigureCanvasAgg(figure).print_png(file)


def _bars(plot: Axes, comparison: dict[str, Any], *, labelled: bool) -> None:
    rows = comparison['rows']
    times = [row['p50_ms'] for row in rows]
    colours = [_COLOURS[row['preset']] if row['runtime'] else _OPPONENT for row in rows]
    names = [f'{row["contender"]} ({row["network"].replace("x", "×")})' for row in rows]
    bars = plot.barh(names if labelled else range(len(rows)), times, color=colours, height=0.72)
    plot.bar_label(
        bars,
        [
            f'{row["p50_ms"]:.{0 if row["p50_ms"] >= 100 else 1}f} ms'
            + (f'  ({_ratio(row["times_faster"])}×)' if row['runtime'] else '')
            for row in rows
        ],
        padding=4,
        fontsize=8.5,
    )
    plot.invert_yaxis()
    plot.set_xlim(0, max(times) * 1.28)
    plot.tick_params(axis='y', length=0, labelleft=labelled, labelsize=9)
    plot.spines[['top', 'right']].set_visible(False)
    weights = ' (random weights)' if comparison['weights'] == 'random' else ''
    title = f'{comparison["model"]}{weights}\n{_WAITING[comparison["openmp"]]}'
    plot.set_title(title, loc='left', fontsize=9.5, weight='bold')


def _ratio(value: float) -> str:
    return f'{value:.{2 if value < 10 else 0}f}'
