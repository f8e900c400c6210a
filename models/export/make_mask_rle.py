#!/usr/bin/env python3
"""Make test/fixtures/mask-rle: masks and logits, and the COCO runs that they must give.

The references are pycocotools and torch.nn.functional.interpolate in float32 on the CPU. Everything
is seeded.

    python models/export/make_mask_rle.py [--logits low_res_logits.npy] [--coco results.json]

Of real data only hashes are recorded; without these options those of the last time are kept:
--logits is float32 [1, h, w], SAM 2's for truck.jpg at the point (500, 375); --coco is the COCO API's
instances_val2014_fakesegm100_results.json.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from pycocotools import mask as coco
from torch.nn.functional import interpolate

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "mask-rle"
REAL_SIZES = ((1200, 1800), (1080, 1920), (4096, 4096), (333, 777), (100, 77))


def describe(mask: np.ndarray) -> dict:
    """Counts string, area and [x, y, width, height] of a mask [H, W], by pycocotools."""
    runs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "counts": runs["counts"].decode(),
        "area": int(coco.area(runs)),
        "box": coco.toBbox(runs).astype(int).tolist(),
    }


def packed(mask: np.ndarray) -> str:
    """One bit a pixel, row by row, the first in the highest bit."""
    return base64.b64encode(np.packbits(mask.astype(bool)).tobytes()).decode()


def small_masks() -> list[dict]:
    random = np.random.default_rng(7)
    checks = np.indices((8, 9)).sum(axis=0) % 2
    masks = {
        "one pixel outside": np.zeros((1, 1)),
        "one pixel inside": np.ones((1, 1)),
        "one row": random.random((1, 41)) < 0.5,
        "one column": random.random((41, 1)) < 0.5,
        "one row inside": np.ones((1, 41)),
        "one column inside": np.ones((41, 1)),
        "all outside": np.zeros((13, 17)),
        "all inside": np.ones((13, 17)),
        "checkerboard": checks,
        "checkerboard from inside": 1 - checks,
        "one pixel, last": np.arange(35).reshape(5, 7) == 34,
        "one pixel, first": np.arange(35).reshape(5, 7) == 0,
    }
    for height, width, density in (
        (31, 33, 0.5),
        (32, 32, 0.5),
        (33, 65, 0.5),
        (2, 127, 0.5),
        (64, 3, 0.5),
        (47, 53, 0.02),
        (47, 53, 0.98),
    ):
        masks[f"random {height}x{width}, {density}"] = random.random((height, width)) < density
    return [
        {"name": name, "height": mask.shape[0], "width": mask.shape[1], "bits": packed(mask)}
        | describe(mask)
        for name, mask in masks.items()
    ]


def large_masks() -> list[dict]:
    """Runs of more than 65,535 pixels; rectangles are [x, y, width, height]."""
    cases = (
        ("large, all outside", 700, 300, []),
        ("large, all inside", 700, 300, [[0, 0, 300, 700]]),
        ("long run outside, then one pixel", 700, 300, [[299, 699, 1, 1]]),
        ("long run inside, then one pixel", 700, 300, [[0, 0, 299, 700], [299, 0, 1, 699]]),
        ("4096x4096", 4096, 4096, [[100, 200, 3000, 150], [1000, 0, 1500, 4096]]),
    )
    described = []
    for name, height, width, rectangles in cases:
        mask = np.zeros((height, width), np.uint8)
        for x, y, w, h in rectangles:
            mask[y : y + h, x : x + w] = 1
        size = {"name": name, "height": height, "width": width, "rectangles": rectangles}
        described.append(size | describe(mask))
    return described


def upsample(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    """Masks [maps, H, W] from float32 logits [maps, h, w]."""
    values = torch.from_numpy(logits)[None]
    resized = interpolate(values, (height, width), mode="bilinear", align_corners=False)
    return resized[0].numpy() > 0


def smooth(random: np.random.Generator, maps: int, height: int, width: int) -> np.ndarray:
    coarse = torch.from_numpy(random.normal(size=(1, maps, 5, 5)).astype(np.float32))
    fine = interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    return (fine[0].numpy() * 8).astype(np.float32)


def ramp_between_positions() -> np.ndarray:
    """A row whose zero lies between the place that float32 gives a pixel and the exact one."""
    source, target = 256, 1800
    d = np.arange(target)
    exact = (d + 0.5) * source / target - 0.5
    scale = np.float64(np.float32(source) / np.float32(target))
    rounded = (scale * (d + 0.5) - 0.5).astype(np.float32).astype(np.float64)
    worst = np.argmax(np.abs(exact - rounded))
    zero = (exact[worst] + rounded[worst]) / 2
    ramp = (np.arange(source) - zero).astype(np.float32)[None, None]
    mask = upsample(ramp, 1, target)[0, 0]
    assert mask[worst] != (exact[worst] > zero), "the ramp does not tell the two apart"
    return ramp


def logit_cases() -> list[dict]:
    random = np.random.default_rng(11)

    def noise(*shape: int) -> np.ndarray:
        return random.normal(scale=5, size=shape).astype(np.float32)

    constants = np.stack([np.full((3, 4), 2.0), np.full((3, 4), -2.0), np.zeros((3, 4))])
    cases = (
        ("smooth, up", smooth(random, 3, 24, 20), 113, 97),
        ("noise, up", noise(2, 9, 7), 64, 45),
        ("noise, up by whole numbers", noise(1, 8, 8), 32, 64),
        ("noise, down", noise(2, 24, 20), 9, 5),
        ("noise, down across, up along", noise(1, 6, 30), 37, 11),
        ("noise, same size", noise(2, 12, 10), 12, 10),
        ("noise, to one pixel", noise(3, 5, 6), 1, 1),
        ("one logit", np.array([[[1.0]], [[-1.0]], [[0.0]]]), 33, 31),
        ("one row", noise(1, 1, 9), 1, 50),
        ("one column", noise(1, 9, 1), 50, 1),
        ("all inside, all outside, all on the threshold", constants, 65, 31),
        ("zero between a float32 and an exact position", ramp_between_positions(), 1, 1800),
        ("smooth, up to 8 million pixels", smooth(random, 1, 24, 20), 2160, 3840),
    )
    described = []
    for name, logits, height, width in cases:
        logits = np.ascontiguousarray(logits, np.float32)
        masks = upsample(logits, height, width)
        described.append(
            {
                "name": name,
                "shape": list(logits.shape),
                "logits": base64.b64encode(logits.astype("<f4").tobytes()).decode(),
                "height": height,
                "width": width,
                "masks": [describe(mask) for mask in masks],
            }
        )
    return described


def real_logits(path: Path) -> list[dict]:
    logits = np.load(path)
    described = []
    for height, width in REAL_SIZES:
        runs = describe(upsample(logits, height, width)[0])
        counts = runs.pop("counts")
        digest = {"length": len(counts), "sha256": hashlib.sha256(counts.encode()).hexdigest()}
        described.append({"height": height, "width": width} | digest | runs)
    return described


def real_masks(path: Path) -> dict:
    """The hash of a line 'area x y width height' for each result."""
    results = [result["segmentation"] for result in json.loads(path.read_text())]
    lines = [
        " ".join(str(int(value)) for value in (coco.area(runs), *coco.toBbox(runs)))
        for runs in results
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return {"masks": len(lines), "areasAndBoxes": digest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logits", type=Path)
    parser.add_argument("--coco", type=Path)
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "manifest.json"
    real = json.loads(file.read_text())["real"] if file.exists() else {}
    if arguments.logits:
        real["logits"] = real_logits(arguments.logits)
    if arguments.coco:
        real["coco"] = real_masks(arguments.coco)
    manifest = {"masks": small_masks() + large_masks(), "logits": logit_cases(), "real": real}
    file.write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
