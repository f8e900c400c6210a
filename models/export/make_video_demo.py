#!/usr/bin/env python3
"""Make models/embedded/video-demo.json, and the frames that make_video_demo.ts encodes beside it.

The clip is one of models/train/segment's held-out ones (that folder's README has its packages), drawn
like those that segment-mini learned from, but not one of them. The JSON has a click for each of two
balls on frame 0, normalised, and their true masks on some frames, as COCO's strings; null where a ball
is out of the picture.
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
import clips  # noqa: E402

SEED = clips.HELD_OUT + 913
FPS = 10
OBJECTS = {"red ball": 1, "green ball": 3}
CHECKED = (0, 10, 20, 29)
FRAMES = ROOT / ".cache" / "video-demo.png"


def counts(mask: np.ndarray) -> str | None:
    """pycocotools' string of a mask; None for an empty one."""
    if not mask.any():
        return None
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


def main() -> int:
    pictures, labels, _ = clips.held_out_clip(SEED)
    frames, height, width, _ = pictures.shape
    objects = []
    for name, number in OBJECTS.items():
        ys, xs = np.nonzero(labels[0] == number + 1)
        click = [round(float(xs.mean()) / width, 3), round(float(ys.mean()) / height, 3)]
        truth = {frame: counts(labels[frame] == number + 1) for frame in CHECKED}
        objects.append({"name": name, "click": click, "truth": truth})
    FRAMES.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(FRAMES), pictures.reshape(-1, width, 3)[..., ::-1])
    entry = {
        "seed": SEED, "width": width, "height": height, "frames": frames, "fps": FPS,
        "objects": objects,
    }  # fmt: skip
    target = ROOT / "models" / "embedded" / "video-demo.json"
    target.write_text(json.dumps(entry, indent=2) + "\n")
    print(f"{FRAMES}: {frames} frames; now bun models/export/make_video_demo.ts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
