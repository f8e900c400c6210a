"""FoundationPose's loop in NumPy, float64, written from the paper and the facts of its published graphs.

Hypotheses at the mask, crops, a refiner some times, and what a scorer sees of the set. Pictures are made
by definition: every pixel's ray is met with each triangle through the inverse of its corners,
crops are sampled by SciPy, and turns are SciPy's. The refiner is a function that is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import trimesh
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

SIDE = 160
REFINER_RATIO, SCORER_RATIO = 1.2, 1.1
REFINER_NEAREST, SCORER_NEAREST = 0.001, 0.1
MAX_ANGLE = 0.3490658503988659
NEAR, FAR = 0.001, 100.0
AMBIENT, DIFFUSE = 0.8, 0.5

# (rendered, observed), each [N, 160, 160, 6] → (translation [N, 3], rotation [N, 3])
Refiner = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass
class Mesh:
    """Vertices in the mesh's own frame, metres; colours in [0, 1]."""

    positions: np.ndarray
    faces: np.ndarray
    colors: np.ndarray
    center: np.ndarray = field(init=False)
    diameter: float = field(init=False)
    normals: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.center = (self.positions.min(0) + self.positions.max(0)) / 2
        between = self.positions[:, None] - self.positions[None]
        self.diameter = float(np.linalg.norm(between, axis=-1).max())
        self.normals = trimesh.Trimesh(self.positions, self.faces, process=False).vertex_normals


@dataclass
class Frame:
    """What the camera saw: rgb uint8, depth filtered, metres; K as fx, fy, cx, cy."""

    rgb: np.ndarray
    depth: np.ndarray
    camera: tuple[float, float, float, float]

    @property
    def points(self) -> np.ndarray:
        """Camera-frame points of all pixels, 0 where there is no depth."""
        fx, fy, cx, cy = self.camera
        v, u = np.indices(self.depth.shape)
        rays = np.stack([(u - cx) / fx, (v - cy) / fy, np.ones_like(u)], -1)
        return rays * self.depth[..., None]


def hypotheses() -> np.ndarray:
    """252 rotations [3, 3], object → camera: 42 viewpoints on a sphere, 6 turns about each line of sight."""
    rotations = []
    for eye in trimesh.creation.icosphere(subdivisions=1).vertices:
        z = -eye / np.linalg.norm(eye)
        x = np.cross([0, 0, 1], z)
        x = x / np.linalg.norm(x) if np.linalg.norm(x) > 1e-9 else np.array([1.0, 0, 0])
        camera = np.stack([x, np.cross(z, x), z], 1)
        for turn in range(6):
            inplane = Rotation.from_euler("z", 60 * turn, degrees=True).as_matrix()
            rotations.append((camera @ inplane).T)
    return np.stack(rotations)


def initial_translation(frame: Frame, mask: np.ndarray) -> np.ndarray:
    """The middle of the mask's box at the median of its depths."""
    fx, fy, cx, cy = frame.camera
    rows, columns = np.nonzero(mask)
    z = np.median(frame.depth[(mask > 0) & (frame.depth >= NEAR)])
    u, v = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    return np.array([(u - cx) / fx * z, (v - cy) / fy * z, z])


def square(pose: np.ndarray, frame: Frame, radius: float) -> np.ndarray:
    """left, top, right, bottom around t and t ± radius along x and y, before rounding."""
    fx, fy, cx, cy = frame.camera
    place = pose[:3, 3]
    around = place + np.array([[0, 0, 0], [radius, 0, 0], [-radius, 0, 0], [0, radius, 0], [0, -radius, 0]])
    uv = np.stack([fx * around[:, 0] / around[:, 2] + cx, fy * around[:, 1] / around[:, 2] + cy], 1)
    half = np.abs(uv[1:] - uv[0]).max()
    return np.array([*(uv[0] - half), *(uv[0] + half)])


def margin_of(edges: np.ndarray) -> float:
    """How far, in pixels, an edge is from where it would be rounded the other way."""
    return float(np.abs(edges - np.floor(edges) - 0.5).min())


def rays_of(window: np.ndarray, size: tuple[int, int], camera: tuple) -> np.ndarray:
    """[h, w, 3]: the rays through the middles of a window's pixels."""
    fx, fy, cx, cy = camera
    left, top, right, bottom = window
    width, height = size
    u = left + (np.arange(width) + 0.5) * (right - left) / width
    v = top + (np.arange(height) + 0.5) * (bottom - top) / height
    x, y = np.meshgrid((u - cx) / fx, (v - cy) / fy)
    return np.stack([x, y, np.ones_like(x)], -1)


def render(mesh: Mesh, pose: np.ndarray, window: np.ndarray, size: tuple[int, int], camera: tuple):
    """rgb and camera-frame points [h, w, 3] of the centred mesh; 0 where nothing is seen."""
    rays = rays_of(window, size, camera)
    corners = (mesh.positions - mesh.center) @ pose[:3, :3].T + pose[:3, 3]
    facing = np.clip(-(mesh.normals @ pose[2, :3]), 0, 1)
    left, top, right, bottom = window
    width, height = size
    fx, fy, cx, cy = camera
    columns = (fx * corners[:, 0] / corners[:, 2] + cx - left) / (right - left) * width - 0.5
    rows = (fy * corners[:, 1] / corners[:, 2] + cy - top) / (bottom - top) * height - 0.5
    depth = np.full((height, width), np.inf)
    rgb, points = np.zeros((2, height, width, 3))
    for face in mesh.faces:
        box = [
            slice(max(int(np.floor(at[face].min())), 0), min(int(np.ceil(at[face].max())) + 1, end))
            for at, end in ((rows, height), (columns, width))
        ]
        if any(part.start >= part.stop for part in box):
            continue
        matrix = corners[face].T
        if abs(np.linalg.det(matrix)) < 1e-12:
            continue
        # The ray at depth z is Σ wᵢ·cornerᵢ with Σ wᵢ = 1; without the depth the weights are w/z.
        weights = rays[*box] @ np.linalg.inv(matrix).T
        total = weights.sum(-1)
        inside = (weights >= 0).all(-1) & (total > 0)
        z = np.where(inside, 1 / np.where(inside, total, 1), np.inf)
        nearer = inside & (z < depth[*box]) & (z >= NEAR) & (z <= FAR)
        depth[*box] = np.where(nearer, z, depth[*box])
        shares = weights / np.where(inside, total, 1)[..., None]
        light = AMBIENT + DIFFUSE * (shares @ facing[face])
        color = np.clip(shares @ mesh.colors[face] * light[..., None], 0, 1)
        rgb[*box] = np.where(nearer[..., None], color, rgb[*box])
    seen = np.isfinite(depth)
    points[seen] = rays[seen] * depth[seen][:, None]
    return rgb, points


def crop(frame: Frame, points: np.ndarray, edges: np.ndarray):
    """rgb, bilinear, and points, nearest, of a square of the frame; 0 outside of it."""
    left, top, right, bottom = edges
    u = left + np.arange(SIDE) * (right - left) / SIDE
    v = top + np.arange(SIDE) * (bottom - top) / SIDE
    columns, rows = np.meshgrid(u, v)
    channels = [
        map_coordinates(frame.rgb[..., c] / 255.0, [rows, columns], order=1, mode="grid-constant")
        for c in range(3)
    ]
    x, y = np.floor(columns + 0.5).astype(int), np.floor(rows + 0.5).astype(int)
    height, width = frame.depth.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    xyz = points[np.where(inside, y, 0), np.where(inside, x, 0)]
    return np.stack(channels, -1), np.where(inside[..., None], xyz, 0)


def normalised(rgb: np.ndarray, points: np.ndarray, pose: np.ndarray, radius: float, nearest: float):
    """[160, 160, 6]: colour, and points from the pose's translation by half the diameter."""
    xyz = (points - pose[:3, 3]) / radius
    xyz = np.where((points[..., 2:] >= nearest) & (np.abs(xyz) < 2), xyz, 0)
    return np.concatenate([rgb, xyz], -1)


def network_inputs(mesh: Mesh, frame: Frame, poses: np.ndarray, ratio: float, nearest: float):
    """What both networks take, [N, 160, 160, 6] twice, and each square's margin."""
    points = frame.points
    rendered, observed, margins = [], [], []
    for pose in poses:
        exact = square(pose, frame, mesh.diameter * ratio / 2)
        edges = np.floor(exact + 0.5)
        margins.append(margin_of(exact))
        # Crops show what lies from their first pixel to their last, and are sampled from the former.
        window = edges.copy()
        window[2:] = edges[:2] + (edges[2:] - edges[:2]) * (SIDE - 1) / SIDE
        drawn = render(mesh, pose, window, (SIDE, SIDE), frame.camera)
        seen = crop(frame, points, edges)
        radius = mesh.diameter / 2
        rendered.append(normalised(*drawn, pose, radius, nearest))
        observed.append(normalised(*seen, pose, radius, nearest))
    return np.stack(rendered), np.stack(observed), np.array(margins)


def refine(mesh: Mesh, frame: Frame, poses: np.ndarray, refiner: Refiner, iterations: int):
    """The poses moved by the refiner, and the least margin of any of their squares."""
    poses = poses.copy()
    least = np.full(len(poses), np.inf)
    for _ in range(iterations):
        a, b, margins = network_inputs(mesh, frame, poses, REFINER_RATIO, REFINER_NEAREST)
        least = np.minimum(least, margins)
        translation, rotation = refiner(a, b)
        poses[:, :3, 3] += translation * mesh.diameter / 2
        turns = Rotation.from_rotvec(np.tanh(rotation) * MAX_ANGLE).as_matrix()
        poses[:, :3, :3] = turns.transpose(0, 2, 1) @ poses[:, :3, :3]
    return poses, least


def uncentred(pose: np.ndarray, center: np.ndarray) -> np.ndarray:
    """The pose of the mesh's own coordinates: pose · T(−center)."""
    shift = np.eye(4)
    shift[:3, 3] = -center
    return pose @ shift
