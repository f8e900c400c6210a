#!/usr/bin/env python3
"""Make test/fixtures/pose-refine: what the kernels that refine and judge poses must compute.

References in float64, by definition: NumPy for pairs, normal equations and counts, and SciPy's matrix
exponential and least squares for a step of ICP. Everything is seeded, and no decision (which pixel a
point falls on, whether a pair is near or alike enough) is nearer to going the other way than
float32's rounding.

    python models/export/make_pose_refine.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from make_pose_kernels import pack, single

FILE = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "pose-refine" / "manifest.json"
LENS = {"fx": 61.5, "fy": 60.25, "cx": 14.3, "cy": 11.8}
WIDTH, HEIGHT = 29, 25
AXES = np.array([0.07, 0.05, 0.04])


def pose_of(angles, translation) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    pose[:3, 3] = translation
    return pose


def observe(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of an ellipsoid at a pose before a slanted wall, with holes in both."""
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([(u - LENS["cx"]) / LENS["fx"], (v - LENS["cy"]) / LENS["fy"], np.ones_like(u)], -1)
    turn, place = pose[:3, :3], pose[:3, 3]
    shape = turn @ np.diag(AXES**-2.0) @ turn.T
    a = np.einsum("...i,ij,...j", rays, shape, rays)
    b = -2 * rays @ shape @ place
    c = place @ shape @ place - 1
    root = b**2 - 4 * a * c
    depth = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / (2 * a), 0)
    wall = np.array([0.1, -0.2, -0.97])
    behind = wall @ [0, 0, 0.62] / (rays @ wall)
    hit = root > 0
    points = rays * np.where(hit, depth, behind)[..., None]
    normals = np.where(hit[..., None], (points - place) @ shape, wall)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return points, normals


def model(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of the ellipsoid in its own frame; every twelfth has no normal."""
    sphere = random.normal(size=(count, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    normals = sphere / AXES
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals[::12] = 0
    return sphere * AXES, normals


def pairs(points, normals, frame, pose, observed, planes, gates):
    """For each pair: arm, observed normal, residual; and which points are too near to a decision."""
    motion = pose @ np.linalg.inv(frame)
    moved = points @ motion[:3, :3].T + motion[:3, 3]
    turned = normals @ motion[:3, :3].T
    place = moved[:, :2] / moved[:, 2:] * [LENS["fx"], LENS["fy"]] + [LENS["cx"], LENS["cy"]]
    margin = np.abs(place + 0.5 - np.round(place + 0.5)).min(1) * 0.01
    pixel = np.floor(place + 0.5).astype(int)
    inside = ((pixel >= 0) & (pixel < [WIDTH, HEIGHT])).all(1) & (moved[:, 2] > 0)
    u, v = np.where(inside[:, None], pixel, 0).T
    there, plane = observed[v, u], planes[v, u]
    offset = there - moved
    distance, cosine = np.linalg.norm(offset, axis=1), (plane * turned).sum(1)
    margin = np.minimum(margin, np.abs(distance - gates["max_distance"]))
    margin = np.minimum(margin, np.abs(cosine - gates["min_cosine"]))
    away = (turned * moved).sum(1)
    margin = np.minimum(margin, np.abs(away))
    some = (away < 0) & inside & (there[:, 2] > 0) & plane.any(1)
    used = some & (distance <= gates["max_distance"]) & (cosine >= gates["min_cosine"])
    arm = (moved - pose[:3, 3])[used]
    doubtful = normals.any(1) & (margin < 1e-5)
    return arm, plane[used], (plane * offset).sum(1)[used], doubtful


def equations(arm, plane, residual):
    """The kernel's 29 sums, and the sums of what they add up without signs."""
    rows = np.concatenate([np.cross(arm, plane), plane], 1)
    upper = np.triu_indices(6)
    sums = []
    for size in (lambda x: x, np.abs):
        r, e = size(rows), size(residual)
        sums.append(np.concatenate([(r.T @ r)[upper], r.T @ e, [e @ e, len(e)]]))
    return sums


def stepped(pose, arm, plane, residual, damping):
    """The pose after the damped least-squares twist about its translation, by the matrix exponential."""
    rows = np.concatenate([np.cross(arm, plane), plane], 1)
    square = rows.T @ rows
    twist = np.linalg.solve(square + damping * np.diag(np.diag(square)), rows.T @ residual)
    w, v = twist[:3], twist[3:]
    generator = np.zeros((4, 4))
    generator[:3, :3] = [[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]]
    generator[:3, 3] = v
    there = np.eye(4)
    there[:3, 3] = pose[:3, 3]
    return there @ expm(generator) @ np.linalg.inv(there) @ pose


def icp_cases(random: np.random.Generator) -> dict:
    truth = pose_of((20, 35, -50), (0.01, -0.008, 0.45))
    observed, planes = observe(truth)
    observed[random.random((HEIGHT, WIDTH)) < 0.05] = 0
    planes[random.random((HEIGHT, WIDTH)) < 0.05] = 0
    observed, planes = single(observed), single(planes)
    poses = [pose_of(*p) for p in (
        ((24, 33, -55), (0.014, -0.004, 0.455)),
        ((12, 38, -46), (0.006, -0.012, 0.44)),
        ((32, 22, -62), (0.018, -0.001, 0.452)),
        ((20, 35, -50), (0.3, 0, 0.45)),
        ((20, 35, -50), (0, 0, -0.4)),
    )]
    poses = single(np.stack(poses))
    frames = single(np.stack([pose_of((5 * n, -8 * n, 30 - n), (0.1, -0.02 * n, 0.6)) for n in range(5)]))
    gates = {"max_distance": 0.02, "min_cosine": 0.8}
    given = {"max_distance": float(single(0.02)), "min_cosine": float(single(0.8))}
    cases = []
    for name, sets, count in (("a set for all", 1, 300), ("a set for each", 5, 140)):
        own = [np.eye(4)] if sets == 1 else list(frames)
        while True:
            clouds = [model(random, count) for _ in own]
            points = single(np.stack([p @ f[:3, :3].T + f[:3, 3] for (p, _), f in zip(clouds, own)]))
            normals = single(np.stack([n @ f[:3, :3].T for (_, n), f in zip(clouds, own)]))
            found = [
                pairs(points[n % sets], normals[n % sets], own[n % sets], pose, observed, planes, given)
                for n, pose in enumerate(poses)
            ]
            for n, (_, _, _, doubtful) in enumerate(found):
                normals[n % sets][doubtful] = 0
            found = [
                pairs(points[n % sets], normals[n % sets], own[n % sets], pose, observed, planes, given)
                for n, pose in enumerate(poses)
            ]
            if not any(doubtful.any() for *_, doubtful in found):
                break
        sums, scales = zip(*[equations(*f[:3]) for f in found])
        after = [stepped(p, *f[:3], 1e-3) if len(f[2]) > 6 else p for p, f in zip(poses, found)]
        print(name, [int(s[28]) for s in sums])
        cases.append({
            "name": name,
            "sets": sets,
            "points": pack(points, "float32"),
            "normals": pack(normals, "float32"),
            "frames": pack(np.stack(own), "float32"),
            "sums": pack(np.stack(sums), "float32"),
            "scales": pack(np.stack(scales), "float32"),
            "stepped": pack(np.stack(after), "float32"),
        })
    return {
        "lens": LENS,
        "gates": gates,
        "damping": 1e-3,
        "observed": pack(observed, "float32"),
        "observed_normals": pack(planes, "float32"),
        "poses": pack(poses, "float32"),
        "cases": cases,
    }


def score_case(random: np.random.Generator) -> dict:
    images, height, width = 4, 13, 17
    tolerance = 1 / 128
    # Multiples of 1/256 m, so that gaps are exact and some are as large as the tolerance.
    observed = (random.integers(126, 131, (images, height, width))) / 256
    rendered = (random.integers(126, 131, (images, height, width))) / 256
    observed[random.random(observed.shape) < 0.2] = 0
    rendered[random.random(rendered.shape) < 0.4] = 0
    rendered[3] = 0
    mask = random.random((images, height, width)) < 0.6
    rows = []
    for shared in (True, False):
        for n in range(images):
            seen, object_, model_ = observed[0 if shared else n], mask[0 if shared else n], rendered[n]
            both = (seen > 0) & (model_ > 0)
            gap = seen - model_
            near = both & (np.abs(gap) <= tolerance)
            inliers = near & object_
            rows.append([
                inliers.sum(),
                (both & (gap > tolerance)).sum(),
                (object_ & (model_ == 0)).sum(),
                (both & object_ & (gap < -tolerance)).sum(),
                (near & ~object_).sum(),
                (model_ > 0).sum(),
                np.abs(gap[inliers]).mean() if inliers.any() else 0,
            ])
    scores = np.array(rows, float).reshape(2, images, 7)
    return {
        "tolerance": tolerance,
        "rendered": pack(rendered, "float32"),
        "observed": pack(observed, "float32"),
        "mask": pack(mask, "uint8"),
        "shared": pack(scores[0], "float32"),
        "each": pack(scores[1], "float32"),
    }


def main() -> None:
    random = np.random.default_rng(29)
    manifest = {"icp": icp_cases(random), "score": score_case(random)}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(manifest) + "\n")
    print(f"{FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
