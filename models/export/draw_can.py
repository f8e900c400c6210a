"""A watering can as triangles, finer or coarser: what make_pose_demo.py draws, and its mesh."""

from __future__ import annotations

import numpy as np

# Metres. The origin is in the middle of the bottom, z is up, the spout is along +x.
PROFILE = [
    (0, 0), (0.050, 0), (0.054, 0.006), (0.047, 0.088), (0.050, 0.094),
    (0.046, 0.094), (0.043, 0.086), (0.040, 0.060), (0, 0.060),
]
SPOUT = [
    (0.044, 0.022, 0.0135), (0.062, 0.034, 0.011), (0.085, 0.068, 0.0085), (0.108, 0.106, 0.0075),
]
ROSE = [(0.108, 0.106, 0.0075), (0.118, 0.1215, 0.019), (0.1205, 0.1255, 0.019)]
HANDLE = [
    (-0.040, 0.090), (-0.062, 0.112), (-0.090, 0.104),
    (-0.099, 0.074), (-0.082, 0.046), (-0.047, 0.026),
]
BRACE = [(0.043, 0.092), (0.030, 0.124), (0.000, 0.134), (-0.030, 0.124), (-0.043, 0.092)]
THICKNESS = 0.0062

Mesh = tuple[np.ndarray, np.ndarray]


def smooth(points: list[tuple[float, ...]], count: int) -> np.ndarray:
    """Catmull and Rom's curve through the points: float64 [count, k]."""
    p = np.array(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    at = np.linspace(0, len(points) - 1, count)
    i = np.minimum(at.astype(int), len(points) - 2)
    t = (at - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def sweep(path: np.ndarray, radii: np.ndarray, sides: int) -> Mesh:
    """A tube around a path [n, 2] in the plane y = 0, closed at both ends."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    angle = np.arange(sides) * 2 * np.pi / sides
    sideways = np.stack([-along[:, 1], along[:, 0]], 1)
    across = sideways[:, None] * (radii[:, None] * np.cos(angle))[..., None]
    rings = np.empty((len(path), sides, 3))
    rings[..., [0, 2]] = path[:, None] + across
    rings[..., 1] = radii[:, None] * np.sin(angle)
    first, last = len(path) * sides, len(path) * sides + 1
    points = np.vstack([rings.reshape(-1, 3), np.insert(path[[0, -1]], 1, 0, axis=1)])
    faces = []
    for k in range(sides):
        n = (k + 1) % sides
        for r in range(len(path) - 1):
            a, b, c, d = r * sides + k, r * sides + n, (r + 1) * sides + k, (r + 1) * sides + n
            faces += [(a, c, b), (b, c, d)]
        end = (len(path) - 1) * sides
        faces += [(first, k, n), (last, end + n, end + k)]
    return points, np.array(faces)


def turned(profile: list[tuple[float, float]], sides: int) -> Mesh:
    """A profile (radius, z) turned about z; it begins and ends on the axis."""
    rings = np.array(profile[1:-1])
    angle = np.arange(sides) * 2 * np.pi / sides
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    heights = np.repeat(rings[:, None, 1:], sides, 1)
    points = np.concatenate([rings[:, None, :1] * circle, heights], 2)
    points = np.vstack([points.reshape(-1, 3), [[0, 0, profile[0][1]], [0, 0, profile[-1][1]]]])
    bottom, top = len(points) - 2, len(points) - 1
    faces = []
    for k in range(sides):
        n = (k + 1) % sides
        for r in range(len(rings) - 1):
            a, b, c, d = r * sides + k, r * sides + n, (r + 1) * sides + k, (r + 1) * sides + n
            faces += [(a, b, c), (b, d, c)]
        end = (len(rings) - 1) * sides
        faces += [(bottom, n, k), (top, end + k, end + n)]
    return points, np.array(faces)


def joined(parts: list[Mesh]) -> Mesh:
    points, faces, count = [], [], 0
    for part_points, part_faces in parts:
        points.append(part_points)
        faces.append(part_faces + count)
        count += len(part_points)
    return np.vstack(points), np.vstack(faces)


def watering_can(detail: int) -> Mesh:
    """Vertices float64 [V, 3] in metres and triangles int [F, 3]; detail 1 has a few hundred."""
    def tube(
        points: list[tuple[float, ...]], rings: int, sides: int, radius: float | None = None
    ) -> Mesh:
        curve = smooth(points, rings * detail)
        radii = curve[:, 2] if radius is None else np.full(len(curve), radius)
        return sweep(curve[:, :2], radii, sides * detail)

    rose = np.array(ROSE)
    return joined([
        turned(PROFILE, 21 * detail),
        tube(SPOUT, 6, 8),
        sweep(rose[:, :2], rose[:, 2], 12 * detail),
        tube(HANDLE, 9, 6, THICKNESS),
        tube(BRACE, 7, 6, THICKNESS * 0.8),
    ])
