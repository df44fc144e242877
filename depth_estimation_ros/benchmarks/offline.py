# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A recording through `depth-estimation bag`: memory, time beside the network, and the same depth.

Runs are processes of their own. Files lie in memory where the system has a place for that: what a
disk takes is not what is measured. Depth is compared with what the node publishes of the same
frames, fed one by one: the next when the depth of the last has arrived.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from depth_estimation_ros.benchmarks import command, recording
from depth_estimation_ros.table import table

GROWTH = 50.0  # MB of resident memory, over all frames; and of a long recording over a short one
SHARE = 0.15  # of the time that may pass while the network waits
OVERLAP = 0.9  # share of frames during which another one is read and another one is written
_LONG = 2e9  # bytes
_MODULE = 'depth_estimation_ros.benchmarks.offline'


@dataclasses.dataclass(frozen=True)
class Offline:
    """What a run was like; see `trace.Trace`.

    Attributes:
        frames: How many there were.
        frame_ms: For one, all in all.
        network_ms: Of that, in the calling thread: the road of a frame, with its network.
        alone_ms: The same without reading and writing.
        overlap: Share of the frames during which another was read and another one written.
        growth: Of resident memory from the first tenth of the frames on, MB.
        peak: Resident memory at most, MB.
    """

    frames: int
    frame_ms: float
    network_ms: float
    alone_ms: float
    overlap: float
    growth: float
    peak: float

    @property
    def share(self) -> float:
        """Share of the time in which the network waits for reading and writing."""
        return 1.0 - self.network_ms / self.frame_ms


def measure(source: Path, target: Path, *options: str) -> Offline:
    """A run in a process of its own.

    Raises:
        ChildProcessError: It failed; its error stands above.
    """
    call = [sys.executable, '-m', _MODULE, '--run', str(source), str(target), *options]
    answer = subprocess.run(call, stdout=subprocess.PIPE, check=False, text=True)
    if answer.returncode:
        raise ChildProcessError(f'{" ".join(call)} ended with code {answer.returncode}')
    return Offline(**json.loads(answer.stdout))


def same_as_node(source: Path, target: Path, runtime: str) -> dict[str, int]:
    """How many depth images of the tool and of the node are there, and how many are the same."""
    from depth_estimation_ros.benchmarks import live
    from depth_estimation_ros.benchmarks.trace import work
    from depth_estimation_ros.jobs.base import Item

    with contextlib.closing((made := work(runtime)).network.load()) as estimator:
        made.run(estimator, Item(source, target), lambda _: None)
    tool = live.depth_images(target)
    node = live.published(source, runtime)
    same = [stamp for stamp in tool if stamp in node and tool[stamp] == node[stamp]]
    return {'tool': len(tool), 'node': len(node), 'same': len(same)}


def main(argv: list[str]) -> int:
    """Measure and print a table; 1 when it is not as promised."""
    parser = command.parser('offline', __doc__)
    parser.add_argument('--frames', type=int, default=1000, help='default: %(default)s')
    parser.add_argument(
        '--compared',
        type=int,
        default=40,
        metavar='N',
        help='frames that the node gets, too (default: %(default)s)',
    )
    parser.add_argument(
        '--gigabytes',
        type=float,
        default=_LONG / 1e9,
        help='of the recording that must not need as much memory (default: %(default)s)',
    )
    parser.add_argument(
        '--folder', type=Path, default=_in_memory(), help='of the files (default: %(default)s)'
    )
    parser.add_argument('--run', nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument('--stride', type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.run:
        from depth_estimation_ros.benchmarks import trace

        source, target = options.run
        print(json.dumps(trace.traced(source, target, options.stride)))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = _figures(Path(folder), options)
    holds = _print(figures)
    command.write({**figures, 'holds': holds}, options.json)
    return int(not holds)


def _in_memory() -> Path:
    shared = Path('/dev/shm')  # noqa: S108 (a folder in it is made safely)
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


def _figures(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    seen = recording.views(640, 480)
    source = recording.record(folder / 'drive', seen, options.frames)
    run = measure(source, folder / 'out')
    for done in (folder / 'out', source):
        shutil.rmtree(done)
    source = recording.record(folder / 'few', seen, options.compared)
    size = sum(file.stat().st_size for file in source.iterdir())
    frames = round(options.gigabytes * 1e9 / size * options.compared)
    node = same_as_node(source, folder / 'compared', 'torch')
    stride = str(max(frames // options.compared, 1))
    short = measure(source, folder / 'short')
    long = recording.record(folder / 'long', seen, frames)
    size = sum(file.stat().st_size for file in long.iterdir())
    peak = measure(long, folder / 'out', '--stride', stride).peak
    return {
        'run': {**dataclasses.asdict(run), 'share': run.share},
        'long': {'megabytes': size / 1e6, 'peak': peak, 'peak_of_short': short.peak},
        'node': node,
        'load': os.getloadavg()[0],
    }


def _rows(figures: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What was measured, the figure, what is wanted, and whether that holds."""
    run, long, node = figures['run'], figures['long'], figures['node']
    more = long['peak'] - long['peak_of_short']
    return [
        (
            f'growth of memory over {run["frames"]} frames',
            f'{run["growth"]:.1f} MB',
            f'≤ {GROWTH:.0f} MB',
            run['growth'] <= GROWTH,
        ),
        (
            'time while the network waits',
            f'{run["share"]:.1%}',
            f'≤ {SHARE:.0%}',
            run['share'] <= SHARE,
        ),
        (
            'frames while another is read, another written',
            f'{run["overlap"]:.1%}',
            f'≥ {OVERLAP:.0%}',
            run['overlap'] >= OVERLAP,
        ),
        (
            f'more memory for {long["megabytes"]:.0f} MB',
            f'{more:.1f} MB',
            f'≤ {GROWTH:.0f} MB',
            more <= GROWTH,
        ),
        (
            f"depth images equal to the node's, of {node['tool']}",
            str(node['same']),
            'all',
            node['same'] == node['tool'] == node['node'] > 0,
        ),
    ]


def _print(figures: dict[str, Any]) -> bool:
    """A table; whether all is as promised."""
    run, long, rows = figures['run'], figures['long'], _rows(figures)
    print(f'depth-estimation bag, 640x480, bundled network; load {figures["load"]:.1f}\n')
    verdicts = [(*row[:3], 'holds' if row[3] else 'MISSED') for row in rows]
    print(table(('', 'measured', 'wanted', ''), verdicts))
    print(
        f'\na frame {run["frame_ms"]:.1f} ms: the network and its road {run["network_ms"]:.1f} ms '
        f'of it, {run["alone_ms"]:.1f} ms without reading and writing beside it; peak of memory '
        f'{run["peak"]:.0f} MB, of the long recording {long["peak"]:.0f} MB'
    )
    return all(row[3] for row in rows)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
