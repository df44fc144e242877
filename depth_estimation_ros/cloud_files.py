# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Depth maps as files of points and of surfaces: PLY, PCD, GLB. Little-endian, metres."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_estimation_ros.depth_files import NO_METRES, png, save
from depth_estimation_ros.frames import DepthMap

_CORNERS = 1_000_000  # of a surface; one of 12 megapixels would take half a gigabyte
_TORN = 0.05  # of its depth: a triangle that spans more joins two surfaces
_FLOAT, _UNSIGNED, _TRIANGLES = 5126, 5125, 4  # componentType and mode of glTF
_VERTICES, _INDICES = 34962, 34963  # targets of glTF's buffer views
_CLAMPED = 33071  # wrapping of a texture at its edges

Points = NDArray[np.float32]


def write_ply(depth_map: DepthMap, edges: float, file: Path) -> None:
    """Binary PLY: x y z float in the optical frame, red green blue uchar; known points alone.

    Args:
        depth_map: In metres, with a camera.
        edges: What hangs between two surfaces is left out, see `edges.flying`; 0: it is not.
        file: Where to.

    Raises:
        ValueError: There are no metres, or there is no camera.
        OSError: It cannot be written.
    """
    points, known = _points(depth_map, edges)
    vertices = np.empty(int(known.sum()), [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    vertices['xyz'], vertices['rgb'] = points[known][:, :3], depth_map.frame.image[known]
    header = (
        'ply\nformat binary_little_endian 1.0\n'
        'comment metres, optical frame: x right, y down, z forward\n'
        f'element vertex {len(vertices)}\n'
        'property float x\nproperty float y\nproperty float z\n'
        'property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n'
    )
    save(file, header.encode() + vertices.tobytes())


def write_pcd(depth_map: DepthMap, edges: float, file: Path) -> None:
    """Binary PCD 0.7, organized as the picture: x y z in the optical frame and PCL's rgb.

    Unknown and flying points are NaN, so that a point's place tells its pixel.

    Args:
        depth_map, edges, file: As for `write_ply`.

    Raises:
        ValueError, OSError: As `write_ply`.
    """
    points, _ = _points(depth_map, edges)
    height, width, _ = points.shape
    header = (
        '# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n'
        'FIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n'
        f'WIDTH {width}\nHEIGHT {height}\nVIEWPOINT 0 0 0 1 0 0 0\n'
        f'POINTS {width * height}\nDATA binary\n'
    )
    save(file, header.encode() + points.astype('<f4', copy=False).tobytes())


def write_glb(depth_map: DepthMap, edges: float, file: Path) -> None:
    """The surface that is seen, with the picture on it: glTF 2.0 in one file.

    y is up and the camera looks along -z, as glTF has it: the optical frame turned about x by
    180°. Triangles across depth edges are left out. Of a picture with more than a million pixels
    every second row and column makes corners, or every third and so on; the picture stays whole.

    Args:
        depth_map, edges, file: As for `write_ply`.

    Raises:
        ValueError: As `write_ply`, or nothing has a depth.
        OSError: It cannot be written.
    """
    points, _ = _points(depth_map, edges)
    height, width, _ = points.shape
    every = math.ceil(math.sqrt(height * width / _CORNERS))
    points = points[::every, ::every]
    corners = _triangles(points[..., 2])
    if not corners.size:
        raise ValueError(f'{file}: nothing in the picture has a depth, so there is no surface')
    used, corners = _numbered(corners, points[..., 2].size)
    positions = points.reshape(-1, 4)[used, :3] * np.array([1, -1, -1], np.float32)
    v, u = every * np.array(np.divmod(used, points.shape[1]))
    texture = np.stack([(u + 0.5) / width, (v + 0.5) / height], axis=-1)
    parts = [
        positions.astype('<f4').tobytes(),
        texture.astype('<f4').tobytes(),
        corners.astype('<u4').tobytes(),
        png(depth_map.frame.image[..., ::-1]),
    ]
    description = _gltf([len(part) for part in parts], positions, corners.size)
    text = json.dumps(description, separators=(',', ':')).encode()
    chunks = _chunk(b'JSON', text, b' ') + _chunk(b'BIN\0', b''.join(parts), b'\0')
    save(file, struct.pack('<4sII', b'glTF', 2, 12 + len(chunks)) + chunks)


def _points(depth_map: DepthMap, edges: float) -> tuple[Points, NDArray[np.bool_]]:
    """The organized cloud, as `pointcloud.cloud`, and where it has points."""
    camera, prediction = depth_map.frame.camera, depth_map.prediction
    if depth_map.depth is None:
        raise ValueError(NO_METRES)
    if camera is None:
        raise ValueError('points need the intrinsics of the camera: give --camera, --fx or --hfov')
    points = np.empty((camera.height, camera.width, 4), np.float32)
    rays, image = camera.rays(), depth_map.frame.image
    prediction.operations.cloud(depth_map.depth, rays, image, edges, points)
    return points, ~np.isnan(points[..., 2])


def _triangles(z: Points) -> NDArray[np.intp]:
    """Corners as indices of pixels, two triangles for each four, counter-clockwise as seen.

    Args:
        z: [H, W] depth, NaN where there is no point.

    Returns:
        All corners in a row, three for each triangle.
    """
    index = np.arange(z.size).reshape(z.shape)
    above_left, above = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    left, here = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    corners = np.concatenate(
        [np.stack([above_left, left, above], axis=1), np.stack([above, left, here], axis=1)]
    )
    depths = z.ravel()[corners]
    near, far = depths.min(axis=1), depths.max(axis=1)  # NaN where one of them is
    whole: NDArray[np.intp] = corners[far - near <= np.float32(_TORN) * near]
    return whole.ravel()


def _numbered(corners: NDArray[np.intp], pixels: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pixels that are corners, in order, and the corners as indices of these."""
    mask = np.zeros(pixels, np.bool_)
    mask[corners] = True
    return np.flatnonzero(mask), (np.cumsum(mask) - 1)[corners]


def _gltf(sizes: list[int], positions: Points, corners: int) -> dict[str, Any]:
    """The JSON of a mesh with these parts: positions, texture coordinates, corners, picture."""
    targets: tuple[dict[str, int], ...] = (
        {'target': _VERTICES},
        {'target': _VERTICES},
        {'target': _INDICES},
        {},
    )
    offsets = np.cumsum([0, *sizes]).tolist()
    views = [
        {'buffer': 0, 'byteOffset': offset, 'byteLength': size, **target}
        for offset, size, target in zip(offsets[:-1], sizes, targets, strict=True)
    ]
    accessors = [
        {
            'bufferView': 0,
            'componentType': _FLOAT,
            'count': len(positions),
            'type': 'VEC3',
            'min': positions.min(axis=0).tolist(),
            'max': positions.max(axis=0).tolist(),
        },
        {'bufferView': 1, 'componentType': _FLOAT, 'count': len(positions), 'type': 'VEC2'},
        {'bufferView': 2, 'componentType': _UNSIGNED, 'count': corners, 'type': 'SCALAR'},
    ]
    primitive = {
        'attributes': {'POSITION': 0, 'TEXCOORD_0': 1},
        'indices': 2,
        'material': 0,
        'mode': _TRIANGLES,
    }
    surface = {'baseColorTexture': {'index': 0}, 'metallicFactor': 0.0}
    material = {  # the picture holds its light already
        'pbrMetallicRoughness': surface,
        'doubleSided': True,
        'extensions': {'KHR_materials_unlit': {}},
    }
    return {
        'asset': {'version': '2.0', 'generator': 'depth_estimation_ros'},
        'extensionsUsed': ['KHR_materials_unlit'],
        'scene': 0,
        'scenes': [{'nodes': [0]}],
        'nodes': [{'mesh': 0}],
        'meshes': [{'primitives': [primitive]}],
        'materials': [material],
        'textures': [{'source': 0, 'sampler': 0}],
        'samplers': [{'wrapS': _CLAMPED, 'wrapT': _CLAMPED}],
        'images': [{'bufferView': 3, 'mimeType': 'image/png'}],
        'accessors': accessors,
        'bufferViews': views,
        'buffers': [{'byteLength': sum(sizes)}],
    }


def _chunk(kind: bytes, data: bytes, padding: bytes) -> bytes:
    """A chunk of a GLB, padded to whole words."""
    data += padding * (-len(data) % 4)
    return struct.pack('<I4s', len(data), kind) + data
