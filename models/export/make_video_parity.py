#!/usr/bin/env python3
"""Make test/fixtures/video-parity: what transformers' SAM 3 tracker gives for a drawn clip.

The model is that of test/fixtures/segment-parity, whose graphs are shared: only the three graphs of
memory are written here, and the bytes of the click decoder that differ, because its object score is
turned round so that objects come and go. Everything is seeded; nothing in the references comes from
the exported graphs.
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from typing import Any

import cv2
import numpy as np
import onnx
import torch
import transformers
from torch.nn import functional as F
from transformers import Sam3VideoModel

from byte_weights import coarse, pack
from draw_clip import BOXES, CENTRES, FRAMES, SIDE, draw_clip, object_mask
from make_segment_parity import FOLDER as SHARED
from make_segment_parity import SEED, TOLERANCE, calibrate, centre_masks, rle
from onnx_graph import check_operators, check_outputs, set_metadata
from sam3 import errors, metadata
from sam3_graph import export_part
from sam3_model import random_model
from sam3_parts import Sizes, parts
from sam3_reference import MANY, ONE, reference
from tracking_reference import Frame, Output, Tracking

FOLDER = SHARED.with_name("video-parity")
GRAPHS = ("memory-attention", "memory-encoder", "mask-prompt")
SCORE_BIAS = 1.75
# Every STEP-th logit along each axis is stored, from OFFSET on.
OFFSET, STEP = 2, 4
Operation = dict[str, Any]


def click(obj: int, frame: int, *points: list[float]) -> Operation:
    """Prompt an object by points [x, y, label], normalised."""
    return {
        "op": "prompt",
        "object": obj,
        "frame": frame,
        "points": [point[:2] for point in points],
        "labels": [int(point[2]) for point in points],
        "box": None,
    }


def box(obj: int, frame: int, *points: list[float]) -> Operation:
    """Prompt an object by its drawn box [x0, y0, x1, y1], normalised, and perhaps points."""
    return {**click(obj, frame, *points), "box": BOXES[obj - 1][frame]}


def on(obj: int, frame: int, label: int = 1) -> list[float]:
    """Return the middle of a drawn object as a point."""
    return [*CENTRES[obj - 1][frame], label]


def track(first: int, last: int) -> Operation:
    """Propagate over the frames from `first` to `last`, both included."""
    return {"op": "track", "first": first, "last": last}


CASES: dict[str, list[Operation]] = {
    "forward": [
        click(1, 0, on(1, 0)),
        box(2, 0),
        click(1, 8, on(1, 8), [0.1, 0.9, 0]),
        track(0, FRAMES - 1),
    ],
    "backward": [
        click(1, FRAMES - 1, on(1, FRAMES - 1)),
        box(2, 9, on(2, 9)),
        track(FRAMES - 1, 0),
    ],
    "refine": [
        click(1, 0, on(1, 0)),
        click(1, 0, [0.7, 0.2, 0]),
        box(2, 0),
        track(0, 6),
        click(1, 6, on(1, 6), [0.8, 0.7, 0]),
        click(1, 6, [0.3, 0.15, 0]),
        click(3, 5, [0.55, 0.4, 1]),
        track(5, FRAMES - 1),
    ],
    "both": [click(1, 4, on(1, 4)), box(2, 5), track(4, FRAMES - 1), track(4, 0)],
    "conditioned": [
        *(click(1, frame, on(1, frame)) for frame in (0, 1, 3, 5, 8, 11)),
        track(4, 9),
    ],
    "mask": [{"op": "mask", "object": 1, "frame": 4}, track(4, 9)],
}
# As transformers computes it, with memories rounded to bfloat16; the others keep theirs, which
# allows a bound ten times as tight.
ROUNDED = ("forward",)


def build_model() -> Sam3VideoModel:
    """Build the model of segment-parity, from what that fixture stores."""
    cases = json.loads((SHARED / "manifest.json").read_text())["cases"]
    text = next(case for case in cases if case["name"] == "text")
    tokens = {key: torch.tensor([text[key]]) for key in ("input_ids", "attention_mask")}
    levels = torch.from_numpy(np.load(SHARED / "photo.pixels.npy").astype(np.float32))
    pixels = (levels[None] - 127.5) / 127.5
    model = random_model("tiny", SEED)
    calibrate(model, pixels, tokens)
    centre_masks(model, pixels)
    return model


def export_packed(model: Sam3VideoModel, name: str) -> onnx.ModelProto:
    graph = pack(export_part(model, parts(model)[name])[0])
    check_operators(graph)
    check_outputs(graph)
    set_metadata(graph, metadata(model, name, f"random weights, tiny, seed {SEED}", "fp32"))
    return graph


def check_shared(model: Sam3VideoModel, name: str) -> bytes:
    """Return the shared graph's bytes, which must be those of this model."""
    written, stored = export_packed(model, name).SerializeToString(), (SHARED / f"{name}.onnx")
    if written != stored.read_bytes():
        raise ValueError(f"{stored} is not of this model; run make_segment_parity.py first")
    return written


@torch.no_grad()
def turn_scores(model: Sam3VideoModel) -> None:
    """Negate the object score and move it, so that it is about 0 on tracked frames."""
    head = model.tracker_model.mask_decoder.pred_obj_score_head.proj_out
    head.weight.neg_()
    head.bias.copy_(coarse(SCORE_BIAS - head.bias))


def differences(first: bytes, second: bytes) -> list[dict[str, Any]]:
    """List the runs of bytes in which the second differs."""
    if len(first) != len(second):
        raise ValueError(f"the graphs differ in length: {len(first)} and {len(second)} bytes")
    unequal = np.frombuffer(first, np.uint8) != np.frombuffer(second, np.uint8)
    places = unequal.nonzero()[0]
    runs = np.split(places, (np.diff(places) > 8).nonzero()[0] + 1)
    return [
        {"offset": int(run[0]), "base64": base64.b64encode(second[run[0] : run[-1] + 1]).decode()}
        for run in runs
    ]


def export_memory(model: Sam3VideoModel) -> dict[str, float]:
    """Write the graphs of memory; returns their largest relative errors."""
    report = {}
    for name in GRAPHS:
        pairs = [reference(model, name, free, 100 + seed) for seed, free in enumerate((ONE, MANY))]
        file = FOLDER / f"{name}.onnx"
        onnx.save(export_packed(model, name), file)
        worst = max(max(result.values()) for result in errors(file, pairs))
        print(f"{name}: {file.stat().st_size} bytes, largest relative error {worst:.1e}")
        if worst > TOLERANCE:
            raise ValueError(f"{name}: the error {worst:.1e} is above {TOLERANCE:g}")
        report[name] = worst
    return report


def image_masks(found: list[Frame]) -> list[str]:
    """Resize the masks to the clip's size, as transformers' postprocessing does."""
    strings = []
    for logits, _, _ in found[-1].objects.values():
        size = (SIDE, SIDE)
        grown = F.interpolate(logits[None, None], size, mode="bilinear", align_corners=False)
        strings.append(rle((grown[0, 0] > 0).numpy()))
    return strings


class Results:
    """Outputs in the order in which they are made, for two arrays beside the manifest."""

    def __init__(self) -> None:
        self.masks: list[np.ndarray] = []
        self.logits: list[np.ndarray] = []

    def add(self, frame: int, obj: int, output: Output) -> dict[str, Any]:
        logits, score, iou = output
        self.masks.append(np.packbits(logits.numpy() > 0))
        part = logits[OFFSET::STEP, OFFSET::STEP].numpy().astype(np.float16)
        self.logits.append(part.view(np.uint16).ravel())
        result = {"frame": frame, "object": obj, "score": round(score, 5)}
        return result if iou is None else {**result, "iou": round(iou, 5)}

    def save(self) -> None:
        np.save(FOLDER / "masks.npy", np.stack(self.masks))
        np.save(FOLDER / "logits.npy", np.stack(self.logits))


def run_case(
    model: Sam3VideoModel, name: str, frames: np.ndarray, results: Results
) -> dict[str, Any]:
    tracking = Tracking(model, frames, rounded=name in ROUNDED)
    steps, scores, found = [], [], []
    first = len(results.masks)
    for operation in CASES[name]:
        step = dict(operation)
        if operation["op"] == "track":
            found = tracking.track(operation["first"], operation["last"])
        elif operation["op"] == "mask":
            mask = object_mask(operation["object"], operation["frame"])
            step["mask"] = rle(mask)
            found = [tracking.prompt_mask(operation["object"], operation["frame"], mask)]
        else:
            found = [tracking.prompt(operation)]
        step["results"] = [
            results.add(one.frame, obj, output)
            for one in found
            for obj, output in one.objects.items()
        ]
        scores += [result["score"] for result in step["results"]]
        steps.append(step)
    absent = sum(score <= 0 for score in scores)
    nearest = min(map(abs, scores))
    print(f"{name}: {len(scores)} results, {absent} absent, nearest score {nearest:.3f}")
    if nearest < (0.012 if name in ROUNDED else 0.0015):
        raise ValueError(f"{name}: a score of {nearest} decides too little")
    rounded = name in ROUNDED
    last = image_masks(found) if name == "backward" else None
    return {"name": name, "rounded": rounded, "first": first, "last_rle": last, "steps": steps}


def main() -> int:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = build_model()
    if Sizes.of(model).image != SIDE:
        raise ValueError(f"the clip is {SIDE} pixels wide, the model takes {Sizes.of(model).image}")
    check_shared(model, "vision-encoder")
    before = check_shared(model, "click-decoder")
    turn_scores(model)
    patches = differences(before, export_packed(model, "click-decoder").SerializeToString())
    report = export_memory(model)
    frames = draw_clip()
    picture = frames.reshape(-1, SIDE, 3)[..., ::-1]
    cv2.imwrite(str(FOLDER / "clip.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    manifest = {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__,
        },
        "clip": {"file": "clip.png", "frames": FRAMES, "width": SIDE, "height": SIDE},
        "mask_size": 4 * Sizes.of(model).grid,
        "logits": {"offset": OFFSET, "step": STEP},
        "click_decoder_patches": patches,
        "largest_relative_errors": report,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items()]
    results = Results()
    cases = [json.dumps(run_case(model, name, frames, results)) for name in CASES]
    results.save()
    lines.append('"cases": [\n' + ",\n".join(cases) + "\n]")
    (FOLDER / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir())} bytes in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
