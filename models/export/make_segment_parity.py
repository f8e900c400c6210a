#!/usr/bin/env python3
"""Make test/fixtures/segment-parity: a tiny random SAM 3 set and what transformers gives with it.

The references come from transformers' processors and models in PyTorch, the masks' strings from
pycocotools; nothing comes from the exported graphs. Everything is seeded.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
import transformers
from pycocotools import mask as coco
from torch.nn import functional as F
from transformers import (
    Sam3ImageProcessor,
    Sam3Processor,
    Sam3TrackerProcessor,
    Sam3VideoModel,
)

from byte_weights import coarse, pack
from draw_scene import draw_landscape
from onnx_graph import check_operators, check_outputs, set_metadata
from sam3 import errors, metadata
from sam3_graph import export_part
from sam3_model import random_model, tracker_image_model
from sam3_parts import Sizes, parts
from sam3_reference import MANY, ONE, reference
from tiny_tokenizer import tiny_tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "segment-parity"
SEED = 88
TOLERANCE = 1e-4
WIDTH, HEIGHT = 149, 107
MASK_THRESHOLD = 0.5
GRAPHS = ("vision-encoder", "text-encoder", "concept-decoder", "click-decoder")

# Boxes are normalised cx, cy, w, h and points normalised x, y, as on the wire.
CONCEPT_CASES: dict[str, dict[str, Any]] = {
    "text": {"text": "a red ball"},
    "text-boxes": {
        "text": "dark tree",
        "boxes": [[0.3, 0.4, 0.25, 0.3], [0.75, 0.7, 0.35, 0.4]],
        "labels": [1, 0],
    },
    "boxes": {"boxes": [[0.55, 0.5, 0.5, 0.62]], "labels": [1]},
}
CLICK_CASES: dict[str, dict[str, Any]] = {
    "click": {"points": [[0.41, 0.55]], "labels": [1]},
    "clicks": {"points": [[0.3, 0.4], [0.62, 0.5], [0.8, 0.2]], "labels": [1, 1, 0]},
    "box": {"box": [0.45, 0.55, 0.4, 0.5]},
    "box-click": {"box": [0.6, 0.45, 0.5, 0.6], "points": [[0.7, 0.35]], "labels": [0]},
    "mask": {"points": [[0.4, 0.55], [0.2, 0.8]], "labels": [1, 0], "mask_from": "click"},
}


@torch.no_grad()
def calibrate(model: Sam3VideoModel, pixels: torch.Tensor, tokens: dict[str, torch.Tensor]) -> None:
    """Spread the scores around their thresholds, in steps that keep the weights a byte each."""
    detector, tracker = model.detector_model, model.tracker_model
    scoring = detector.dot_product_scoring
    found = detector(pixel_values=pixels, **tokens)
    spread = found.pred_logits.std().item()
    scoring.query_proj.weight.mul_(2.0 ** round(np.log2(0.7 / spread)))
    scoring.query_proj.bias.zero_()
    last = detector.mask_decoder.mask_embedder.layers[-1]
    factor = 2.0 ** round(np.log2(4.0 / found.pred_masks.std().item()))
    last.weight.mul_(factor)
    last.bias.mul_(factor)
    presence = detector.detr_decoder.presence_head.layer3
    presence.bias.copy_(coarse(presence.bias + 2.0 - found.presence_logits.mean()))
    head = tracker.mask_decoder.pred_obj_score_head.proj_out
    head.bias.copy_(coarse(head.bias + 1.5))


def centre_masks(model: Sam3VideoModel, pixels: torch.Tensor) -> None:
    """Shift the click decoder's masks so that about two cells in five are positive."""
    tracker = tracker_image_model(model)
    tracker.mask_decoder.dynamic_multimask_via_stability = False
    heads = tracker.mask_decoder.output_hypernetworks_mlps
    points = torch.tensor([[[[50.0, 70.0]], [[90.0, 40.0]]]])
    labels = torch.ones(1, 2, 1, dtype=torch.long)
    for mode, tokens in ((False, (0,)), (True, (1, 2, 3))):
        found = tracker(pixels, input_points=points, input_labels=labels, multimask_output=mode)
        for place, token in enumerate(tokens):
            mask = found.pred_masks[:, :, place]
            bias = heads[token].proj_out.bias
            (slope,) = torch.autograd.grad(mask.mean(), bias, retain_graph=True)
            shift = -mask.detach().quantile(0.6) / (slope @ slope)
            target = model.tracker_model.mask_decoder.output_hypernetworks_mlps[token]
            with torch.no_grad():
                target.proj_out.bias += shift * slope


def corners(box: list[float]) -> list[float]:
    """Normalised cx, cy, w, h to pixels x0, y0, x1, y1 of the photograph."""
    x, y, width, height = box
    scale = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return [edge * side for edge, side in zip(edges, scale, strict=True)]


def rle(mask: np.ndarray) -> str:
    """Encode a binary mask as pycocotools' counts string."""
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 1.0


def threshold_between(scores: torch.Tensor) -> float:
    """Put the threshold into the widest gap that keeps a quarter to half of the queries."""
    ordered = scores.sort().values
    count = len(ordered)
    gaps = ordered[1:] - ordered[:-1]
    low = int(gaps[count // 2 - 1 : count - count // 4].argmax()) + count // 2 - 1
    return round(float(ordered[low : low + 2].mean()), 4)


def store(name: str, values: torch.Tensor) -> str:
    """Write a float32 array and return its file's name."""
    np.save(FOLDER / name, values.detach().numpy().astype(np.float32))
    return name


@torch.no_grad()
def concept_case(
    name: str,
    case: dict[str, Any],
    model: Sam3VideoModel,
    processor: Sam3Processor,
    image: np.ndarray,
) -> dict[str, Any]:
    """Run one concept prompt through transformers' own pipeline."""
    boxes = case.get("boxes")
    inputs = processor(
        images=image,
        text=case.get("text"),
        input_boxes=[[corners(box) for box in boxes]] if boxes else None,
        input_boxes_labels=[case["labels"]] if boxes else None,
        return_tensors="pt",
    )
    inputs.pop("original_sizes")
    found = model.detector_model(**inputs)
    scores = (found.pred_logits.sigmoid() * found.presence_logits.sigmoid())[0]
    threshold = threshold_between(scores)
    (kept,) = processor.post_process_instance_segmentation(
        found, threshold=threshold, mask_threshold=MASK_THRESHOLD, target_sizes=[(HEIGHT, WIDTH)]
    )
    chosen = (scores > threshold).nonzero()[:, 0]
    low = found.pred_masks[0, chosen]
    grown = F.interpolate(low[None], (HEIGHT, WIDTH), mode="bilinear", align_corners=False)[0]
    masks, official = kept["masks"].bool().numpy(), (grown > 0).numpy()
    return {
        "name": name,
        "kind": "concept",
        "prompt": case,
        "text": case.get("text") or "visual",
        "input_ids": inputs["input_ids"][0].tolist(),
        "attention_mask": inputs["attention_mask"][0].tolist(),
        "input_boxes": inputs["input_boxes"][0].tolist() if boxes else [],
        "input_boxes_labels": inputs["input_boxes_labels"][0].tolist() if boxes else [],
        "pred_logits": found.pred_logits[0].tolist(),
        "presence_logits": found.presence_logits[0].tolist(),
        "pred_boxes": found.pred_boxes[0].tolist(),
        "threshold": threshold,
        "kept": chosen.tolist(),
        "scores": kept["scores"].tolist(),
        "boxes_pixels": kept["boxes"].tolist(),
        "kept_masks": store(f"{name}.masks.npy", low),
        "rle": [rle(mask) for mask in masks],
        "rle_logits": [rle(mask) for mask in official],
        "area": [float(mask.mean()) for mask in official],
        "iou_of_the_two": [agreement(*pair) for pair in zip(masks, official, strict=True)],
    }


@torch.no_grad()
def click_case(
    name: str,
    case: dict[str, Any],
    model: torch.nn.Module,
    processor: Sam3TrackerProcessor,
    image: np.ndarray,
    earlier: dict[str, torch.Tensor],
) -> dict[str, Any]:
    """Run one click or box prompt through transformers' own pipeline."""
    points, box = case.get("points"), case.get("box")
    pixels = [[x * WIDTH, y * HEIGHT] for x, y in points or []]
    inputs = processor(
        images=image,
        input_points=[[pixels]] if points else None,
        input_labels=[[case["labels"]]] if points else None,
        input_boxes=[[corners(box)]] if box else None,
        return_tensors="pt",
    )
    sizes = inputs.pop("original_sizes")
    mask = earlier[case["mask_from"]] if "mask_from" in case else None
    # As the original: three masks for a single click, one otherwise.
    several = not box and len(points) == 1
    found = {
        mode: model(**inputs, input_masks=mask, multimask_output=mode) for mode in (True, False)
    }
    best = int(found[several].iou_scores[0, 0].argmax())
    chosen = found[several].pred_masks[:, 0, best][:, None]
    earlier[name] = chosen
    (final,) = processor.post_process_masks(chosen[None], sizes)
    final = final[0, 0].numpy()
    flat = inputs["input_points"][0, 0].tolist() if points else []
    labels = list(case.get("labels", []))
    if box:
        x0, y0, x1, y1 = inputs["input_boxes"][0, 0].tolist()
        flat, labels = [*flat, [x0, y0], [x1, y1]], [*labels, 2, 3]
    return {
        "name": name,
        "kind": "click",
        "prompt": case,
        "input_points": flat,
        "input_labels": labels,
        "multimask": several,
        "input_masks": f"{case['mask_from']}.mask.npy" if mask is not None else None,
        "iou_scores": found[True].iou_scores[0, 0].tolist(),
        "object_score_logits": found[True].object_score_logits[0, 0].tolist(),
        "pred_masks": store(f"{name}.masks.npy", found[True].pred_masks[0, 0]) if several else None,
        "best_iou": float(found[several].iou_scores[0, 0, best]),
        "best_mask": store(f"{name}.mask.npy", chosen[0, 0]),
        "rle": rle(final),
        "area": float(final.mean()),
    }


def export(model: Sam3VideoModel) -> dict[str, dict[str, Any]]:
    """Write the graphs and compare each with transformers; returns the errors."""
    report = {}
    for name in GRAPHS:
        pairs = [reference(model, name, free, 100 + seed) for seed, free in enumerate((ONE, MANY))]
        graph, _ = export_part(model, parts(model)[name])
        graph = pack(graph)
        check_operators(graph)
        check_outputs(graph)
        set_metadata(graph, metadata(model, name, f"random weights, tiny, seed {SEED}", "fp32"))
        file = FOLDER / f"{name}.onnx"
        onnx.save(graph, file)
        found = errors(file, pairs)
        worst = max(max(result.values()) for result in found)
        print(f"{name}: {file.stat().st_size} bytes, largest relative error {worst:.1e}")
        if worst > TOLERANCE:
            raise ValueError(f"{name}: the error {worst:.1e} is above {TOLERANCE:g}")
        report[name] = {"bytes": file.stat().st_size, "largest_relative_error": worst}
    return report


def main() -> int:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture = draw_landscape(WIDTH, HEIGHT, 7)
    cv2.imwrite(str(FOLDER / "photo.png"), picture[..., ::-1])
    model = random_model("tiny", SEED)
    size = Sizes.of(model)
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.save(str(FOLDER / "tokenizer.json"))
    side = {"height": size.image, "width": size.image}
    low = {"height": 4 * size.grid, "width": 4 * size.grid}
    images = Sam3ImageProcessor(size=side, mask_size=low)
    concept = Sam3Processor(images, tokenizer, target_size=size.image)
    clicks = Sam3TrackerProcessor(images, target_size=size.image)
    first = concept(images=picture, text="a red ball", return_tensors="pt")
    pixels = first["pixel_values"]
    texts = {key: first[key] for key in ("input_ids", "attention_mask")}
    calibrate(model, pixels, texts)
    centre_masks(model, pixels)
    levels = (pixels[0] * 127.5 + 127.5).round()
    if ((pixels[0] - (levels - 127.5) / 127.5).abs() > 1e-6).any():
        raise ValueError("transformers no longer rounds the resized picture to whole levels")
    np.save(FOLDER / "photo.pixels.npy", levels.numpy().astype(np.uint8))
    report = export(model)
    tracker = tracker_image_model(model)
    cases = [
        concept_case(name, case, model, concept, picture) for name, case in CONCEPT_CASES.items()
    ]
    earlier: dict[str, torch.Tensor] = {}
    cases += [
        click_case(name, case, tracker, clicks, picture, earlier)
        for name, case in CLICK_CASES.items()
    ]
    manifest = {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
        "image": {"file": "photo.png", "width": WIDTH, "height": HEIGHT},
        "pixel_values": "photo.pixels.npy",
        "image_size": size.image,
        "mask_size": 4 * size.grid,
        "tokenizer": "tokenizer.json",
        "graphs": report,
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items()]
    lines.append('"cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]")
    (FOLDER / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for case in cases:
        areas = np.atleast_1d(case["area"]).round(2).tolist()
        print(f"{case['name']}: areas {areas}")
        if min(areas) < 0.05 or max(areas) > 0.8:
            raise ValueError(f"{case['name']}: the masks are too trivial, {areas}")
    total = sum(file.stat().st_size for file in FOLDER.iterdir())
    print(f"{total} bytes in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
