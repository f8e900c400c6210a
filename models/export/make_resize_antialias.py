#!/usr/bin/env python3
"""Make test/fixtures/resize-antialias: what torchvision makes of uint8 pictures, antialiased.

The reference is torchvision's resize of a contiguous uint8 [3, h, w] on the CPU, which is what
transformers' processors call; on x86-64 with AVX2 that is PyTorch's integer kernel. Pictures are a
hash of their index, so that only results are kept.

    python models/export/make_resize_antialias.py
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional as tv

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "resize-antialias"
# width, height, side, content, whether the levels are kept whole
CASES = (
    (37, 23, 64, "noise", True),
    (101, 67, 42, "noise", True),
    (200, 150, 31, "edges", True),
    (20, 300, 33, "noise", True),
    (1, 1, 14, "noise", True),
    (1, 50, 12, "noise", True),
    (50, 1, 12, "edges", True),
    (2, 3, 3, "noise", True),
    (640, 480, 2, "noise", True),
    (64, 48, 64, "noise", False),
    (45, 64, 64, "edges", False),
    (45, 45, 45, "noise", False),
    (149, 107, 126, "edges", False),
    (640, 480, 1008, "noise", False),
    (1920, 1080, 1008, "noise", False),
    (1921, 1081, 1008, "edges", False),
    (1920, 1080, 1024, "noise", False),
    (4000, 3000, 256, "noise", False),
    (20000, 3, 16, "edges", False),
)


def picture(width: int, height: int, content: str) -> np.ndarray:
    """uint8 [height, width, 3]: byte i is a hash of i; edges are 0 and 255 alone."""
    x = np.arange(width * height * 3, dtype=np.uint32) * np.uint32(0x9E3779B1)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x85EBCA77)
    x ^= x >> np.uint32(13)
    levels = (x & np.uint32(255)).astype(np.uint8)
    if content == "edges":
        levels = np.where(levels < 128, 0, 255).astype(np.uint8)
    return levels.reshape(height, width, 3)


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """uint8 [side, side, 3], as torchvision makes it; the memory layout must not matter."""
    packed = torch.from_numpy(image).permute(2, 0, 1)
    levels = tv.resize(packed.contiguous(), [side, side], antialias=True)
    same = interpolate(packed[None], (side, side), mode="bilinear", antialias=True)[0]
    if not torch.equal(levels, same):
        raise ValueError(f"{image.shape} to {side}: the result depends on the layout in memory")
    return levels.permute(1, 2, 0).contiguous().numpy()


def mistakes(image: np.ndarray, side: int) -> dict[str, np.ndarray]:
    """What two other ways give; uint8 [side, side, 3]."""
    planes = torch.from_numpy(image).permute(2, 0, 1).contiguous()[None]
    plain = interpolate(planes, (side, side), mode="bilinear", antialias=False)
    floats = interpolate(planes.float(), (side, side), mode="bilinear", antialias=True)
    found = {"not antialiased": plain, "rounded once, from float32": floats.round().byte()}
    return {name: levels[0].permute(1, 2, 0).contiguous().numpy() for name, levels in found.items()}


def encoded(levels: np.ndarray) -> str:
    return base64.b64encode(levels.tobytes()).decode()


def digest(levels: np.ndarray) -> str:
    return hashlib.sha256(levels.tobytes()).hexdigest()


def describe(width: int, height: int, side: int, content: str, whole: bool) -> dict:
    image = picture(width, height, content)
    levels = resized(image, side)
    case = {"width": width, "height": height, "side": side, "content": content}
    case |= {"input_sha256": digest(image), "sha256": digest(levels)}
    return case | ({"levels": encoded(levels)} if whole else {})


def main() -> None:
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        raise SystemExit("PyTorch's integer kernel needs x86-64 with AVX2; this processor has none")
    width, height, side, content, _ = CASES[1]
    others = mistakes(picture(width, height, content), side)
    manifest = {
        "torch": torch.__version__.split("+")[0],
        "torchvision": torchvision.__version__.split("+")[0],
        "cases": [describe(*case) for case in CASES],
        "mistakes": {
            "case": 1,
            "levels": {name: encoded(levels) for name, levels in others.items()},
        },
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    right = resized(picture(width, height, content), side).astype(int)
    for name, levels in others.items():
        error = np.abs(levels - right)
        print(f"{name}: {np.mean(error > 0):.1%} of the levels differ, by {error.max()} at most")


if __name__ == "__main__":
    main()
