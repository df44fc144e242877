# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation models`: which networks there are, and their weights on this machine."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

    from depth_estimation_ros.models.catalog import ModelSpec


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands and their options."""
    models = commands.add_parser('models', help='list networks; fetch, check, remove weights')
    actions = models.add_subparsers(required=True, metavar='ACTION')

    listing = actions.add_parser('list', help='the networks that can be chosen by name')
    listing.add_argument('--json', action='store_true', help='print JSON')
    listing.set_defaults(run=_list)

    info = actions.add_parser('info', help='everything to know of a network')
    info.add_argument('name', type=_name, metavar='NAME')
    info.add_argument('--json', action='store_true', help='print JSON')
    info.set_defaults(run=_info)

    download = actions.add_parser('download', help='fetch weights; goes on where it was cut')
    download.add_argument('names', type=_name, nargs='+', metavar='NAME')
    download.add_argument(
        '--offline', action='store_true', help='open no connection; fail if anything is missing'
    )
    download.set_defaults(run=_download)

    verify = actions.add_parser('verify', help='hold weights against their published checksums')
    verify.add_argument(
        'names', type=_name, nargs='*', metavar='NAME', help='default: all that are here'
    )
    verify.set_defaults(run=_verify)

    remove = actions.add_parser('remove', help='delete weights from this machine')
    remove.add_argument('names', type=_name, nargs='+', metavar='NAME')
    remove.set_defaults(run=_remove)


def _name(text: str) -> str:
    from depth_estimation_ros.models import catalog

    if not text.startswith('hf:'):
        try:
            catalog.spec(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _list(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models.catalog import CATALOG

    rows = [_row(spec) for spec in CATALOG.values()]
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    titles = ('name', 'answers', 'MB', 'on disk', 'commercial use', 'licence')
    lines = [titles] + [
        (
            row['name'],
            row['kind'],
            f'{row["megabytes"]:.0f}',
            'yes' if row['on_disk'] else '-',
            'yes' if row['commercial'] else 'NO',
            row['licence'],
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print('  '.join(map(str.ljust, line, widths)).rstrip())
    return 0


def _info(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import catalog, store

    spec = catalog.spec(options.name)
    source = store.recall(store.home(spec))
    facts = dataclasses.asdict(spec) | _row(spec)
    if source is not None:
        facts |= {'commit': source.commit, 'downloaded': source.date}
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            print(f'{name}: {value}')
    return 0


def _row(spec: ModelSpec) -> dict[str, Any]:
    from depth_estimation_ros.models import store

    file = store.home(spec) / spec.file
    return {
        'name': spec.name,
        'kind': spec.kind.value,
        'megabytes': spec.megabytes,
        'licence': spec.licence,
        'commercial': spec.commercial,
        'on_disk': file.is_file(),
        'path': str(file),
    }


def _download(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import catalog, download, store

    for name in options.names:
        with contextlib.closing(_Bars()) as report:
            if name.startswith('hf:'):
                print(f'{name}: look at its licence on its page')
                download.download_repository(name.removeprefix('hf:'), report, options.offline)
            else:
                spec = catalog.spec(name)
                print(f'{name}: {spec.megabytes:.0f} MB, licence {spec.licence}')
                if not spec.commercial:
                    print(f'{name}: NOT FOR COMMERCIAL USE')
                download.download(spec, report, options.offline)
        print(f'{name}: all here, in {store.folder(name)}')
    return 0


def _verify(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import catalog, store

    here = [name for name, spec in catalog.CATALOG.items() if _row(spec)['on_disk']]
    damaged = False
    for name in options.names or here:
        spec = catalog.spec(name)
        store.locate(spec)
        published = store.checksums(spec)
        faults = store.faults(store.home(spec), published)
        damaged = damaged or bool(faults)
        said = 'whole' if published else 'nobody published a checksum, so nothing was verified'
        for text in faults or [said]:
            print(f'{name}: {text}')
    return int(damaged)


def _remove(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import catalog, download, store

    for name in options.names:
        if not name.startswith('hf:') and catalog.spec(name).bundled:
            raise ValueError(f'{name} travels with the package and stays')
        print(f'{name}: {download.remove(store.folder(name)):.1f} MB freed')
    return 0


class _Bars:
    """A progress bar for each file, on a terminal; nothing in a pipe."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._file = ''

    def __call__(self, file: str, here: int, total: int) -> None:
        from tqdm import tqdm

        if self._bar is None or file != self._file:
            self.close()
            self._file = file
            self._bar = tqdm(
                desc=file,
                initial=here,
                total=total or None,
                unit='B',
                unit_scale=True,
                disable=None,
            )
        self._bar.update(here - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
