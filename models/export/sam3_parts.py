"""The seven graphs of a SAM 3 set: what goes in, what comes out, and one example of each input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from transformers import Sam3VideoModel

from sam3_concept import TEXT_LENGTH, ConceptDecoder, TextEncoder
from sam3_tracker import ClickDecoder, MaskPrompt, MemoryAttention, MemoryEncoder
from sam3_vision import VisionEncoder

Shape = tuple[str | int, ...]


@dataclass(frozen=True)
class Sizes:
    """The numbers that shapes are made of."""

    image: int
    grid: int
    channels: int
    memory: int

    @classmethod
    def of(cls, model: Sam3VideoModel) -> Sizes:
        vision = model.detector_model.vision_encoder.config
        backbone = vision.backbone_config
        return cls(
            backbone.image_size,
            backbone.image_size // backbone.patch_size,
            vision.fpn_hidden_size,
            model.tracker_model.mem_dim,
        )


@dataclass(frozen=True)
class Input:
    """One graph input; `low` and `high` bound its examples, inclusively where they are whole."""

    shape: Shape
    dtype: torch.dtype = torch.float32
    low: float = 0
    high: float = 0
    whole: bool = False


@dataclass(frozen=True)
class Part:
    """One graph. A dimension named by a string is free."""

    build: Callable[[Sam3VideoModel], nn.Module]
    inputs: dict[str, Input]
    outputs: dict[str, Shape]
    # Inputs whose first dimension is traced as 1 but may also be that of another input.
    broadcast: tuple[str, ...] = ()


def parts(model: Sam3VideoModel) -> dict[str, Part]:
    """Describe the graphs of this model, by file name."""
    size = Sizes.of(model)
    image, grid, channels, memory = size.image, size.grid, size.channels, size.memory
    vocabulary = model.config.detector_config.text_config.vocab_size
    queries = model.config.detector_config.detr_decoder_config.num_queries
    levels: dict[str, Shape] = {
        "fpn_feat_0": (channels, 4 * grid, 4 * grid),
        "fpn_feat_1": (channels, 2 * grid, 2 * grid),
        "fpn_feat_2": (channels, grid, grid),
        "image_embeddings.0": (channels // 8, 4 * grid, 4 * grid),
        "image_embeddings.1": (channels // 4, 2 * grid, 2 * grid),
        "image_embeddings.2": (channels, grid, grid),
        "tracker_feat": (channels, grid, grid),
    }
    one = {name: Input((1, *shape)) for name, shape in levels.items()}
    mask: Shape = ("objects", 1, 4 * grid, 4 * grid)
    text = ("prompts", TEXT_LENGTH)
    return {
        "vision-encoder": Part(
            VisionEncoder,
            {"pixel_values": Input(("images", 3, image, image))},
            {name: ("images", *shape) for name, shape in levels.items()},
        ),
        "text-encoder": Part(
            TextEncoder,
            {
                "input_ids": Input(text, torch.int64, 0, vocabulary - 1, whole=True),
                "attention_mask": Input(text, low=0, high=1, whole=True),
            },
            {"text_features": (*text, channels), "text_mask": text},
        ),
        "concept-decoder": Part(
            ConceptDecoder,
            {
                **{name: one[name] for name in ("fpn_feat_0", "fpn_feat_1", "fpn_feat_2")},
                "text_features": Input((*text, channels)),
                "text_mask": Input(text, low=0, high=1, whole=True),
                "input_boxes": Input(("prompts", "boxes", 4), low=0.1, high=0.9),
                "input_boxes_labels": Input(("prompts", "boxes"), low=0, high=1, whole=True),
            },
            {
                "pred_masks": ("prompts", queries, 4 * grid, 4 * grid),
                "pred_boxes": ("prompts", queries, 4),
                "pred_logits": ("prompts", queries),
                "presence_logits": ("prompts", 1),
            },
        ),
        "click-decoder": Part(
            ClickDecoder,
            {
                **{name: one[name] for name in one if name.startswith("image_embeddings")},
                "input_points": Input((1, "objects", "points", 2), low=0, high=image),
                "input_labels": Input((1, "objects", "points"), low=0, high=1, whole=True),
                "input_masks": Input(mask),
                "has_input_masks": Input(("objects",), low=0, high=1, whole=True),
                "multimask": Input(("objects",), low=0, high=1, whole=True),
            },
            {
                "iou_scores": (1, "objects", 3),
                "pred_masks": (1, "objects", 3, 4 * grid, 4 * grid),
                "object_score_logits": (1, "objects", 1),
                "best_iou": ("objects", 1),
                "best_mask": mask,
                "object_pointer": ("objects", channels),
            },
            broadcast=("image_embeddings.2",),
        ),
        "memory-attention": Part(
            MemoryAttention,
            {
                "tracker_feat": one["tracker_feat"],
                "memory_features": Input(("objects", "slots", memory, grid, grid)),
                "memory_rows": Input(("objects", "slots"), low=0, high=6, whole=True),
                "object_pointers": Input(("objects", "pointers", channels)),
                "pointer_offsets": Input(("objects", "pointers"), low=0, high=1),
            },
            {"fused_feat": ("objects", channels, grid, grid)},
        ),
        "memory-encoder": Part(
            MemoryEncoder,
            {
                "tracker_feat": one["tracker_feat"],
                "mask_logits": Input(mask),
                "object_score_logits": Input(("objects", 1)),
                "is_mask_from_points": Input(("objects",), low=0, high=1, whole=True),
            },
            {"memory_features": ("objects", memory, grid, grid)},
        ),
        "mask-prompt": Part(
            MaskPrompt,
            {"mask": Input(("objects", 1, image, image), low=0, high=1, whole=True)},
            {"input_masks": mask},
        ),
    }


def example(entry: Input, free: dict[str, int]) -> torch.Tensor:
    """Make a tensor of the right shape to trace with."""
    shape = [free[side] if isinstance(side, str) else side for side in entry.shape]
    if entry.whole:
        return torch.full(shape, int(entry.low), dtype=entry.dtype)
    return torch.full(shape, (entry.low + entry.high) / 2)
