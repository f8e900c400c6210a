"""What transformers computes for the inputs of each graph, one prompt or object at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F
from transformers import Sam3VideoModel
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.sam3.modeling_sam3 import Sam3VisionEncoderOutput

from sam3_parts import Part, Sizes, parts

Tensors = dict[str, torch.Tensor]

# Two sets of free dimensions a part: one of each, and several of each.
ONE = {"images": 1, "prompts": 1, "boxes": 1, "objects": 1, "points": 1, "slots": 1, "pointers": 1}
MANY = {"images": 2, "prompts": 3, "boxes": 4, "objects": 3, "points": 5, "slots": 7, "pointers": 9}


def random_inputs(part: Part, free: dict[str, int], seed: int) -> Tensors:
    """Draw inputs: smooth noise for pictures and features, uniform values within bounds."""
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, entry in part.inputs.items():
        shape = [free[side] if isinstance(side, str) else side for side in entry.shape]
        if entry.whole:
            low, high = int(entry.low), int(entry.high) + 1
            value = torch.randint(low, high, shape, generator=generator).to(entry.dtype)
        elif entry.low < entry.high:
            value = entry.low + (entry.high - entry.low) * torch.rand(shape, generator=generator)
        else:
            value = torch.randn(shape, generator=generator)
            if len(shape) >= 4:
                coarse = value.flatten(0, -3)[:, None, ::4, ::4]
                grown = F.interpolate(coarse, shape[-2:], mode="bilinear", align_corners=False)
                value = value * 0.3 + grown.reshape(shape)
        result[name] = value
    return result


def prepare(name: str, values: Tensors) -> Tensors:
    """Make random inputs legal: prefix masks, boxes inside the image, padding."""
    if name == "text-encoder":
        lengths = torch.arange(values["attention_mask"].shape[0]) * 9 + 4
        values["attention_mask"] = (torch.arange(32) < lengths[:, None]).float()
    if name == "concept-decoder":
        prompts = values["text_mask"].shape[0]
        lengths = torch.arange(prompts) * 9 + 4
        values["text_mask"] = (torch.arange(32) < lengths[:, None]).float()
        boxes = values["input_boxes"]
        nearest = torch.minimum(boxes[..., :2], 1 - boxes[..., :2])
        boxes[..., 2:] = nearest * 2 * boxes[..., 2:]
        if prompts > 1:
            values["input_boxes_labels"][0] = -10  # text alone
            values["input_boxes_labels"][1, 2:] = -10  # fewer boxes
    if name == "click-decoder" and values["input_labels"].shape[1] > 1:
        values["input_labels"][0, 0, 3:] = -10  # fewer points
        values["input_labels"][0, 1, :2] = torch.tensor([2.0, 3.0])  # a box
        values["input_labels"][0, 2, :] = torch.tensor([-1.0, -10, -10, -10, -10])
        values["has_input_masks"] = torch.tensor([0.0, 1.0, 0.0])
        values["multimask"] = torch.tensor([1.0, 0.0, 1.0])
    if name == "memory-attention":
        values["memory_rows"][:, 0] = 6
        if values["memory_rows"].shape[0] > 1:
            values["memory_rows"][0, 3:] = -1  # fewer memories
            values["pointer_offsets"][1, 4:] = -1
    return values


def _vision(model: Sam3VideoModel, values: Tensors) -> Tensors:
    encoded = model.detector_model.vision_encoder(values["pixel_values"])
    result = {f"fpn_feat_{level}": encoded.fpn_hidden_states[level] for level in range(3)}
    size = Sizes.of(model)
    flat, _ = model.get_vision_features_for_tracker(encoded)
    for level, tokens in enumerate(flat):
        side = size.grid * (4, 2, 1)[level]
        grid = tokens.permute(1, 2, 0).unflatten(2, (side, side))
        result[f"image_embeddings.{level}"] = grid
    result["tracker_feat"] = result["image_embeddings.2"]
    absent = model.tracker_model.no_memory_embedding.reshape(1, -1, 1, 1)
    result["image_embeddings.2"] = result["tracker_feat"] + absent
    return result


def _text(model: Sam3VideoModel, values: Tensors) -> Tensors:
    mask = values["attention_mask"]
    encoded = model.detector_model.get_text_features(values["input_ids"].long(), mask.long())
    return {"text_features": encoded.pooler_output, "text_mask": mask}


def _concept(model: Sam3VideoModel, values: Tensors) -> Tensors:
    detector = model.detector_model
    levels = [values[f"fpn_feat_{level}"] for level in range(3)]
    neck = detector.vision_encoder.neck
    places = [neck.position_encoding(x.shape, x.device, x.dtype) for x in levels]
    # The fourth level is never read.
    vision = Sam3VisionEncoderOutput(
        fpn_hidden_states=(*levels, levels[2]), fpn_position_encoding=(*places, places[2])
    )
    found = []
    for row in range(values["text_mask"].shape[0]):
        labels = values["input_boxes_labels"][row : row + 1].long()
        kept = labels[0] != -10
        boxes = values["input_boxes"][row : row + 1, kept]
        exemplars = {"input_boxes": boxes, "input_boxes_labels": labels[:, kept]}
        found.append(
            detector(
                vision_embeds=vision,
                text_embeds=BaseModelOutputWithPooling(
                    pooler_output=values["text_features"][row : row + 1]
                ),
                attention_mask=values["text_mask"][row : row + 1].long(),
                **(exemplars if kept.any() else {}),
            )
        )
    names = ("pred_masks", "pred_boxes", "pred_logits", "presence_logits")
    return {name: torch.cat([getattr(one, name) for one in found]) for name in names}


def _click(model: Sam3VideoModel, values: Tensors) -> Tensors:
    tracker = model.tracker_model
    embeddings = [values[f"image_embeddings.{level}"] for level in range(3)]
    names = ("iou_scores", "pred_masks", "object_score_logits", "best_iou", "best_mask", "pointer")
    found: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for row in range(values["multimask"].shape[0]):
        labels = values["input_labels"][:, row : row + 1].long()
        kept = labels[0, 0] != -10
        prompt = {
            "input_points": values["input_points"][:, row : row + 1, kept],
            "input_labels": labels[:, :, kept],
            "input_masks": None,
        }
        if values["has_input_masks"][row] > 0:
            prompt["input_masks"] = values["input_masks"][row : row + 1]
        place = min(row, embeddings[2].shape[0] - 1)
        image = [embeddings[0], embeddings[1], embeddings[2][place : place + 1]]
        sparse, dense = tracker.prompt_encoder(**prompt, input_boxes=None)
        several = bool(values["multimask"][row] > 0)
        decoded = {
            mode: tracker.mask_decoder(
                image_embeddings=image[2],
                image_positional_embeddings=tracker.get_image_wide_positional_embeddings(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=mode,
                high_resolution_features=image[:2],
            )
            for mode in (True, False)
        }
        masks, scores, _, present = decoded[True]
        found["pred_masks"].append(masks[0])
        found["iou_scores"].append(scores[0])
        found["object_score_logits"].append(present[0])
        masks, scores, _, _ = decoded[several]
        best = scores[0, 0].argmax()
        found["best_iou"].append(scores[0, :, best])
        found["best_mask"].append(masks[0, :, best])
        frame = tracker._single_frame_forward(
            **prompt, image_embeddings=image, multimask_output=several
        )
        found["pointer"].append(frame.object_pointer.reshape(1, -1))
    result = {
        name: torch.stack(rows, dim=1) if name in names[:2] else torch.cat(rows)
        for name, rows in found.items()
    }
    result["object_score_logits"] = result["object_score_logits"][None].reshape(1, -1, 1)
    result["best_iou"] = result["best_iou"].reshape(-1, 1)
    result["best_mask"] = result["best_mask"][:, None]
    result["object_pointer"] = result.pop("pointer")
    return result


def _memory_attention(model: Sam3VideoModel, values: Tensors) -> Tensors:
    tracker = model.tracker_model
    frame = values["tracker_feat"]
    neck = model.tracker_neck
    places = neck.position_encoding(frame.shape, frame.device, frame.dtype)
    size = Sizes.of(model)
    shape = torch.Size((1, size.memory, size.grid, size.grid))
    spatial = tracker.memory_encoder.position_encoding(shape, "cpu", torch.float32)

    def flat(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.flatten(2).permute(2, 0, 1)

    fused = []
    for row in range(values["memory_rows"].shape[0]):
        outputs = [
            (
                int(place) + 1,
                {"maskmem_features": flat(memory[None]), "maskmem_pos_enc": flat(spatial)},
            )
            for memory, place in zip(
                values["memory_features"][row], values["memory_rows"][row], strict=True
            )
            if place >= 0
        ]
        memories, positions = tracker._build_memory_attention_inputs(outputs, torch.device("cpu"))
        used = values["pointer_offsets"][row] >= 0
        # Offsets are already divided by the span, so the span here is 1.
        tokens, times = tracker._process_object_pointers(
            values["pointer_offsets"][row][used].tolist(),
            [pointer[None] for pointer in values["object_pointers"][row][used]],
            2,
            1,
            tracker.hidden_dim,
            torch.device("cpu"),
        )
        attended = tracker.memory_attention(
            current_vision_features=flat(frame),
            current_vision_position_embeddings=flat(places),
            memory=torch.cat([*memories, tokens]),
            memory_posision_embeddings=torch.cat([*positions, times]),
            num_object_pointer_tokens=tokens.shape[0],
        )
        fused.append(attended.squeeze(1).transpose(1, 2).reshape(frame.shape))
    return {"fused_feat": torch.cat(fused)}


def _memory_encoder(model: Sam3VideoModel, values: Tensors) -> Tensors:
    tracker = model.tracker_model
    side = tracker.image_size
    memories = []
    for row, score in enumerate(values["object_score_logits"]):
        logits = torch.where(score > 0, values["mask_logits"][row : row + 1], -1024.0)
        high = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
        # transformers rounds the result to bfloat16; taken before that.
        kept: list[torch.Tensor] = []
        hook = tracker.memory_encoder.register_forward_hook(
            lambda _module, _inputs, output, kept=kept: kept.append(output[0])
        )
        frame = values["tracker_feat"].flatten(2).permute(2, 0, 1)
        points = bool(values["is_mask_from_points"][row] > 0)
        tracker._encode_new_memory(frame, high, score[None], points)
        hook.remove()
        memories.append(kept[0])  # the occlusion embedding is added in place
    return {"memory_features": torch.cat(memories)}


def _mask_prompt(model: Sam3VideoModel, values: Tensors) -> Tensors:
    tracker = model.tracker_model
    logits = tracker.mask_downsample(values["mask"])
    low = F.interpolate(
        logits,
        tracker.prompt_encoder.mask_input_size,
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )
    return {"input_masks": low}


REFERENCES: dict[str, Callable[[Sam3VideoModel, Tensors], Tensors]] = {
    "vision-encoder": _vision,
    "text-encoder": _text,
    "concept-decoder": _concept,
    "click-decoder": _click,
    "memory-attention": _memory_attention,
    "memory-encoder": _memory_encoder,
    "mask-prompt": _mask_prompt,
}


@torch.no_grad()
def reference(
    model: Sam3VideoModel, name: str, free: dict[str, int], seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draw the inputs of a part and compute its outputs with transformers."""
    part = parts(model)[name]
    values = prepare(name, random_inputs(part, free, seed))
    if part.broadcast and free["objects"] > 1:
        for shared in part.broadcast:  # one embedding an object instead of one for all
            value = values[shared]
            values[shared] = torch.cat([value.roll(k, dims=-1) for k in range(free["objects"])])
    expected = REFERENCES[name](model, values)
    return (
        {key: value.numpy() for key, value in values.items()},
        {key: expected[key].numpy() for key in part.outputs},
    )
