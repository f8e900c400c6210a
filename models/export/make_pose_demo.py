#!/usr/bin/env python3
"""Make models/embedded/pose-demo: a watering can on a table, as a colour and depth camera sees it.

Colour and the can's outlines come from a can of fine triangles, the mesh to search with is a coarse
one, as a CAD model is of a thing. The depth has what a stereo camera's has: noise and steps in
disparity, nothing where surfaces recede steeply, beside edges, and here and there.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import cv2
import numpy as np

from draw_can import Mesh, joined, turned, watering_can

FOLDER = Path(__file__).resolve().parents[1] / "embedded" / "pose-demo"
WIDTH, HEIGHT, FOCAL = 640, 480, 615.0
SCALE = 3  # samples a pixel's side
EYE, TARGET = np.array([0.07, -0.385, 0.285]), np.array([0.004, 0.0, 0.052])
TURN, PLACE = np.radians(-28), np.array([-0.005, 0.0, 0.0])  # of the can, on the table z = 0
WALL = 0.42  # at y
LIGHT, LAMP = np.array([-0.45, -0.5, 0.9]), 0.10  # direction, and half its size at distance 1
LIGHTS, SHADOW_SIDE, SHADOW_REACH, SHADOW_BIAS = 24, 700, 0.45, 0.004
BASELINE, NOISE, GRAIN, STEP = 0.05, 0.07, 4, 1 / 6  # stereo: metres, and pixels of disparity
FARTHEST = 0.65  # metres
SEED = 5

BLUE, RED, GREEN = (0.020, 0.175, 0.36), (0.50, 0.035, 0.025), (0.10, 0.30, 0.07)


def box(size: tuple[float, float, float], turn: float, place: tuple[float, float, float]) -> Mesh:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2 * size
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([(q[0], *pair) for q in quads for pair in (q[1:3], q[2:4])])
    return corners @ about_z(turn).T + place, faces


def ball(radius: float, place: tuple[float, float], sides: int) -> Mesh:
    angle = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)[1:-1]
    rings = [(float(np.cos(a)), float(np.sin(a))) for a in angle]
    points, faces = turned([(0, -1), *rings, (0, 1)], sides)
    return points * radius + (*place, radius), faces


def about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def camera_axes() -> np.ndarray:
    """World → camera rotation: x right, y down, z ahead."""
    ahead = (TARGET - EYE) / np.linalg.norm(TARGET - EYE)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(ahead, right), ahead])


def rasterise(xy: np.ndarray, nearness: np.ndarray, faces: np.ndarray, size: tuple[int, int]):
    """The nearest face of each pixel, -1 for none, and its nearness, linear on the screen."""
    height, width = size
    best, ids = np.full(size, -np.inf), np.full(size, -1)
    for number, (a, b, c) in enumerate(faces):
        p, q, r = xy[a], xy[b], xy[c]
        area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        left, right = int(np.ceil(min(p[0], q[0], r[0]))), int(max(p[0], q[0], r[0]))
        top, bottom = int(np.ceil(min(p[1], q[1], r[1]))), int(max(p[1], q[1], r[1]))
        left, right = max(left, 0), min(right, width - 1)
        top, bottom = max(top, 0), min(bottom, height - 1)
        if left > right or top > bottom or abs(area) < 1e-12:
            continue
        x, y = np.arange(left, right + 1), np.arange(top, bottom + 1)[:, None]
        u = ((x - p[0]) * (r[1] - p[1]) - (y - p[1]) * (r[0] - p[0])) / area
        v = ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])) / area
        near = nearness[a] + u * (nearness[b] - nearness[a]) + v * (nearness[c] - nearness[a])
        window = slice(top, bottom + 1), slice(left, right + 1)
        seen = (u >= 0) & (v >= 0) & (u + v <= 1) & (near > best[window])
        best[window][seen] = near[seen]
        ids[window][seen] = number
    return ids, best


def look(mesh: Mesh, scale: int):
    """Faces and 1/z of a picture `scale` times as wide; the first pixel's centre is (0, 0)."""
    points = (mesh[0] - EYE) @ camera_axes().T
    middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    xy = points[:, :2] / points[:, 2:] * FOCAL + middle
    size = HEIGHT * scale, WIDTH * scale
    return rasterise((xy + 0.5) * scale - 0.5, 1 / points[:, 2], mesh[1], size)


def rays(scale: int) -> np.ndarray:
    """World directions whose camera z is 1, [h, w, 3]."""
    u = (np.arange(WIDTH * scale) + 0.5) / scale - 0.5
    v = (np.arange(HEIGHT * scale) + 0.5) / scale - 0.5
    x, y = np.meshgrid((u - (WIDTH - 1) / 2) / FOCAL, (v - (HEIGHT - 1) / 2) / FOCAL)
    return np.stack([x, y, np.ones_like(x)], 2) @ camera_axes()


def room(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Camera z of the table or the wall, and whether it is the table."""
    down = -EYE[2] / np.minimum(directions[..., 2], -1e-6)
    ahead = (WALL - EYE[1]) / directions[..., 1]
    return np.minimum(down, ahead), down < ahead


def visible(points: np.ndarray, casters: Mesh) -> np.ndarray:
    """Share of the lamp that each point [n, 3] sees."""
    light = LIGHT / np.linalg.norm(LIGHT)
    side = np.cross(light, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, light)
    total = np.zeros(len(points))
    for k in range(LIGHTS):
        radius, turn = LAMP * np.sqrt((k + 0.5) / LIGHTS), k * 2.39996  # Vogel's spiral
        to = light + radius * (np.cos(turn) * side + np.sin(turn) * up)
        to /= np.linalg.norm(to)
        a = np.cross(to, up)
        a /= np.linalg.norm(a)
        frame = np.stack([a, np.cross(to, a), to])
        pixels = SHADOW_SIDE / (2 * SHADOW_REACH)

        def place(some: np.ndarray) -> np.ndarray:
            return ((some @ frame[:2].T) + SHADOW_REACH) * pixels

        _, nearest = rasterise(place(casters[0]), casters[0] @ to, casters[1], (SHADOW_SIDE,) * 2)
        column, row = np.clip(np.rint(place(points)).astype(int), 0, SHADOW_SIDE - 1).T
        total += nearest[row, column] < points @ to + SHADOW_BIAS
    return total / LIGHTS


def noise(
    random: np.random.Generator, shape: tuple[int, int], grain: tuple[float, float]
) -> np.ndarray:
    """Smooth noise of unit variance."""
    white = random.standard_normal(shape)
    field = cv2.GaussianBlur(white, (0, 0), sigmaX=grain[0], sigmaY=grain[1])
    return field / field.std()


def table_colour(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Planks of wood: a sheet of 1 mm texels with grain along x."""
    side = 1600
    rings = noise(random, (side, side), (220, 5)) + 0.45 * noise(random, (side, side), (60, 1.6))
    plank = (np.arange(side)[:, None] // 95).repeat(side, 1)
    tones = random.uniform(0.86, 1.1, side // 95 + 1)[plank]
    gap = np.minimum(np.arange(side) % 95, 95 - np.arange(side) % 95)[:, None] < 1.2
    sheet = tones * (1 + 0.055 * rings) * np.where(gap, 0.62, 1)
    along = points[..., :2] @ about_z(np.radians(12))[:2, :2]
    at = ((along * 1000 + side / 2) % (side - 1)).astype(np.float32)
    value = cv2.remap(sheet.astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return value[..., None] * np.array([0.47, 0.30, 0.165])


def surface(meshes: list[tuple[Mesh, tuple[float, ...]]], scale: int):
    """World points [h, w, 3], normals, the number of the thing or -1 wall, -2 table, and z."""
    directions = rays(scale)
    z, is_table = room(directions)
    normal = np.where(is_table[..., None], [0, 0, 1.0], [0, -1.0, 0])
    thing = np.where(is_table, -2, -1)
    for number, (mesh, _) in enumerate(meshes):
        ids, inverse = look(mesh, scale)
        here = (ids >= 0) & (1 / np.maximum(inverse, 1e-9) < z)
        a, b, c = (mesh[0][mesh[1][:, k]] for k in range(3))
        flat = np.cross(b - a, c - a)
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-15)
        z = np.where(here, 1 / np.maximum(inverse, 1e-9), z)
        normal[here] = flat[ids[here]]
        thing[here] = number
    flip = np.sum(normal * directions, 2) > 0
    normal[flip] *= -1
    return EYE + directions * z[..., None], normal, thing, z


def paint(meshes: list[tuple[Mesh, tuple[float, ...]]], casters: Mesh, random: np.random.Generator):
    """The colour picture, uint8 [HEIGHT, WIDTH, 3] in RGB."""
    points, normal, thing, _ = surface(meshes, SCALE)
    flat = points.reshape(-1, 3)
    light = LIGHT / np.linalg.norm(LIGHT)
    albedo = np.where((thing == -1)[..., None], [0.62, 0.60, 0.56], 0.0)
    for number, (_, colour) in enumerate(meshes):
        albedo[thing == number] = colour
    table = thing == -2
    albedo[table] = table_colour(points, random)[table]
    key = np.clip(normal @ light, 0, 1) * visible(flat, casters).reshape(thing.shape)
    sky = 0.5 + 0.5 * normal[..., 2] + 0.12 * normal[..., 0]
    # Near the table's objects less of the room is seen.
    middles = [0, 0, 0.01], [-0.022, -0.088, 0.0]
    near = sum(np.exp(-np.sum((points - middle) ** 2, 2) / 0.003) for middle in middles)
    ambient = (0.30 * sky + 0.10) * np.where(table, 1 - 0.45 * np.clip(near, 0, 1), 1)
    eye = EYE - points
    eye /= np.linalg.norm(eye, axis=2, keepdims=True)
    half = eye + light
    half /= np.linalg.norm(half, axis=2, keepdims=True)
    shine = np.where(thing >= 0, 0.35, 0.02) * np.sum(normal * half, 2).clip(0, 1) ** 60 * (key > 0)
    linear = albedo * (ambient + 1.05 * key)[..., None] + shine[..., None]
    linear = linear.reshape(HEIGHT, SCALE, WIDTH, SCALE, 3).mean((1, 3))
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    linear *= (1 - 0.12 * (x * x + y * y))[..., None]
    picture = 255 * np.clip(linear * 1.25, 0, 1) ** (1 / 2.2) + random.normal(0, 1.2, linear.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def measure(z: np.ndarray, normal: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Depth as a stereo camera gives it, uint16 in millimetres, 0 for none."""
    shape = z.shape
    disparity = FOCAL * BASELINE / z + NOISE * noise(random, shape, (GRAIN, GRAIN))
    stepped = np.rint(disparity / STEP) * STEP
    eye = rays(1)
    slant = -np.sum(normal * eye, 2) / np.linalg.norm(eye, axis=2)
    near = cv2.dilate(disparity.astype(np.float32), np.ones((1, 9), np.float32), anchor=(0, 0))
    shaded = near - disparity > 2.2  # seen by one of the two cameras only
    lost = noise(random, shape, (5, 5)) > 2.6
    valid = (slant > 0.2) & ~shaded & ~lost & (z < FARTHEST)
    return np.where(valid, np.rint(1000 * FOCAL * BASELINE / stepped), 0).astype(np.uint16)


def ply(mesh: Mesh, colour: tuple[float, ...]) -> bytes:
    points, faces = mesh
    rgb = bytes(int(round(255 * value ** (1 / 2.2))) for value in colour)
    header = [
        "ply", "format binary_little_endian 1.0", f"element vertex {len(points)}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {name}" for name in ("red", "green", "blue")),
        f"element face {len(faces)}", "property list uchar ushort vertex_indices", "end_header\n",
    ]
    body = b"".join(struct.pack("<3f", *point) + rgb for point in points)
    body += b"".join(struct.pack("<B3H", 3, *face) for face in faces)
    return "\n".join(header).encode() + body


def main() -> int:
    random = np.random.default_rng(SEED)
    spin = about_z(TURN)

    def put(mesh: Mesh) -> Mesh:
        return mesh[0] @ spin.T + PLACE, mesh[1]

    def things(detail: int) -> list[tuple[Mesh, tuple[float, ...]]]:
        return [
            (put(watering_can(detail)), BLUE),
            (ball(0.022, (-0.022, -0.088), 24 * detail), RED),
            (box((0.055, 0.055, 0.055), 0.5, (-0.165, 0.06, 0.0275)), GREEN),
        ]

    fine = things(4)
    casters = joined([mesh for mesh, _ in things(1)])
    picture = paint(fine, casters, random)
    _, normal, thing, z = surface(fine, 1)
    mask = thing == 0
    pose = np.eye(4)
    pose[:3, :3] = camera_axes() @ spin
    pose[:3, 3] = camera_axes() @ (PLACE - EYE)
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    v, u = np.unravel_index(distance.argmax(), mask.shape)
    scene = {
        "name": "watering can",
        "width": WIDTH,
        "height": HEIGHT,
        "camera_matrix": [[FOCAL, 0, (WIDTH - 1) / 2], [0, FOCAL, (HEIGHT - 1) / 2], [0, 0, 1]],
        "click": [round((u + 0.5) / WIDTH, 3), round((v + 0.5) / HEIGHT, 3)],
        "pose": [[round(float(value), 6) for value in row] for row in pose],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    small = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]
    cv2.imwrite(str(FOLDER / "rgb.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    cv2.imwrite(str(FOLDER / "depth.png"), measure(z, normal, random), small)
    bits = [*small, cv2.IMWRITE_PNG_BILEVEL, 1]
    cv2.imwrite(str(FOLDER / "mask.png"), mask.astype(np.uint8) * 255, bits)
    (FOLDER / "mesh.ply").write_bytes(ply(watering_can(1), BLUE))
    (FOLDER / "scene.json").write_text(json.dumps(scene) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
