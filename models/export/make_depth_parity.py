#!/usr/bin/env python3
"""Make test/fixtures/depth-parity: tiny random Depth Anything models and what they must give.

The references come from the official preprocessing (cv2) and from transformers in PyTorch, not from
the exported graphs. Everything is seeded.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
import transformers

from byte_weights import SMALLEST, coarse, coarser, pack
from depth import compare, export_graph, metadata
from depth_model import CONTRACTS, random_model
from draw_scene import draw_landscape
from official_depth import (
    DEVIATION,
    MEAN,
    PATCH,
    bicubic_reference,
    preprocess,
    resize_depth,
    target_size,
    unproject,
)
from onnx_graph import save, set_metadata

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "depth-parity"
SEEDS = {"relative": 11, "metric": 12}
MAX_DEPTH = 20
ONNX_TOLERANCE = 1e-4
INTRINSICS = {"fx": 52.5, "fy": 53.25, "cx": 19.5, "cy": 30.25}

# name, kind, image, model_input_size, static graph, point cloud
CASES = (
    ("relative-landscape", "relative", "landscape.png", 56, False, False),
    ("relative-grey", "relative", "grey.png", 42, False, False),
    ("metric-landscape", "metric", "landscape.png", 56, False, False),
    ("metric-landscape-static", "metric", "landscape.png", 56, True, False),
    ("metric-portrait", "metric", "portrait.png", 56, False, True),
)


def draw_images() -> None:
    """Write the input photographs: odd landscape, portrait, and one with a single channel."""
    pictures = {
        "landscape.png": draw_landscape(101, 75, 1),
        "portrait.png": draw_landscape(41, 59, 2),
        "grey.png": draw_landscape(45, 31, 3).mean(axis=2).round().astype(np.uint8)[..., None],
    }
    for name, picture in pictures.items():
        parameters = [cv2.IMWRITE_PNG_COMPRESSION, 9]
        cv2.imwrite(str(FOLDER / name), picture[..., ::-1], parameters)


def check_bicubic() -> None:
    """Stop if this cv2 does not resize as the formula says."""
    image = cv2.imread(str(FOLDER / "landscape.png")) / 255.0
    for width, height in ((70, 56), (154, 98)):
        actual = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        difference = np.abs(actual - bicubic_reference(image, width, height)).max()
        print(f"cv2 {cv2.__version__} bicubic to {width}x{height}: off by {difference:.1e}")
        if difference > 1e-5:  # cv2 keeps sampling positions and coefficients in float32
            raise SystemExit("this cv2 resizes differently; the fixture would be wrong")


def make_graphs(kind: str, static_size: tuple[int, int] | None) -> None:
    """Export the kind's model, dynamic, and for `static_size` (height, width) fixed as well."""
    for size in (None, static_size) if static_size else (None,):
        model = tiny_model(kind)
        graph = export_graph(model, size)
        set_metadata(graph, metadata(model, f"random weights, seed {SEEDS[kind]}", "fp32"))
        save(pack(graph), FOLDER / graph_name(kind, size is not None), external=False)


def tiny_model(kind: str) -> transformers.DepthAnythingForDepthEstimation:
    model = random_model("tiny", kind, MAX_DEPTH, SEEDS[kind])
    with torch.no_grad():
        for parameter in model.parameters():
            large = parameter.numel() > SMALLEST
            parameter.copy_(coarser(parameter) if large else coarse(parameter))
    return model


def graph_name(kind: str, static: bool) -> str:
    return f"{kind}-static.onnx" if static else f"{kind}.onnx"


def store(name: str, values: np.ndarray) -> str:
    """Write a float32 array; returns its file name."""
    assert values.dtype == np.float32 and np.isfinite(values).all(), name
    np.save(FOLDER / name, values)
    return name


def describe(values: np.ndarray) -> dict[str, float]:
    return {
        "min": round(float(values.min()), 4),
        "max": round(float(values.max()), 4),
        "mean": round(float(values.mean()), 4),
        "deviation": round(float(values.std()), 4),
        "zeros": round(float((values == 0).mean()), 4),
    }


@torch.no_grad()
def make_case(name, kind, image_name, model_input_size, static, points) -> dict[str, object]:
    """Write the reference arrays of one case; returns its entry in the manifest."""
    image = cv2.imread(str(FOLDER / image_name), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    pixels = preprocess(image, model_input_size)
    raw = tiny_model(kind)(torch.from_numpy(pixels)).predicted_depth.numpy()
    depth = resize_depth(raw, width, height)

    onnx_name = graph_name(kind, static)
    error = compare(FOLDER / onnx_name, [(pixels, raw)])[0]
    print(f"{name}: {width}x{height} -> {pixels.shape}, onnx off by {error:.1e}, {describe(raw)}")
    if error > ONNX_TOLERANCE:
        raise SystemExit(f"{onnx_name} differs from PyTorch by {error:.1e} > {ONNX_TOLERANCE}")

    scene = image_name.removesuffix(".png")
    files = {
        "pixelValues": store(f"{scene}.pixel_values.npy", pixels),
        "rawDepth": store(f"{kind}-{scene}.raw.npy", raw),
        "depth": store(f"{kind}-{scene}.depth.npy", depth),
    }
    if points:
        files["pointCloud"] = store(f"{kind}-{scene}.points.npy", unproject(depth, INTRINSICS))
    return {
        "name": name,
        "onnx": onnx_name,
        "static": static,
        "kind": kind,
        "encoder": "tiny",
        "maxDepth": MAX_DEPTH if kind == "metric" else None,
        "inputTensor": CONTRACTS[kind][0],
        "outputTensor": CONTRACTS[kind][1],
        "image": image_name,
        "imageSize": {"width": width, "height": height},
        "modelInputSize": model_input_size,
        "modelSize": {"width": pixels.shape[3], "height": pixels.shape[2]},
        "intrinsics": INTRINSICS if points else None,
        "rawStatistics": describe(raw),
        "files": files,
    }


def size_triples() -> list[tuple[int, int, int]]:
    """List (width, height, model_input_size): usual, extreme, exactly half-way, and random."""
    usual = [(640, 480), (640, 424), (424, 640), (1920, 1080), (1080, 1920), (4032, 3024)]
    usual += [(518, 518), (33, 57), (1, 1000), (1000, 1), (1, 1), (131, 97), (7, 5), (3000, 200)]
    triples = [(w, h, size) for w, h in usual for size in (14, 70, 518, 756)]
    for size in (70, 266, 518):
        for patches in range(5, 11):
            # Side over 14 is exactly patches + size / 14 + 0.5, at scale 1, 1/2 and 2.
            long = size + 14 * patches + 7
            triples += [(long, size, size), (2 * size, 2 * long, size)]
            if long % 2 == 0:
                triples.append((long // 2, size // 2, size))
    random = np.random.default_rng(7)
    for _ in range(140):
        width, height = (int(value) for value in np.exp(random.uniform(1, 8.3, 2)))
        triples.append((width, height, 14 * int(random.integers(1, 74))))
    return sorted(set(triples))


def make_sizes() -> None:
    """Write sizes.json: rows of width, height, size and the official target width, height."""
    rows = [[*triple, *target_size(*triple)] for triple in size_triples()]

    def halves_up(side: float, size: int) -> int:
        rounded = int(np.floor(side / PATCH + 0.5) * PATCH)
        return rounded if rounded >= size else int(np.ceil(side / PATCH) * PATCH)

    differing = 0
    for width, height, size, *target in rows:
        scale = max(size / width, size / height)
        differing += target != [halves_up(scale * side, size) for side in (width, height)]
    print(f"sizes.json: {len(rows)} rows, {differing} of them wrong if halves are rounded up")
    head = {
        "columns": ["width", "height", "modelInputSize", "targetWidth", "targetHeight"],
        "multipleOf": PATCH,
        "rowsWhereRoundingHalvesUpIsWrong": differing,
    }
    lines = ",\n    ".join(json.dumps(row) for row in rows)
    text = json.dumps(head, indent=2)[:-2] + f',\n  "rows": [\n    {lines}\n  ]\n}}\n'
    (FOLDER / "sizes.json").write_text(text)


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    draw_images()
    check_bicubic()
    static_target = target_size(101, 75, 56)
    make_graphs("relative", None)
    make_graphs("metric", static_target[::-1])
    manifest = {
        "patchSize": PATCH,
        "mean": MEAN,
        "deviation": DEVIATION,
        "madeWith": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "onnx": onnx.__version__,
            "cv2": cv2.__version__,
        },
        "cases": [make_case(*case) for case in CASES],
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    make_sizes()
    return 0


if __name__ == "__main__":
    sys.exit(main())
