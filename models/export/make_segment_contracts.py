#!/usr/bin/env python3
"""Make test/fixtures/segment-contracts: a tiny random SAM 2 as two graphs, and what it answers.

The graphs have the names, shapes and types of onnx-community's sam3-tracker-ONNX, EdgeTAM-ONNX and
sam2.1-hiera-tiny-ONNX, which come from this code of transformers. The references come from
transformers' own processor and model in PyTorch, called with points and boxes as its users do;
nothing in them comes from the graphs. Everything is seeded.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from pycocotools import mask as coco
from torch import nn
from transformers import (
    Sam2Config,
    Sam2HieraDetConfig,
    Sam2ImageProcessor,
    Sam2MaskDecoderConfig,
    Sam2Model,
    Sam2Processor,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)

from byte_weights import coarse, pack
from onnx_graph import name_dimensions, tidy

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "segment-contracts"
PHOTO = FOLDER.parent / "segment-parity" / "photo.png"
SEED = 8
SIDE = 64
CHANNELS = 16
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EMBEDDINGS = [f"image_embeddings.{level}" for level in range(3)]

# Normalised as on the wire: points x, y and boxes cx, cy, w, h.
CASES: dict[str, dict[str, Any]] = {
    "click": {"points": [[0.4, 0.55]], "labels": [1]},
    "clicks": {"points": [[0.3, 0.4], [0.62, 0.5], [0.8, 0.2]], "labels": [1, 1, 0]},
    "box": {"box": [0.45, 0.55, 0.4, 0.5]},
}


def tiny_model() -> Sam2Model:
    """Build SAM 2 at its smallest, with weights that fit into a byte each."""
    torch.manual_seed(SEED)
    backbone = Sam2HieraDetConfig(
        hidden_size=4,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        window_positional_embedding_background_size=[4, 4],
        blocks_per_stage=[1, 1, 1, 1],
        embed_dim_per_stage=[4, 8, 12, 16],
        num_attention_heads_per_stage=[1, 1, 1, 1],
        window_size_per_stage=[8, 4, 2, 1],
        global_attention_blocks=[],
        mlp_ratio=1.0,
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[16, 12, 8, 4],
        backbone_feature_sizes=[[SIDE // step, SIDE // step] for step in (4, 8, 16)],
        fpn_hidden_size=CHANNELS,
    )
    prompt = Sam2PromptEncoderConfig(
        hidden_size=CHANNELS, image_size=SIDE, patch_size=16, mask_input_channels=4
    )
    decoder = Sam2MaskDecoderConfig(
        hidden_size=CHANNELS,
        mlp_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        iou_head_hidden_dim=16,
        iou_head_depth=2,
        dynamic_multimask_via_stability=False,
    )
    parts = {"prompt_encoder_config": prompt, "mask_decoder_config": decoder}
    model = Sam2Model(Sam2Config(vision_config=vision, **parts)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                fan = weight[0].numel()
                weight.copy_(coarse(torch.randn_like(weight) * (1.5 / fan**0.5)))
            elif "norm" not in name:
                weight.copy_(coarse(torch.randn_like(weight) * 0.1))
    return model


class VisionEncoder(nn.Module):
    """transformers' image embeddings, the no-memory embedding added to the last."""

    def __init__(self, model: Sam2Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.model.get_image_embeddings(pixel_values))


class ClickDecoder(nn.Module):
    """transformers' prompt encoder and mask decoder, for any number of boxes, none included."""

    def __init__(self, model: Sam2Model) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_points: torch.Tensor,
        input_labels: torch.Tensor,
        input_boxes: torch.Tensor,
        *embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        prompts = self.model.prompt_encoder
        # As Sam2PromptEncoder.forward with both given: the points are not closed by an empty one.
        points = prompts._embed_points(input_points, input_labels, pad=False)
        boxes = prompts._embed_boxes(input_boxes)
        boxes = boxes.reshape(1, 1, -1, CHANNELS).expand(-1, points.shape[1], -1, -1)
        dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        dense = dense.expand(1, -1, *prompts.image_embedding_size)
        masks, ious, _, present = self.model.mask_decoder(
            image_embeddings=embeddings[2],
            image_positional_embeddings=self.model.get_image_wide_positional_embeddings(),
            sparse_prompt_embeddings=torch.cat([points, boxes], dim=2),
            dense_prompt_embeddings=dense,
            multimask_output=True,
            high_resolution_features=list(embeddings[:2]),
        )
        return ious, masks, present


def trace(module: nn.Module, inputs: dict[str, Any], outputs: dict[str, Any]) -> onnx.ModelProto:
    """Export a module; `inputs` are examples with their shapes' names, `outputs` names."""
    names = {side for _, shape in inputs.values() for side in shape if isinstance(side, str)}
    free = {side: torch.export.Dim(side, min=0, max=64) for side in names}
    dynamic = tuple(
        {axis: free[side] for axis, side in enumerate(shape) if isinstance(side, str)}
        for _, shape in inputs.values()
    )
    if isinstance(module, ClickDecoder):
        dynamic = (*dynamic[:3], dynamic[3:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(example for example, _ in inputs.values()),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=18,
            dynamic_shapes=dynamic,
            dynamo=True,
            verbose=False,
        )
    graph = tidy(program.model_proto)
    graph.graph.name = "sam2"
    for value in graph.graph.input:
        name_dimensions(value, inputs[value.name][1])
    for value in graph.graph.output:
        name_dimensions(value, outputs[value.name])
    return pack(graph)


def corners(box: list[float], width: int, height: int) -> list[float]:
    """Normalised cx, cy, w, h to pixels x0, y0, x1, y1."""
    x, y, w, h = box
    scale = (width, height, width, height)
    edges = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    return [edge * side for edge, side in zip(edges, scale, strict=True)]


@torch.no_grad()
def reference(
    name: str, case: dict[str, Any], model: Sam2Model, processor: Sam2Processor, image: np.ndarray
) -> dict[str, Any]:
    """What transformers gives: boxes by `input_boxes`, points alone without boxes."""
    height, width = image.shape[:2]
    points, box = case.get("points"), case.get("box")
    inputs = processor(
        images=image,
        input_points=[[[[x * width, y * height] for x, y in points]]] if points else None,
        input_labels=[[case["labels"]]] if points else None,
        input_boxes=[[corners(box, width, height)]] if box else None,
        return_tensors="pt",
    )
    sizes = inputs.pop("original_sizes")
    found = model(**inputs)
    best = int(found.iou_scores[0, 0].argmax())
    (masks,) = processor.post_process_masks(found.pred_masks, sizes)
    mask = masks[0, best].numpy()
    area = float(mask.mean())
    print(f"{name}: {found.iou_scores[0, 0].tolist()}, mask {best}, area {area:.2f}")
    if not 0.05 < area < 0.9 or found.object_score_logits[0, 0, 0] <= 0:
        raise ValueError(f"{name}: the mask is too trivial")
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return {
        "name": name,
        "prompt": case,
        "iou_scores": found.iou_scores[0, 0].tolist(),
        "object_score_logits": found.object_score_logits[0, 0].tolist(),
        "best_mask": [round(value, 6) for value in found.pred_masks[0, 0, best].flatten().tolist()],
        "rle": counts,
    }


def main() -> int:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    image = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    model = tiny_model()
    side = {"height": SIDE, "width": SIDE}
    images = Sam2ImageProcessor(
        size=side, mask_size={"height": 16, "width": 16}, image_mean=MEAN, image_std=STD
    )
    processor = Sam2Processor(images, target_size=SIDE)
    pixels = processor(images=image, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        head = model.mask_decoder.pred_obj_score_head.proj_out
        head.bias.copy_(coarse(head.bias + 2.0))
        embeddings = model.get_image_embeddings(pixels)
    shapes = {
        name: (1, *tensor.shape[1:]) for name, tensor in zip(EMBEDDINGS, embeddings, strict=True)
    }
    encoder = trace(
        VisionEncoder(model),
        {"pixel_values": (pixels, (1, 3, SIDE, SIDE))},
        shapes,
    )
    onnx.save(encoder, FOLDER / "vision_encoder.onnx")
    free = ("num_objects", "num_points")
    decoder = trace(
        ClickDecoder(model),
        {
            "input_points": (torch.rand(1, 3, 5, 2) * SIDE, (1, *free, 2)),
            "input_labels": (torch.ones(1, 3, 5, dtype=torch.int64), (1, *free)),
            "input_boxes": (torch.rand(1, 2, 4) * SIDE, (1, "num_boxes", 4)),
            **{
                name: (tensor, shapes[name])
                for name, tensor in zip(EMBEDDINGS, embeddings, strict=True)
            },
        },
        {
            "iou_scores": (1, "num_objects", 3),
            "pred_masks": (1, "num_objects", 3, SIDE // 4, SIDE // 4),
            "object_score_logits": (1, "num_objects", 1),
        },
    )
    onnx.save(decoder, FOLDER / "prompt_encoder_mask_decoder.onnx")
    for file in sorted(FOLDER.glob("*.onnx")):
        print(f"{file.name}: {file.stat().st_size} bytes")
        onnxruntime.InferenceSession(file)
    cases = [reference(name, case, model, processor, image) for name, case in CASES.items()]
    manifest = {"image_size": SIDE, "mean": MEAN, "std": STD}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items()]
    lines.append('"cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]")
    (FOLDER / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
