# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Models on every runtime and at every preset, beside transformers' pipeline on the same weights.

From a uint8 frame to its depth at the frame's size, the road of a frame that both have. Each
contender runs in a process of its own and they take turns in one run. Where transformers has no
class for a network, plain PyTorch with the usual steps around it stands in for the pipeline.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.benchmarks import command
from depth_estimation_ros.benchmarks.machine import described, machine
from depth_estimation_ros.config import RUNTIMES
from depth_estimation_ros.table import table

if TYPE_CHECKING:
    from depth_estimation_ros.benchmarks.contender import Contender
    from depth_estimation_ros.benchmarks.subject import Subject

WANTED = {
    ('depth-anything-v2-small', 'full'): 1.1,
    ('depth-anything-v2-small', 'balanced'): 2.0,
    ('depth-anything-v2-small', 'fast'): 5.0,
    ('midas-v21-small', 'full'): 1.8,
}
"""How many times faster than its opponent a model is to be, at a preset."""
LOADED_AGAIN = 3.0  # seconds, from the start of the process, with warm caches
AGREES = 0.99  # correlation of the answers at the opponent's own size of the network's input
_OPENMP = {'passive': {'OMP_WAIT_POLICY': 'PASSIVE'}, 'default': {}}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark, also for the command line."""
    parser.add_argument(
        '--models', nargs='+', metavar='NAME', default=['bundled'], help='default: bundled'
    )
    parser.add_argument(
        '--presets', nargs='+', metavar='PRESET', help='default: all that the model takes'
    )
    parser.add_argument(
        '--runtimes',
        nargs='+',
        choices=RUNTIMES,
        metavar='RUNTIME',
        help=f'of {", ".join(RUNTIMES)}; default: those in fp32 that are installed',
    )
    parser.add_argument('--device', default='auto', help='auto, cpu, cuda or cuda:N, for all')
    parser.add_argument('--frame', type=command.size, default=(640, 480), help='default: 640x480')
    parser.add_argument(
        '--frames', type=int, default=20, help='of the slowest, quick ones run more; default: 20'
    )
    parser.add_argument(
        '--seconds', type=float, default=math.inf, help='begin no further round after these'
    )
    parser.add_argument('--threads', type=int, default=0, help='cores each may use; default: all')
    parser.add_argument(
        '--openmp',
        nargs='+',
        choices=_OPENMP,
        default=['passive'],
        help="how OpenMP's threads wait, for all: passive (default) leaves the cores to others, "
        'default is what PyTorch does by itself',
    )
    parser.add_argument(
        '--random-weights',
        action='store_true',
        help='for models whose weights are not on this machine: the time is the same',
    )
    parser.add_argument('--json', type=Path, help='file for the figures')
    parser.add_argument('--plot', type=Path, help='file for the picture, PNG')


def main(argv: list[str]) -> int:
    """What docs/benchmarks.md shows; 1 when what is wanted does not hold."""
    parser = argparse.ArgumentParser(prog='benchmark models', description=__doc__)
    add_options(parser)
    names = list(dict.fromkeys(name for name, _ in WANTED))
    parser.set_defaults(
        models=[*names, 'bundled'], openmp=list(_OPENMP), random_weights=True, device='cpu'
    )
    missed = list(_missed(run(parser.parse_args(argv))))
    for line in missed:
        print(f'MISSED: {line}')
    return int(bool(missed))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print tables and write the files that were asked for.

    Raises:
        ValueError: No such model, runtime, preset or device, or the weights are of another model.
        FileNotFoundError: No weights; the text says what to do. Or no folder for a file.
        ModuleNotFoundError: A plot is asked for, and there is no matplotlib.
    """
    for file in filter(None, (options.json, options.plot)):
        if not file.parent.is_dir():
            raise FileNotFoundError(f'there is no folder {file.parent} to write {file.name} to')
    if options.plot:
        from depth_estimation_ros.benchmarks.chart import draw
    result: dict[str, Any] = {
        'machine': machine(),
        'frame': 'x'.join(map(str, options.frame)),
        'comparisons': [],
    }
    print(described(result['machine']))
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.models:
            for comparison in _compare(name, options, Path(scratch)):
                _print(comparison)
                result['comparisons'].append(comparison)
    command.write(result, options.json)
    if options.plot:
        draw(result, options.plot)
    return result


def _compare(name: str, options: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    """The table of a model, for each way in which OpenMP's threads wait."""
    from depth_estimation_ros.benchmarks.comparison import compare, fill_caches
    from depth_estimation_ros.benchmarks.subject import subject

    chosen = subject(name, options.random_weights, scratch)
    contenders = _contenders(chosen, options)
    plain = {key: value for key, value in os.environ.items() if key != 'OMP_WAIT_POLICY'}
    plain['HF_HUB_OFFLINE'] = '1'
    if chosen.random:  # nobody will ask for what is made of them again
        plain['XDG_CACHE_HOME'] = str(scratch / 'cache')
    fill_caches(contenders, plain | _OPENMP['passive'], functools.partial(_say, name))
    for policy in options.openmp:
        say = functools.partial(_say, f'{name}, OpenMP {policy}')
        rounds = _shown(options.frames, say)
        yield {
            'model': name,
            'weights': 'random' if chosen.random else 'its own',
            'openmp': policy,
            'load': os.getloadavg()[0],
            'rows': compare(contenders, plain | _OPENMP[policy], rounds, options.seconds, say),
        }


def _contenders(chosen: Subject, options: argparse.Namespace) -> list[Contender]:
    from depth_estimation_ros.benchmarks.contender import Contender
    from depth_estimation_ros.preprocessing import PRESETS, Preprocessing

    width, height = options.frame
    rest: dict[str, Any] = {
        'device': options.device,
        'width': width,
        'height': height,
        'cores': options.threads,
    }
    opponent = (
        Contender('pipeline', chosen.folder, **rest)
        if chosen.folder
        else Contender('eager', chosen.model, chosen.weights, **rest)
    )
    runtimes = options.runtimes or _installed(options.device)
    takes = ['full'] if chosen.spec.fitting == 'stretch' else list(PRESETS)
    for preset in options.presets or takes:
        Preprocessing.plan(chosen.spec, width, height, preset)  # refused before the long work
    return [
        opponent,
        *(
            Contender('ours', chosen.model, chosen.weights, runtime, preset, **rest)
            for preset in options.presets or takes
            for runtime in runtimes
        ),
    ]


def _installed(device: str) -> list[str]:
    """PyTorch, and the runtimes in fp32 that can run on this device."""
    from depth_estimation_ros.runtimes import kinds
    from depth_estimation_ros.runtimes.torch_runtime import resolve_device

    found = ['torch']
    for runtime in kinds.FP32:
        with contextlib.suppress(ValueError):
            kinds.check(runtime, str(resolve_device(device)))
            found.append(runtime)
    return found


def _missed(result: dict[str, Any]) -> Iterator[str]:
    """What is wanted and does not hold, a line each; of the quickest runtime, as auto takes it."""
    for comparison in result['comparisons']:
        if comparison['openmp'] != 'passive':
            continue
        model, rows = comparison['model'], comparison['rows'][1:]
        for preset in dict.fromkeys(row['preset'] for row in rows):
            at_preset = [row for row in rows if row['preset'] == preset]
            best = max(at_preset, key=lambda row: row['times_faster'])
            title, wanted = f'{model}, {best["contender"]}', WANTED.get((model, preset), 0.0)
            if best['times_faster'] < wanted:
                yield f'{title}: {best["times_faster"]:.2f} times faster, wanted {wanted:g}'
            if best['load_s'] > LOADED_AGAIN:
                yield f'{title}: loads again in {best["load_s"]:.1f} s, wanted {LOADED_AGAIN:g}'
        for row in rows:
            if row['preset'] == 'full' and not row['correlation'] >= AGREES:
                yield f'{model}, {row["contender"]}: another answer, {row["correlation"]:.3f}'


def _print(comparison: dict[str, Any]) -> None:
    print(
        f'\n{comparison["model"]}, {comparison["weights"]} weights, OpenMP waits '
        f'{comparison["openmp"]}, load {comparison["load"]:.1f}\n'
    )
    networks = [row['network'] for row in comparison['rows']]
    titles = 'contender', 'network', 'p50 ms', 'p95 ms', 'frames/s', 'times faster', 'MB'
    rows = [
        (
            row['contender'],
            row['network'],
            f'{row["p50_ms"]:.{_digits(row["p50_ms"])}f}',
            f'{row["p95_ms"]:.{_digits(row["p95_ms"])}f}',
            f'{row["frames_per_s"]:.1f}',
            f'{row["times_faster"]:.2f}',
            f'{row["memory_mb"]:.0f}',
            f'{row["load_s"]:.1f}',
            # Of a smaller picture, random weights make another answer.
            f'{row["correlation"]:.3f}' if row['network'] == networks[0] else '–',
        )
        for row in comparison['rows']
    ]
    print(table((*titles, 'load s (again)', 'alike'), rows))


def _digits(milliseconds: float) -> int:
    return 0 if milliseconds >= 100.0 else 1


def _shown(rounds: int, say: Callable[[str], None]) -> Iterator[int]:
    """Count, and show on a terminal how far it is."""
    for index in range(rounds):
        say(f'round {index + 1} of {rounds}')
        yield index
    say('')


def _say(label: str, what: str) -> None:
    if sys.stderr.isatty():
        print(f'\r\033[K{label}: {what}' if what else '\r\033[K', end='', file=sys.stderr)
