"""SAM 3 checkpoints and random stand-ins, and the transformers models that share their weights."""

from __future__ import annotations

import math

import torch
from torch import nn
from transformers import (
    Sam3Config,
    Sam3Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
    Sam3TrackerVideoConfig,
    Sam3TrackerVideoModel,
    Sam3VideoConfig,
    Sam3VideoModel,
)

from byte_weights import SMALLEST, coarse, coarser

# What distinguishes the random models. `sam3` is the published size (848 M parameters).
ARCHITECTURES: dict[str, dict[str, int]] = {
    "tiny": {
        "patches": 9, "window": 3, "width": 32, "layers": 4, "fpn": 64, "queries": 12, "roi": 3,
        "heads": 4, "detr_layers": 2, "mlp": 64, "text_width": 32, "text_layers": 2, "vocab": 600,
        "memory_layers": 2,
    },
    # Wide enough for object pointers to be split into tokens, and RoIAlign of the published size.
    "small": {
        "patches": 8, "window": 4, "width": 48, "layers": 6, "fpn": 128, "queries": 20, "roi": 7,
        "heads": 8, "detr_layers": 3, "mlp": 128, "text_width": 64, "text_layers": 3, "vocab": 600,
        "memory_layers": 4,
    },
}
PATCH = 14


def load_checkpoint(folder: str) -> Sam3VideoModel:
    """Load a transformers folder of facebook/sam3 (config.json and weights) in float32.

    That checkpoint is a Sam3VideoModel: detector_model (with the only backbone), tracker_model
    (without one) and tracker_neck. A folder of Sam3Model or Sam3TrackerModel alone lacks the rest
    and is refused.
    """
    model, report = Sam3VideoModel.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise ValueError(
            f"{folder} lacks {len(missing)} weights of Sam3VideoModel ({missing[0]}, ...); "
            "give the whole facebook/sam3 folder, with detector and tracker"
        )
    return model.eval()


def random_config(name: str) -> Sam3VideoConfig:
    """Make the configuration of a random model."""
    if name == "sam3":
        return Sam3VideoConfig()
    size = ARCHITECTURES[name]
    side, patches, fpn = size["patches"] * PATCH, size["patches"], size["fpn"]
    levels = [[factor * patches] * 2 for factor in (4, 2, 1)]
    vision = {
        "model_type": "sam3_vision_model",
        "fpn_hidden_size": fpn,
        "backbone_feature_sizes": levels,
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": size["width"],
            "intermediate_size": 2 * size["width"],
            "num_hidden_layers": size["layers"],
            "num_attention_heads": 2,
            "image_size": side,
            "patch_size": PATCH,
            "window_size": size["window"],
            "pretrain_image_size": size["window"] * PATCH,
            "global_attn_indexes": [1, size["layers"] - 1],
        },
    }
    detr = {
        "hidden_size": fpn,
        "num_layers": size["detr_layers"],
        "num_attention_heads": size["heads"],
        "intermediate_size": size["mlp"],
    }
    detector = Sam3Config(
        vision_config=vision,
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": size["vocab"],
            "hidden_size": size["text_width"],
            "intermediate_size": 2 * size["text_width"],
            "projection_dim": size["text_width"],
            "num_hidden_layers": size["text_layers"],
            "num_attention_heads": 4,
            "max_position_embeddings": 32,
            "hidden_act": "gelu",
            "bos_token_id": size["vocab"] - 2,
            "eos_token_id": size["vocab"] - 1,
            "pad_token_id": size["vocab"] - 1,
        },
        geometry_encoder_config={**detr, "num_layers": 1, "roi_size": size["roi"]},
        detr_encoder_config=detr,
        detr_decoder_config={**detr, "num_queries": size["queries"]},
        mask_decoder_config={
            "hidden_size": fpn, "num_attention_heads": size["heads"], "num_upsampling_stages": 2,
        },
    )
    tracker = Sam3TrackerVideoConfig(
        vision_config=vision,
        image_size=side,
        prompt_encoder_config={"hidden_size": fpn, "image_size": side},
        mask_decoder_config={
            "hidden_size": fpn, "mlp_dim": size["mlp"], "num_attention_heads": 4,
            "iou_head_hidden_dim": fpn // 2,
        },
        memory_attention_hidden_size=fpn,
        memory_attention_num_layers=size["memory_layers"],
        memory_attention_feed_forward_hidden_size=size["mlp"],
        memory_attention_rope_feat_sizes=[patches, patches],
        memory_encoder_hidden_size=fpn,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=fpn,
        memory_fuser_embed_dim=fpn,
        memory_fuser_intermediate_dim=size["mlp"],
    )
    return Sam3VideoConfig(
        detector_config=detector, tracker_config=tracker, low_res_mask_size=4 * patches
    )


def random_model(name: str, seed: int) -> Sam3VideoModel:
    """Build the architecture `name` with seeded random weights."""
    torch.manual_seed(seed)
    model = Sam3VideoModel(random_config(name)).eval()
    if name != "sam3":
        randomise(model, seed)
    return model


@torch.no_grad()
def randomise(model: nn.Module, seed: int) -> None:
    """Draw every parameter anew, so that none is trivial: zeros and ones can be lost unnoticed.

    Weights are multiples of a power of two, 255 levels a tensor, so that a fixture stores a byte
    for each without any error; the large ones have three to seven, so that it compresses well.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        leaf = name.rsplit(".", 1)[-1]
        if "norm" in name and leaf == "weight":
            value = 1 + 0.1 * noise
        elif leaf == "bias":
            value = 0.1 * noise
        elif leaf == "scale" or "embed" in name and parameter.dim() < 4 or parameter.dim() == 1:
            value = 0.5 * noise
        elif name.endswith(("memory", "token.weight", "tokens.weight", "reference_points.weight")):
            value = noise
        elif leaf in ("memory_temporal_positional_encoding", "no_object_pointer") or (
            leaf.startswith(("no_memory", "occlusion"))
        ):
            value = 0.5 * noise
        else:
            value = 1.2 * noise / math.sqrt(max(parameter[0].numel(), 1))
        large = parameter.numel() > SMALLEST and "norm" not in name
        parameter.copy_(coarser(value) if large else coarse(value))
    model.tracker_model.shared_image_embedding.positional_embedding.copy_(
        model.tracker_model.prompt_encoder.shared_embedding.positional_embedding
    )


def image_model(model: Sam3VideoModel) -> Sam3Model:
    """The concept model on images: the video model's detector itself."""
    return model.detector_model


def tracker_video_model(model: Sam3VideoModel) -> Sam3TrackerVideoModel:
    """Make a stand-alone tracker with the same weights: its own backbone and the tracker's neck."""
    config = model.config.tracker_config
    tracker = Sam3TrackerVideoModel(config).eval()
    weights = {name: value for name, value in model.tracker_model.state_dict().items()}
    backbone = model.detector_model.vision_encoder.backbone.state_dict()
    weights |= {f"vision_encoder.backbone.{name}": value for name, value in backbone.items()}
    neck = model.tracker_neck.state_dict()
    weights |= {f"vision_encoder.neck.{name}": value for name, value in neck.items()}
    tracker.load_state_dict(weights, strict=True)
    return tracker


def tracker_image_model(model: Sam3VideoModel) -> Sam3TrackerModel:
    """Make transformers' click model for images with the same weights.

    Its neck gets three levels. With facebook/sam3's four, transformers 5.23 adds the no-memory
    embedding to the fourth, which nothing reads, where the original code, Sam3TrackerVideoModel and
    our graphs add it to the third.
    """
    config = model.config.tracker_config
    vision = config.vision_config.to_dict() | {"scale_factors": [4.0, 2.0, 1.0]}
    tracker = Sam3TrackerModel(
        Sam3TrackerConfig(
            vision_config=vision,
            prompt_encoder_config=config.prompt_encoder_config.to_dict(),
            mask_decoder_config=config.mask_decoder_config.to_dict(),
        )
    ).eval()
    full = tracker_video_model(model).state_dict()
    wanted = tracker.state_dict()
    tracker.load_state_dict({name: full[name] for name in wanted}, strict=True)
    return tracker
