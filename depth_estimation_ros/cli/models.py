# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`depth-estimation models`: which networks there are, and their weights on this machine."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

    from tqdm import tqdm

    from depth_estimation_ros.models.fetch import Report
    from depth_estimation_ros.models.model_spec import ModelSpec


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
    """A name of the catalogue, for an id of the hub too that it has, or another id."""
    from depth_estimation_ros.models import catalog, resolve

    try:
        if not text.startswith('hf:'):
            return catalog.spec(text).name
        repository = resolve.hub_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    known = (spec.name for spec in catalog.CATALOG.values() if spec.repository == repository)
    return next(known, text)


def _list(options: argparse.Namespace) -> int:
    rows = [_row(spec) for spec in _known()]
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


def _known() -> list[ModelSpec]:
    """The models of the catalogue, and those of the hub that are here."""
    from depth_estimation_ros.models import store
    from depth_estimation_ros.models.catalog import CATALOG

    fetched = map(_usable, store.repositories())
    return [*CATALOG.values(), *(spec for spec in fetched if spec is not None)]


def _usable(name: str) -> ModelSpec | None:
    from depth_estimation_ros.models.resolve import resolve

    try:
        return resolve(name)
    except (ValueError, OSError) as error:
        print(f'depth-estimation: {name} cannot be used: {error}', file=sys.stderr)
        return None


def _info(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import store
    from depth_estimation_ros.models.resolve import resolve

    spec = resolve(options.name)
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
    for name in options.names:
        with contextlib.closing(_Bars()) as report:
            try:
                folder = _bring(name, options.offline, report)
            except KeyboardInterrupt:
                kept = '; what has arrived is kept, and the same command goes on from there'
                raise KeyboardInterrupt(kept) from None
        print(f'{name}: all here, in {folder}')
    return 0


def _bring(name: str, offline: bool, report: Report) -> Path:
    """Say what binds a model, and download it; the folder of its files."""
    from depth_estimation_ros.models import download, store
    from depth_estimation_ros.models.catalog import CATALOG
    from depth_estimation_ros.models.resolve import hub_id

    if name in CATALOG:
        spec = CATALOG[name]
        print(f'{name}: {spec.megabytes:.0f} MB, licence {spec.licence}')
        if not spec.commercial:
            print(f'{name}: NOT FOR COMMERCIAL USE')
        download.download(spec, report, offline)
        return store.home(spec)
    repository = hub_id(name)
    print(f'{name}: its licence is told at https://huggingface.co/{repository}')
    download.download_repository(repository, report, offline)
    return store.folder(name)


def _verify(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import store
    from depth_estimation_ros.models.resolve import resolve

    here = [spec.name for spec in _known() if (store.home(spec) / spec.file).is_file()]
    damaged = False
    for spec in map(resolve, options.names or here):
        store.locate(spec)
        published = store.checksums(spec)
        faults = store.faults(store.home(spec), published)
        damaged = damaged or bool(faults)
        said = 'whole' if published else 'nobody published a checksum, so nothing was verified'
        for text in faults or [said]:
            print(f'{spec.name}: {text}')
    return int(damaged)


def _remove(options: argparse.Namespace) -> int:
    from depth_estimation_ros.models import download, store
    from depth_estimation_ros.models.catalog import CATALOG
    from depth_estimation_ros.runtimes import prepared

    for name in options.names:
        if name in CATALOG and CATALOG[name].bundled:
            raise ValueError(f'{name} travels with the package and stays')
        freed = download.remove(store.folder(name))
        if (converted := prepared.home(name)).is_dir():
            freed += download.remove(converted)
        print(f'{name}: {freed:.1f} MB freed')
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
