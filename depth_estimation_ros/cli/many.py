# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Subcommands that take one recording or many: which ones, where they go, what came of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from depth_estimation_ros.cli import depth_options, summary
from depth_estimation_ros.jobs.base import Item, Network, Outcome, Progress, Work

if TYPE_CHECKING:
    from tqdm import tqdm

_PATTERN = frozenset('*?[')


def add(parser: argparse.ArgumentParser, what: str) -> None:
    """IN… OUT, and how the work is spread; `what` they are, in the plural."""
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='IN',
        help=f'{what}, folders of them, patterns such as "drives/*", or @LIST, a file that names '
        'one in each line',
    )
    parser.add_argument(
        'output',
        type=Path,
        metavar='OUT',
        help='what is written; a folder where IN is more than one, a folder of them or a pattern',
    )
    parser.add_argument('--json', action='store_true', help='print JSON')
    group = parser.add_argument_group('many machines')
    group.add_argument(
        '--engine',
        choices=('local', 'ray'),
        default='local',
        help='local: one after the other in this process (default); ray: several at once, on this '
        'machine or a cluster',
    )
    group.add_argument(
        '--address',
        default='',
        metavar='IP:PORT',
        help='of the Ray cluster that this machine belongs to, or auto (default: one of this '
        'machine alone, for as long as it is needed)',
    )
    group.add_argument(
        '--workers',
        type=_count,
        default=0,
        metavar='N',
        help='for ray (default: one for each GPU, or for each machine where there is none)',
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'a number of workers is 1 or more, not {text!r}')
    return int(text)


def network(options: argparse.Namespace) -> Network:
    """The network of the flags of `depth_options.add_network`, whatever folder it is loaded in."""
    from depth_estimation_ros.models.catalog import CATALOG

    model = depth_options.model(options)
    if model not in CATALOG and Path(model).expanduser().exists():
        model = _absolute(model)
    weights = options.weights and _absolute(options.weights)
    return Network(model, weights, options.device, options.runtime, options.preset)


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def items(
    options: argparse.Namespace,
    what: str,
    is_one: Callable[[Path], bool],
    name: Callable[[Path], str] = lambda source: source.name,
) -> list[Item]:
    """The recordings that are meant, and where what is made of each goes.

    Args:
        options: With `inputs` and `output`.
        what: They are, in the plural, for people.
        is_one: Whether a path is a recording; not asked of files that are named.
        name: How what is made of a recording is called in a folder.

    Raises:
        FileNotFoundError: There is none for an input.
        ValueError: Two would become the same file, or one would replace a recording.
    """
    found = [_found(text, what, is_one) for text in _named(options.inputs)]
    sources = list(dict.fromkeys(source for sources in found for source in sources))
    output = options.output.absolute()
    if len(options.inputs) == 1 and sources == [Path(_absolute(options.inputs[0]))]:
        made = [Item(sources[0], output)]
    else:
        made = [Item(source, output / name(source)) for source in sources]
    _check(made)
    return made


def _named(inputs: Sequence[str]) -> Iterator[str]:
    for text in inputs:
        if not text.startswith('@'):
            yield text
            continue
        lines = Path(text[1:]).read_text('utf-8').splitlines()
        yield from filter(None, map(str.strip, lines))


def _found(text: str, what: str, is_one: Callable[[Path], bool]) -> list[Path]:
    """The recordings of an input, absolute: itself, or those that it holds or matches."""
    path = Path(_absolute(text))
    if path.is_file() or is_one(path):
        return [path]
    if path.is_dir():
        within = path.iterdir()
    elif _PATTERN & set(text):
        within = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    else:
        raise FileNotFoundError(f'{text}: there is no such file or folder')
    found = sorted(filter(is_one, within))
    if not found:
        raise FileNotFoundError(f'{text}: there are no {what}')
    return found


def _check(items: Sequence[Item]) -> None:
    sources = {item.source.resolve(): item.source for item in items}
    targets: dict[Path, Item] = {}
    for item in items:
        target = item.target.resolve()
        other = targets.setdefault(target, item)
        if other is not item:
            raise ValueError(
                f'{other.source} and {item.source} would both become {item.target}: give them in '
                'two runs, with an OUT each'
            )
        for place in (target, *target.parents):
            if place in sources:
                raise ValueError(
                    f'{item.target} would replace {sources[place]}, or be written into it: give '
                    'another OUT'
                )


def run(options: argparse.Namespace, work: Work, items: Sequence[Item]) -> int:
    """Do the work with each, show how far it is, tell what came of it; 1 when one failed.

    Raises:
        ValueError, OSError: Nothing can be done with any of them.
    """
    if options.engine == 'local' and (options.address or options.workers):
        raise ValueError('--address and --workers belong to --engine ray: give it, too')
    if len(items) > 1:
        items[0].target.parent.mkdir(parents=True, exist_ok=True)
    outcomes: dict[Item, Outcome] = {}
    with (
        contextlib.redirect_stdout(sys.stderr),  # libraries print, too: stdout is for the answer
        contextlib.closing(_Bars(len(items))) as bars,
        contextlib.closing(_outcomes(options, work, items, bars)) as found,
    ):
        for outcome in found:
            outcomes[outcome.item] = outcome
            bars.finish(outcome.item)
            if outcome.error:
                named = str(outcome.item.source) in outcome.error
                bars.say(outcome.error if named else f'{outcome.item.source}: {outcome.error}')
            for loss in outcome.summary.get('loss', ()):  # of what is done all the same
                bars.say(f'{outcome.item.source}: not all could be read: {loss}')
    done = [outcomes[item] for item in items]
    if options.json:
        print(json.dumps(list(map(summary.row, done)), indent=2))
    elif told := summary.text(done):
        print(told)
    return int(any(outcome.error for outcome in done))


def _outcomes(
    options: argparse.Namespace, work: Work, items: Sequence[Item], bars: _Bars
) -> Generator[Outcome, None, None]:
    if options.engine == 'ray':
        from depth_estimation_ros.jobs.ray_engine import run_on_ray

        return run_on_ray(work, items, bars.show, bars.say, options.address, options.workers)
    from depth_estimation_ros.jobs.local import run_here

    return run_here(work, items, bars.show, bars.say)


class _Bars:
    """A progress bar for each item under way and one for all; on a terminal, none in a pipe."""

    def __init__(self, items: int) -> None:
        from tqdm import tqdm

        self._items: dict[Item, tqdm[NoReturn]] = {}
        self._all: tqdm[NoReturn] | None = None
        if items > 1:
            self._all = tqdm(desc='all', total=items, unit='item', disable=None)

    def show(self, item: Item, progress: Progress) -> None:
        """How far an item is."""
        from tqdm import tqdm

        if item not in self._items:
            self._items[item] = tqdm(
                desc=item.source.name,
                total=progress.total,
                unit='frame',
                leave=self._all is None,
                disable=None,
            )
        bar = self._items[item]
        bar.total = progress.total
        bar.update(progress.done - bar.n)

    def finish(self, item: Item) -> None:
        """An item is done with."""
        if item in self._items:
            self._items.pop(item).close()
        if self._all is not None:
            self._all.update()

    def say(self, text: str) -> None:
        """A line for people, above the bars."""
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            depth_options.say(text)

    def close(self) -> None:
        """Whatever is under way: it has ended."""
        for bar in (*self._items.values(), self._all):
            if bar is not None:
                bar.close()
