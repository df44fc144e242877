# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Clouds and surfaces in files, as trimesh reads them, and PCD as its definition says."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest
import trimesh

from depth_estimation_ros import cloud_files
from depth_estimation_ros.camera import Camera
from depth_estimation_ros.frames import DepthKind, DepthMap, Frame, Prediction

CAMERA = Camera(64, 48, 60.0, 61.0, 31.0, 24.0, 'plumb_bob', (-0.2, 0.05, 0.001, 0.0, 0.0))
IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
WRITERS = {kind: getattr(cloud_files, f'write_{kind}') for kind in ('ply', 'pcd', 'glb')}


def scene(depth, camera: Camera | None = CAMERA) -> DepthMap:
    depth = np.asarray(depth, np.float32)
    return DepthMap(Frame(IMAGE, camera=camera), Prediction(depth, DepthKind.METRIC), depth)


def slope() -> np.ndarray:
    """A slanted wall, of which three pixels have no depth."""
    depth = np.tile(np.linspace(2.0, 3.0, 64, dtype=np.float32), (48, 1))
    depth[5, 7], depth[6, 8], depth[7, 9] = np.nan, np.inf, -np.inf
    return depth


def check(points, colours, depth) -> None:
    """Points are where OpenCV's model of the lens sees the known pixels, in order."""
    v, u = np.nonzero(np.isfinite(depth))
    still = np.zeros(3)
    seen, _ = cv2.projectPoints(
        np.asarray(points, np.float64), still, still, CAMERA.matrix, np.array(CAMERA.distortion)
    )
    np.testing.assert_allclose(seen[:, 0], np.column_stack([u, v]), atol=1e-3)
    np.testing.assert_array_equal(points[:, 2], depth[v, u])
    np.testing.assert_array_equal(colours, IMAGE[v, u])


def pcd(data: bytes) -> tuple[dict[str, list[str]], np.ndarray]:
    """Header and records of a binary PCD, by "The PCD (Point Cloud Data) file format" of PCL."""
    head, _, body = data.partition(b'DATA binary\n')
    lines = [line.split() for line in head.decode().splitlines() if not line.startswith('#')]
    header = {name: values for name, *values in lines}
    fields = zip(header['FIELDS'], header['TYPE'], header['SIZE'], strict=True)
    layout = [(name, f'<{kind.lower()}{size}') for name, kind, size in fields]
    return header, np.frombuffer(body, layout)


def test_a_ply_holds_the_known_points_with_their_colours(tmp_path):
    cloud_files.write_ply(scene(slope()), 0.0, tmp_path / 'a.ply')
    read = trimesh.load(tmp_path / 'a.ply')
    check(read.vertices, read.colors[:, :3], slope())


def test_a_pcd_is_organized_as_the_picture_with_nan_for_unknown(tmp_path):
    cloud_files.write_pcd(scene(slope()), 0.0, tmp_path / 'a.pcd')
    header, records = pcd((tmp_path / 'a.pcd').read_bytes())
    assert (header['VERSION'], header['COUNT']) == (['0.7'], ['1'] * 4)
    assert (header['WIDTH'], header['HEIGHT'], header['POINTS']) == (['64'], ['48'], ['3072'])
    assert header['VIEWPOINT'] == ['0', '0', '0', '1', '0', '0', '0']
    assert len(records) == 3072
    xyz = np.stack([records[name] for name in 'xyz'], axis=-1).reshape(48, 64, 3)
    known = np.isfinite(slope())
    assert (np.isnan(xyz).all(axis=-1) == ~known).all()
    packed = np.ascontiguousarray(records['rgb']).view('<u4').reshape(48, 64)[known]
    check(xyz[known], np.stack([packed >> 16, packed >> 8 & 255, packed & 255], -1), slope())


def test_a_glb_is_the_seen_surface_with_y_up_under_the_picture(tmp_path):
    cloud_files.write_glb(scene(slope()), 0.0, tmp_path / 'a.glb')
    (surface,) = trimesh.load(tmp_path / 'a.glb', process=False).geometry.values()
    assert len(surface.faces) == 2 * 63 * 47 - 3 * 6  # around each of the three unknown pixels
    towards = (surface.triangles_center * surface.face_normals).sum(axis=1)
    assert (towards < 0).all()  # seen from the camera, which stands in the origin
    texture = np.asarray(surface.visual.material.baseColorTexture)[..., :3]
    np.testing.assert_array_equal(texture, IMAGE)
    column, row = (surface.visual.uv * (64, 48)).T - 0.5
    found = texture[np.rint(47 - row).astype(int), np.rint(column).astype(int)]  # v up there
    check(surface.vertices * [1, -1, -1], found, slope())


def test_a_glb_of_a_large_picture_takes_fewer_corners_under_the_whole_picture(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(cloud_files, '_CORNERS', 24 * 32)
    depth = np.tile(np.linspace(2.0, 3.0, 64, dtype=np.float32), (48, 1))
    cloud_files.write_glb(scene(depth), 0.0, tmp_path / 'a.glb')
    (surface,) = trimesh.load(tmp_path / 'a.glb', process=False).geometry.values()
    assert len(surface.faces) == 2 * 31 * 23
    assert surface.visual.material.baseColorTexture.size == (64, 48)
    column, row = np.rint((surface.visual.uv * (64, 48)).T - 0.5).astype(int)
    every = np.full((48, 64), np.nan)
    every[::2, ::2] = depth[::2, ::2]
    check(surface.vertices * [1, -1, -1], IMAGE[47 - row, column], every)


def test_a_glb_is_laid_out_as_its_definition_asks(tmp_path):
    """Chunks of whole words; bounds of positions, which readers trust, are those of the data."""
    cloud_files.write_glb(scene(slope()), 0.0, tmp_path / 'a.glb')
    data = (tmp_path / 'a.glb').read_bytes()
    magic, version, length, text, kind = struct.unpack_from('<4sIII4s', data)
    assert (magic, version, length, kind, text % 4) == (b'glTF', 2, len(data), b'JSON', 0)
    described = json.loads(data[20 : 20 + text])
    size, kind = struct.unpack_from('<I4s', data, 20 + text)
    assert (kind, 28 + text + size, size % 4) == (b'BIN\0', len(data), 0)
    binary = data[28 + text :]
    position = described['accessors'][0]
    view = described['bufferViews'][position['bufferView']]
    stored = np.frombuffer(binary, '<f4', position['count'] * 3, view['byteOffset']).reshape(-1, 3)
    assert position['min'] == stored.min(axis=0).tolist()
    assert position['max'] == stored.max(axis=0).tolist()
    assert described['buffers'][0]['byteLength'] <= size
    assert {'KHR_materials_unlit'} == set(described['extensionsUsed'])


def test_a_surface_is_torn_where_depth_jumps(tmp_path):
    depth = np.full((48, 64), 1.0, np.float32)
    depth[:, 30:] = 2.0
    cloud_files.write_glb(scene(depth), 0.03, tmp_path / 'a.glb')
    (surface,) = trimesh.load(tmp_path / 'a.glb', process=False).geometry.values()
    assert len(surface.faces) == 2 * 47 * (29 + 33)
    assert len(surface.split(only_watertight=False)) == 2


def test_points_that_fly_are_left_out_unless_all_are_wanted(tmp_path):
    depth = np.full((48, 64), 1.0, np.float32)
    depth[:, 30], depth[:, 31:] = 1.5, 2.0
    for edges, points in ((0.03, 48 * 63), (0.0, 48 * 64)):
        cloud_files.write_ply(scene(depth), edges, tmp_path / 'a.ply')
        assert len(trimesh.load(tmp_path / 'a.ply').vertices) == points
        cloud_files.write_pcd(scene(depth), edges, tmp_path / 'a.pcd')
        _, records = pcd((tmp_path / 'a.pcd').read_bytes())
        assert np.isfinite(records['z']).sum() == points


@pytest.mark.parametrize('kind', WRITERS)
def test_what_makes_points_is_needed(kind, tmp_path):
    relative = DepthMap(scene(slope()).frame, Prediction(slope(), DepthKind.RELATIVE), None)
    with pytest.raises(ValueError, match='no metres'):
        WRITERS[kind](relative, 0.03, tmp_path / 'a')
    with pytest.raises(ValueError, match='give --camera, --fx or --hfov'):
        WRITERS[kind](scene(slope(), camera=None), 0.03, tmp_path / 'a')
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_has_a_depth_a_cloud_is_empty_and_there_is_no_surface(tmp_path):
    nothing = scene(np.full((48, 64), np.nan))
    cloud_files.write_ply(nothing, 0.03, tmp_path / 'a.ply')
    assert b'element vertex 0\n' in (tmp_path / 'a.ply').read_bytes()
    with pytest.raises(ValueError, match='no surface'):
        cloud_files.write_glb(nothing, 0.03, tmp_path / 'a.glb')
