#!/usr/bin/env python3
"""Make test/fixtures/mask-polygons: polygons, and the masks that pycocotools fills them with.

The test's own filling of polygons is held against these, and then fills what the server writes.
Everything is seeded.

    python models/export/make_mask_polygons.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "mask-polygons"


def cases() -> dict[str, tuple[int, int, list[float]]]:
    """Name → height, width and [x0, y0, x1, y1, …]."""
    random = np.random.default_rng(5)
    ring = [0, 0, 9, 0, 9, 7, 0, 7]
    cut = [0, 0, 3, 0, 3, 2, 3, 5, 6, 5, 6, 2, 3, 2, 3, 0, 9, 0, 9, 7, 0, 7]
    found = {
        "whole picture": (7, 9, ring),
        "rectangle": (20, 30, [4, 3, 17, 3, 17, 11, 4, 11]),
        "one pixel": (5, 5, [2, 3, 3, 3, 3, 4, 2, 4]),
        "hole joined by a cut": (7, 9, cut),
        "anticlockwise": (7, 9, [2, 1, 2, 6, 8, 6, 8, 1]),
        "triangle": (20, 30, [3.5, 2.25, 27.5, 9.75, 8.0, 18.5]),
        "crossing itself": (16, 16, [1, 1, 14, 14, 14, 1, 1, 14]),
        "leaving the picture": (12, 18, [-4, -3, 25, 5, 6, 17]),
        "through pixel middles": (10, 12, [2, 2, 8, 2, 8, 6, 2, 6]),
    }
    for points in (3, 5, 8, 13, 40):
        height, width = (int(value) for value in random.integers(15, 40, 2))
        corners = random.uniform((0, 0), (width, height), (points, 2)).round(3)
        found[f"{points} random corners"] = (height, width, corners.ravel().tolist())
    return found


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    described = []
    for name, (height, width, polygon) in cases().items():
        runs = coco.frPyObjects([polygon], height, width)[0]
        size = {"name": name, "height": height, "width": width}
        described.append(size | {"polygon": polygon, "counts": runs["counts"].decode()})
    file = FOLDER / "manifest.json"
    file.write_text(json.dumps({"polygons": described}, indent=1) + "\n")
    print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
