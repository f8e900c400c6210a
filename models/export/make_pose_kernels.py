#!/usr/bin/env python3
"""Make test/fixtures/pose-kernels: what the kernels of object pose must compute.

References in float64, by definition and not by the kernels' methods: rays are intersected with every
triangle by solving linear equations, crops are sampled by SciPy (and held against OpenCV), normals
are trimesh's. Everything is seeded.

    python models/export/make_pose_kernels.py
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import cv2
import numpy as np
import trimesh
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

FILE = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "pose-kernels" / "manifest.json"
TYPES = {"float32": "<f4", "uint8": "u1", "uint16": "<u2", "uint32": "<u4"}


def pack(values: np.ndarray, kind: str) -> dict:
    """Shape, element type and zlib-deflated, base64-encoded little-endian elements."""
    data = np.ascontiguousarray(values).astype(TYPES[kind]).tobytes()
    text = base64.b64encode(zlib.compress(data, 9)).decode()
    return {"shape": list(np.shape(values)), "type": kind, "data": text}


def single(values) -> np.ndarray:
    """The numbers that a float32 holds, in float64."""
    return np.asarray(values, np.float32).astype(np.float64)


# Depth


def draw_depth(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Two slanted planes with noise, holes, lone pixels and values out of range; metres."""
    rows, columns = np.indices(shape)
    depth = 0.6 + 0.0004 * columns + 0.0002 * rows
    depth[columns > shape[1] * 0.6] += 0.006
    depth[rows > shape[0] * 0.7] += 0.4
    depth += random.normal(0, 0.0004, shape)
    depth[random.random(shape) < 0.12] = 0
    depth[random.random(shape) < 0.04] += 0.05
    depth[1, 2], depth[3, 4], depth[5, 6] = 100, 150, 0.0005
    depth[10:16, 3:9] = 0
    return single(depth)


def windows(depth: np.ndarray, radius: int):
    """For each pixel: its row, column, and its window's values, rows and columns."""
    height, width = depth.shape
    for row in range(height):
        for column in range(width):
            rows = np.arange(max(row - radius, 0), min(row + radius + 1, height))
            columns = np.arange(max(column - radius, 0), min(column + radius + 1, width))
            yield row, column, depth[np.ix_(rows, columns)], rows[:, None], columns[None, :]


def filter_depth(depth: np.ndarray, options: dict) -> tuple[np.ndarray, float]:
    """The filtered image, and how near a decision was to going the other way."""
    near, far = single(options["min_depth"]), single(options["max_depth"])
    most, share = single(options["max_difference"]), single(options["max_bad_share"])
    out = np.zeros_like(depth)
    margin = np.inf
    for row, column, values, rows, columns in windows(depth, options["radius"]):
        valid = (values >= near) & (values < far)
        center = depth[row, column]
        if options["stage"] == 0:
            if not near <= center < far:
                continue
            away = np.abs(values - center)
            bad = ~valid | (away > most)
            margin = min(margin, np.abs(away[valid] - most).min())
            out[row, column] = 0 if bad.sum() / bad.size > share else center
        elif valid.any():
            away = np.abs(values - values[valid].mean())
            used = valid & (away < most)
            margin = min(margin, np.abs(away[valid] - most).min())
            if used.any():
                space = ((rows - row) ** 2 + (columns - column) ** 2) / (2 * options["sigma_space"] ** 2)
                range_ = (values - center) ** 2 / (2 * options["sigma_depth"] ** 2)
                weights = np.where(used, np.exp(-space - range_), 0)
                if weights.sum() > 0:
                    out[row, column] = (weights * values).sum() / weights.sum()
    return out, margin


def depth_cases(random: np.random.Generator) -> dict:
    shape = (27, 33)
    depth = draw_depth(random, shape)
    base = {"radius": 2, "min_depth": 0.001, "max_depth": 100, "max_difference": 0.001}
    base |= {"max_bad_share": 0.8, "sigma_space": 2, "sigma_depth": 1e5, "stage": 0}
    smooth = base | {"stage": 1, "max_difference": 0.01}
    listed = {
        "erode": base,
        "erode, radius 1, half": base | {"radius": 1, "max_bad_share": 0.5},
        "erode, least depth 0.7": base | {"min_depth": 0.7, "max_difference": 0.01},
        "smooth": smooth,
        "smooth, radius 3": smooth | {"radius": 3, "sigma_space": 1.1},
        "smooth, narrow in depth": smooth | {"sigma_depth": 0.4},
    }
    cases = []
    for name, options in listed.items():
        filtered, margin = filter_depth(depth, options)
        assert margin > 1e-8, (name, margin)
        cases.append({"name": name, "options": options, "filtered": pack(filtered, "float32")})
    return {"depth": pack(depth, "float32"), "cases": cases}


# Crops


def warp_cases(random: np.random.Generator) -> dict:
    height, width, rows, columns = 25, 29, 13, 15
    y, x = np.indices((height, width))
    waves = [np.sin(x / 5 + phase) * np.cos(y / (4 + phase)) for phase in range(3)]
    image = np.clip(128 + 100 * np.stack(waves, -1) + random.normal(0, 6, (height, width, 3)), 0, 255)
    image = image.astype(np.uint8)
    points = random.integers(-99, 100, (height, width, 3)) / 64
    turn = np.array([[0.8, -0.6, 9], [0.6, 0.8, 1], [0, 0, 1]])
    listed = [
        ("inside, smaller", np.array([[0.75, 0, 7], [0, 0.75, 6], [0, 0, 1]])),
        ("past all borders", np.array([[2.75, 0, -9.25], [0, 2.5, -6.5], [0, 0, 1]])),
        ("larger", np.array([[0.21, 0, 14.3], [0, 0.19, 11.1], [0, 0, 1]])),
        ("turned", turn),
        ("in perspective", np.array([[1.1, 0.2, 3], [-0.1, 1.2, 2], [0.004, -0.003, 1]])),
        ("outside", np.array([[1, 0, 500], [0, 1, 500], [0, 0, 1]])),
    ]
    transforms = single(np.stack([matrix for _, matrix in listed]))
    i, j = np.meshgrid(np.arange(columns), np.arange(rows))
    grid = np.stack([i, j, np.ones_like(i)], -1)
    rgb, xyz, doubtful = [], [], []
    for (name, _), matrix in zip(listed, transforms):
        place = grid @ matrix.T
        u, v = place[..., 0] / place[..., 2], place[..., 1] / place[..., 2]
        crop = np.stack(
            [
                map_coordinates(image[..., c].astype(float), [v, u], order=1, mode="grid-constant")
                for c in range(3)
            ],
            -1,
        )
        # OpenCV interpolates at 1/32 of a pixel.
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        other = cv2.warpPerspective(image, matrix, (columns, rows), flags=flags)
        assert np.abs(crop - other).mean() < 1.5, name
        nearest_u, nearest_v = np.floor(u + 0.5), np.floor(v + 0.5)
        inside = (nearest_u >= 0) & (nearest_v >= 0) & (nearest_u < width) & (nearest_v < height)
        at = np.where(inside, nearest_v * width + nearest_u, 0).astype(int)
        rgb.append(crop / 255)
        xyz.append(np.where(inside[..., None], points.reshape(-1, 3)[at], 0))
        distance = [np.abs(value + 0.5 - np.round(value + 0.5)) for value in (u, v)]
        # Ties of the first two are exact in float32, and must be rounded up.
        is_exact = name in ("inside, smaller", "past all borders")
        doubtful.append(np.zeros_like(inside) if is_exact else np.minimum(*distance) < 1e-4)
    return {
        "names": [name for name, _ in listed],
        "image": pack(image, "uint8"),
        "points": pack(points, "float32"),
        "transforms": pack(transforms, "float32"),
        "rgb": pack(np.stack(rgb), "float32"),
        "xyz": pack(np.stack(xyz), "float32"),
        "doubtful": pack(np.stack(doubtful), "uint8"),
    }


def input_case(random: np.random.Generator) -> dict:
    shape = (3, 7, 9)
    poses = np.stack([np.eye(4)] * 3)
    poses[:, :3, 3] = [[0.1, -0.05, 0.6], [0, 0.02, 0.9], [-0.2, 0, 0.05]]
    poses[:, :3, :3] = Rotation.random(3, rng=random).as_matrix()
    poses = single(poses)
    rgb = single(random.random((*shape, 3)))
    xyz = single(poses[:, None, None, :3, 3] + random.normal(0, 0.08, (*shape, 3)))
    xyz[random.random(shape) < 0.3] = 0
    cases = []
    for min_depth in (0.001, 0.1):
        radius = single(0.061)
        scaled = (xyz - poses[:, None, None, :3, 3]) / radius
        assert np.abs(np.abs(scaled) - 2).min() > 1e-5
        valid = xyz[..., 2:] >= single(min_depth)
        scaled = np.where(valid & (np.abs(scaled) < 2), scaled, 0)
        tensor = np.concatenate([rgb, scaled], -1)
        case = {"min_depth": min_depth, "radius": 0.061, "tensor": pack(tensor, "float32")}
        cases.append(case)
    arrays = {"poses": poses, "rgb": rgb, "xyz": xyz}
    return {name: pack(value, "float32") for name, value in arrays.items()} | {"cases": cases}


# Rendering

LENS = {"fx": 310.5, "fy": 305.25, "cx": 158.3, "cy": 121.7}
NEAR, FAR = 0.001, 100.0
AMBIENT, DIFFUSE = 0.8, 0.5


def box_mesh() -> tuple[np.ndarray, np.ndarray]:
    """A box with a texture coordinate of its own for each face's corners, some beyond [0, 1]."""
    box = trimesh.creation.box((0.12, 0.08, 0.05))
    faces = box.faces
    positions = box.vertices[faces].reshape(-1, 3)
    normals = np.repeat(box.face_normals, 3, axis=0)
    size = positions / box.extents + 0.5
    axis = np.argmax(np.abs(normals), axis=1)
    uv = np.stack([size[i, np.arange(3) != a] for i, a in enumerate(axis)]) * 1.7 - 0.3
    looks = np.concatenate([uv, np.zeros((len(uv), 1))], 1)
    return np.concatenate([positions, normals, looks], 1), np.arange(len(positions)).reshape(-1, 3)


def ball_mesh(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid with a colour at each vertex."""
    ball = trimesh.creation.icosphere(1, 0.05)
    ball.apply_scale([1.4, 1, 0.8])
    colors = random.random((len(ball.vertices), 3))
    return np.concatenate([ball.vertices, ball.vertex_normals, colors], 1), ball.faces


def pose_of(angles: tuple, translation: tuple) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    pose[:3, 3] = translation
    return pose


def texture_at(texels: np.ndarray, u: float, v: float) -> np.ndarray:
    height, width = texels.shape[:2]
    x, y = u * width - 0.5, v * height - 0.5
    coordinates = [[y], [x]]
    channels = [
        map_coordinates(texels[..., c].astype(float), coordinates, order=1, mode="grid-wrap")[0]
        for c in range(3)
    ]
    return np.array(channels) / 255


def cast(points: np.ndarray, faces: np.ndarray, x: float, y: float):
    """The nearest triangle that the ray (x, y, 1) meets, and where: (face, depth, weights)."""
    corners = points[faces]
    # depth·ray = a + s·(b − a) + t·(c − a)
    matrices = np.stack(
        [
            np.broadcast_to([x, y, 1.0], (len(faces), 3)),
            corners[:, 0] - corners[:, 1],
            corners[:, 0] - corners[:, 2],
        ],
        -1,
    )
    regular = np.abs(np.linalg.det(matrices)) > 1e-14
    depth, s, t = np.full((3, len(faces)), -1.0)
    solved = np.linalg.solve(matrices[regular], corners[regular, 0][..., None])[..., 0]
    depth[regular], s[regular], t[regular] = solved.T
    hit = regular & (s >= 0) & (t >= 0) & (s + t <= 1) & (depth >= NEAR) & (depth <= FAR)
    if not hit.any():
        return -1, 0.0, (0.0, 0.0, 0.0)
    face = int(np.argmin(np.where(hit, depth, np.inf)))
    return face, depth[face], (1 - s[face] - t[face], s[face], t[face])


def render(vertices, faces, texels, pose, window, size):
    """z, rgb, and whether a pixel's centre is at least 0.08 pixels from where another face begins."""
    width, height = size
    left, top, right, bottom = window
    points = vertices[:, :3] @ pose[:3, :3].T + pose[:3, 3]
    facing = np.clip(-(vertices[:, 3:6] @ pose[2, :3]), 0, 1)
    depth, sure = np.zeros((height, width)), np.zeros((height, width), bool)
    rgb = np.zeros((height, width, 3))
    around = [(0, 0)] + [(0.08 * dx, 0.08 * dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
    for row in range(height):
        for column in range(width):
            hits = []
            for dx, dy in around:
                u = left + (column + 0.5 + dx) * (right - left) / width
                v = top + (row + 0.5 + dy) * (bottom - top) / height
                x, y = (u - LENS["cx"]) / LENS["fx"], (v - LENS["cy"]) / LENS["fy"]
                hits.append(cast(points, faces, x, y))
            face, depth[row, column], weights = hits[0]
            sure[row, column] = all(other[0] == face for other in hits)
            if face < 0:
                continue
            look = np.array(weights) @ vertices[faces[face], 6:]
            color = look if texels is None else texture_at(texels, look[0], look[1])
            light = AMBIENT + DIFFUSE * (np.array(weights) @ facing[faces[face]])
            rgb[row, column] = np.clip(color * light, 0, 1)
    return depth, rgb, sure


def render_cases(random: np.random.Generator) -> list[dict]:
    size = (28, 22)
    texels = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    views = [
        ("whole", pose_of((25, -40, 10), (0.02, -0.01, 0.5)), (115, 70, 230, 165)),
        ("cut by the crop", pose_of((-70, 20, 130), (0.1, 0.03, 0.4)), (200, 100, 250, 150)),
        ("nearest corner behind z_near", pose_of((40, 50, 0), (0.0, 0.0, 0.03)), (0, 0, 320, 240)),
        ("behind the camera", pose_of((0, 0, 0), (0, 0, -0.5)), (100, 60, 220, 180)),
    ]
    box, box_faces = box_mesh()
    ball, ball_faces = ball_mesh(random)
    cases = []
    for name, vertices, faces, image in (
        ("box with a texture", single(box), box_faces, texels),
        ("ellipsoid with vertex colours", single(ball), ball_faces, None),
    ):
        poses = single(np.stack([pose for _, pose, _ in views]))
        frames = np.array([window for _, _, window in views], float)
        rendered = [
            render(vertices, faces, image, pose, window, size) for pose, window in zip(poses, frames)
        ]
        depth, rgb, sure = (np.stack(part) for part in zip(*rendered))
        case = {
            "name": name,
            "views": [view for view, _, _ in views],
            "size": size,
            "vertices": pack(vertices, "float32"),
            "indices": pack(faces, "uint32"),
            "texels": None if image is None else pack(image, "uint8"),
            "poses": pack(poses, "float32"),
            "windows": pack(frames, "float32"),
            "depth": pack(depth, "float32"),
            "rgb": pack(np.round(rgb * 65535), "uint16"),
            "sure": pack(sure, "uint8"),
        }
        print(name, [f"{part.mean():.2f} sure, {np.mean(z > 0):.2f} seen" for part, z in zip(sure, depth)])
        cases.append(case)
    return cases


def normals_case(random: np.random.Generator) -> dict:
    """trimesh's vertex normals of a dented ellipsoid."""
    ball = trimesh.creation.icosphere(1, 0.05)
    ball.vertices = ball.vertices * [1.4, 1, 0.8] + random.normal(0, 0.004, ball.vertices.shape)
    positions = single(ball.vertices)
    mesh = trimesh.Trimesh(positions, ball.faces, process=False)
    weighted = trimesh.geometry.weighted_vertex_normals(
        len(positions), mesh.faces, mesh.face_normals, mesh.face_angles
    )
    return {
        "positions": pack(positions, "float32"),
        "indices": pack(mesh.faces, "uint32"),
        "normals": pack(weighted, "float32"),
    }


def main() -> None:
    random = np.random.default_rng(11)
    manifest = {
        "depth_filter": depth_cases(random),
        "crop_warp": warp_cases(random),
        "pose_input": input_case(random),
        "lens": LENS | {"z_near": NEAR, "z_far": FAR, "ambient": AMBIENT, "diffuse": DIFFUSE},
        "render": render_cases(random),
        "normals": normals_case(random),
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(manifest) + "\n")
    print(f"{FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
