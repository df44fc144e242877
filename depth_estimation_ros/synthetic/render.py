# SPDX-FileCopyrightText: 2026 depth_estimation_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Camera picture and exact depth of a room, by intersecting every pixel's ray with its shapes.

A ray's direction has Z = 1 in the optical frame, so that the parameter along it is depth itself,
and lens distortion is rendered exactly because the rays have it undone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from depth_estimation_ros.camera import Camera
from depth_estimation_ros.synthetic import textures
from depth_estimation_ros.synthetic.scene import Box, Room, Sphere

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

_NEAR = np.float32(0.05)

WEBCAM = Camera(
    640, 480, 531.0, 533.0, 322.4, 236.8, 'plumb_bob', (-0.12, 0.02, 0.0006, -0.0004, 0.0)
)
"""A camera such as people have, whose lens bends lines."""


@dataclass(frozen=True)
class Pose:
    """Camera in the room: rotation [3, 3] takes optical-frame vectors to the room frame."""

    rotation: npt.NDArray[np.float64]
    position: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hits:
    """Per ray: depth [N] in metres, surface row [N], unit normal [3, N], point [3, N]."""

    depth: Array
    surface: Index
    normal: Array
    point: Array


def render(room: Room, camera: Camera, pose: Pose) -> tuple[npt.NDArray[np.uint8], Array]:
    """Picture of the room as the camera sees it.

    Returns:
        Image uint8 [H, W, 3] RGB, and depth float32 [H, W] in metres along Z; black and NaN where
        the camera's distortion cannot be undone.
    """
    rays = camera.rays().reshape(-1, 2)
    seen = np.isfinite(rays).all(axis=1)
    flat = np.where(seen, rays.T, np.float32(0))
    hits = trace(room, flat, pose)
    image = _develop(room, _shade(room, hits, pose, 1 / camera.fx), pose)
    image[~seen] = 0
    depth = np.where(seen, hits.depth, np.float32(np.nan))
    shape = (camera.height, camera.width)
    return image.reshape(*shape, 3), depth.reshape(shape)


def trace(room: Room, rays: Array, pose: Pose) -> Hits:
    """First surface along each ray; rays [2, N] hold X/Z and Y/Z in the optical frame."""
    rotation = pose.rotation.astype(np.float32)
    origin = pose.position.astype(np.float32)
    direction = rotation[:, :2] @ rays + rotation[:, 2:]
    depth, surface = _shell(room, origin, direction)
    shapes: tuple[Box | Sphere, ...] = (*room.boxes, *room.spheres)
    for shape in shapes:
        near = np.flatnonzero(_window(shape, rays, pose))
        if near.size == 0:
            continue
        part = direction[:, near]
        entry, row = (
            _enter_box(shape, origin, part)
            if isinstance(shape, Box)
            else _enter_sphere(shape, origin, part)
        )
        closer = (entry > _NEAR) & (entry < depth[near])
        depth[near[closer]] = entry[closer]
        surface[near[closer]] = row[closer]
    point = origin[:, None] + depth * direction
    normal = np.take(room.surfaces.normal.T, surface, axis=1)
    for sphere in room.spheres:
        on = np.flatnonzero(surface == sphere.surface)
        normal[:, on] = (point[:, on] - sphere.center[:, None]) / np.float32(sphere.radius)
    return Hits(depth, _with_decals(room, surface, point), normal, point)


def _shell(room: Room, origin: Array, direction: Array) -> tuple[Array, Index]:
    """Where rays leave the room, and through which of its six sides."""
    depth = np.full(direction.shape[1], np.inf, np.float32)
    surface = np.zeros(direction.shape[1], np.intp)
    for axis in range(3):
        along = direction[axis]
        forward = along > 0
        wall = np.where(forward, room.size[axis], np.float32(0))
        with np.errstate(divide='ignore'):
            exit_ = (wall - origin[axis]) / along
        first = np.abs(exit_) < depth
        np.copyto(depth, np.abs(exit_), where=first)
        np.copyto(surface, 2 * axis + forward, where=first)
    return depth, surface


def _window(shape: Box | Sphere, rays: Array, pose: Pose) -> Mask:
    """Rays inside the rectangle in X/Z, Y/Z around a shape; all of them when it reaches behind."""
    reach = np.linalg.norm(shape.half[:2]) if isinstance(shape, Box) else shape.radius
    up = shape.half[2] if isinstance(shape, Box) else shape.radius
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8)
    corners = shape.center[:, None] + signs * np.array([[reach], [reach], [up]])
    x, y, z = pose.rotation.T @ (corners - pose.position[:, None])
    if z.max() < 0:
        return np.zeros(rays.shape[1], bool)
    if z.min() < _NEAR:
        return np.ones(rays.shape[1], bool)
    (left, right), (top, bottom) = ((float(a.min()), float(a.max())) for a in (x / z, y / z))
    inside: Mask = (rays[0] >= left) & (rays[0] <= right)
    inside &= (rays[1] >= top) & (rays[1] <= bottom)
    return inside


def _enter_box(box: Box, origin: Array, direction: Array) -> tuple[Array, Index]:
    """Slab method in the box's own axes (Kay and Kajiya, 1986); inf where a ray misses."""
    cos, sin = np.float32(np.cos(box.yaw)), np.float32(np.sin(box.yaw))
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
    local, start = turn @ direction, turn @ (origin - box.center)
    with np.errstate(divide='ignore', invalid='ignore'):
        inverse = 1 / local
        low, high = (-box.half - start)[:, None] * inverse, (box.half - start)[:, None] * inverse
    enter, leave = np.minimum(low, high), np.maximum(low, high)
    axis = enter.argmax(axis=0)
    entry = enter.max(axis=0)
    entry = np.where(entry < leave.min(axis=0), entry, np.float32(np.inf))
    backward = np.take_along_axis(local, axis[None], axis=0)[0] < 0
    return entry, box.surface + 2 * axis + backward


def _enter_sphere(sphere: Sphere, origin: Array, direction: Array) -> tuple[Array, Index]:
    offset = (origin - sphere.center).astype(np.float64)
    a = np.einsum('ij,ij->j', direction, direction, dtype=np.float64)
    b = offset @ direction
    under = b * b - a * (offset @ offset - sphere.radius**2)
    entry = np.where(under > 0, (-b - np.sqrt(np.maximum(under, 0))) / a, np.inf)
    return entry.astype(np.float32), np.full(entry.shape, sphere.surface)


def _with_decals(room: Room, surface: Index, point: Array) -> Index:
    """Surface rows with doors, pictures and skirtings put in place of the wall behind them."""
    result = surface.copy()
    for wall in range(4):
        on = np.flatnonzero(surface == wall)
        along, up = point[1 - wall // 2, on], point[2, on]
        for decal in room.decals:
            if decal.wall == wall:
                (left, bottom), (right, top) = decal.low, decal.high
                inside = (along >= left) & (along <= right) & (up >= bottom) & (up <= top)
                result[on[inside]] = decal.surface
    return result


def _shade(room: Room, hits: Hits, pose: Pose, pixel: float) -> Array:
    """Linear RGB [N, 3]: pattern through palette, under ambient and point lights (Lambert)."""
    surfaces, row = room.surfaces, hits.surface
    x, y, z = hits.point
    u_axis, v_axis = surfaces.u.T, surfaces.v.T
    origin = surfaces.origin.T[:, row]
    u = x * u_axis[0, row] + y * u_axis[1, row] + z * u_axis[2, row] + origin[0]
    v = x * v_axis[0, row] + y * v_axis[1, row] + z * v_axis[2, row] + origin[1]
    view = hits.point - pose.position.astype(np.float32)[:, None]
    length = np.sqrt((view * view).sum(axis=0))
    slant = np.abs((view * hits.normal).sum(axis=0)) / length
    # Between the pixel's short and long side on a slanted surface: sharper than the long one.
    footprint = length * np.float32(pixel) / np.sqrt(np.maximum(slant, 0.02))
    footprint = footprint / surfaces.scale[row]
    value = textures.sample(room.bank, surfaces.pattern[row], u, v, footprint)
    color = surfaces.palette[row * 256 + value.astype(np.intp)]
    return color * _light(room, hits)


def _light(room: Room, hits: Hits) -> Array:
    """Light on each point [N, 3], darker in the corners of the room, where less arrives."""
    total = np.full((hits.depth.size, 3), room.ambient, np.float32)
    for light in room.lights:
        toward = light.position[:, None] - hits.point
        square = (toward * toward).sum(axis=0)
        facing = np.maximum((toward * hits.normal).sum(axis=0), 0) / np.sqrt(square)
        total += (facing / (np.float32(0.6) + np.float32(0.12) * square))[:, None] * light.color
    x, y, z = hits.point
    gaps = (x, room.size[0] - x, y, room.size[1] - y, z)
    openness = np.ones_like(x)
    for gap in gaps:
        openness *= np.float32(0.75) + np.float32(0.25) * np.minimum(np.abs(gap) * 3, 1)
    total *= openness[:, None]
    return total


def _develop(room: Room, color: Array, pose: Pose) -> npt.NDArray[np.uint8]:
    """Exposure on the mean of the picture, white balance, gamma 2, sensor noise."""
    gain = np.float32(0.27 * room.exposure / color[::37].mean())
    values = np.sqrt(np.minimum(color * (gain * room.white_balance), 1)) * np.float32(255)
    key = np.abs(np.concatenate([pose.position, pose.rotation.ravel()]) * 1e6).astype(np.uint64)
    rng = np.random.Generator(np.random.SFC64([room.seed, *key.tolist()]))
    values += rng.standard_normal(values.shape, np.float32) * np.float32(room.noise)
    return np.asarray(np.clip(values, 0, 255).astype(np.uint8))
