#!/usr/bin/env python3
"""Make models/embedded/segment-demo.jpg and .json: a scene that segment-mini was not trained on.

The scene is one of models/train/segment's held-out ones (that folder's README has its packages).
The JSON has prompts in the wire's units and the true masks of what they mean, as COCO's strings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models" / "train" / "segment"))
import generate  # noqa: E402
from vocabulary import COLOURS, SHAPES  # noqa: E402

SEED = generate.HELD_OUT + 4172
CLICK, BOX, TEXT = ("orange", "sphere"), ("pink", "cone"), ("purple", "cube")


def counts(mask: np.ndarray) -> str:
    """pycocotools' string of a mask."""
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


def main() -> int:
    picture, label, words, _ = generate.held_out_scene(SEED)
    height, width = label.shape

    def masks(colour: str, shape: str) -> list[np.ndarray]:
        wanted = COLOURS.index(colour), SHAPES.index(shape)
        return [label == k + 1 for k, row in enumerate(words) if tuple(row[:2]) == wanted]

    (clicked,), (boxed,), named = masks(*CLICK), masks(*BOX), masks(*TEXT)
    ys, xs = np.nonzero(clicked)
    by, bx = np.nonzero(boxed)
    left, top, right, bottom = bx.min(), by.min(), bx.max() + 1, by.max() + 1
    sides = [(left + right) / 2 / width, (top + bottom) / 2 / height]
    sides += [(right - left) / width, (bottom - top) / height]
    entry = {
        "seed": SEED,
        "width": width,
        "height": height,
        "click": [round(float(xs.mean()) / width, 3), round(float(ys.mean()) / height, 3)],
        "box": [round(float(side), 3) for side in sides],
        "text": " ".join(TEXT),
        "truth": {
            "click": counts(clicked),
            "box": counts(boxed),
            "text": [counts(mask) for mask in named],
        },
    }
    target = ROOT / "models" / "embedded" / "segment-demo.jpg"
    cv2.imwrite(str(target), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    target.with_suffix(".json").write_text(json.dumps(entry, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
