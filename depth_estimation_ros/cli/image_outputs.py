# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What `depth-estimation image` writes of a picture: names, what each needs, and the writing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depth_estimation_ros.frames import DepthMap

HELP = (
    'png16: millimetres in 16 bits, 0 unknown; npy, npz, exr, pfm: float32 metres, NaN unknown; '
    'ply, pcd: cloud with colours; glb: surface with the picture on it; side-by-side: picture and '
    'colours in one'
)
_NAMES = {
    'colour': 'colour.png',
    'side-by-side': 'side_by_side.png',
    'png16': 'depth.png',
    'npy': 'depth.npy',
    'npz': 'depth.npz',
    'exr': 'depth.exr',
    'pfm': 'depth.pfm',
    'ply': 'cloud.ply',
    'pcd': 'cloud.pcd',
    'glb': 'surface.glb',
}
_ALWAYS = 'colour'
_WITHOUT_METRES = {'colour', 'side-by-side', 'npz'}  # which say what they hold instead
_POINTS = {'ply', 'pcd', 'glb'}


def kinds(text: str) -> tuple[str, ...]:
    """KIND,… of the command line."""
    given = tuple(dict.fromkeys(text.split(',')))
    known = [kind for kind in _NAMES if kind != _ALWAYS]
    if unknown := set(given) - set(known):
        raise argparse.ArgumentTypeError(
            f'exports are {", ".join(known)}, not {", ".join(sorted(unknown))}'
        )
    return given


def files(folder: Path, stem: str, exported: tuple[str, ...]) -> dict[str, Path]:
    """What is to be written of a picture, by kind, and where."""
    return {kind: folder / f'{stem}_{_NAMES[kind]}' for kind in (_ALWAYS, *exported)}


def need_metres(exported: tuple[str, ...]) -> list[str]:
    """Those that hold metres or nothing."""
    return [kind for kind in exported if kind not in _WITHOUT_METRES]


def need_camera(exported: tuple[str, ...]) -> list[str]:
    """Those that are made of points."""
    return [kind for kind in exported if kind in _POINTS]


def write(depth_map: DepthMap, unit: str, edges: float, outputs: dict[str, Path]) -> None:
    """Write all of `files`.

    Args:
        depth_map: What is written.
        unit: Of legends: m, cm, or model for what the network says.
        edges: By which points fly, see `edges.flying`.
        outputs: Kinds and where each goes.

    Raises:
        ValueError: There are no metres, or no camera, or the picture holds nothing for it.
        OSError: One cannot be written.
    """
    from depth_estimation_ros import cloud_files, depth_files

    pictures = {
        'colour': depth_files.write_colours,
        'side-by-side': depth_files.write_side_by_side,
    }
    points = {
        'ply': cloud_files.write_ply,
        'pcd': cloud_files.write_pcd,
        'glb': cloud_files.write_glb,
    }
    for kind, file in outputs.items():
        if kind in pictures:
            pictures[kind](depth_map, unit, file)
        elif kind in points:
            points[kind](depth_map, edges, file)
        else:
            depth_files.KINDS[kind][1](depth_map, file)
