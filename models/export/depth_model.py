"""Depth Anything checkpoints and random stand-ins, made ready for ONNX export."""

from __future__ import annotations

import math
import types

import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    AttentionInterface,
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
)

from draw_scene import draw_landscape
from official_depth import preprocess

# hidden, layers, heads, native image side, taken layers (1-based), neck channels, fusion, head
ARCHITECTURES = {
    "vits": (384, 12, 6, 518, (3, 6, 9, 12), (48, 96, 192, 384), 64, 32),
    "vitb": (768, 12, 12, 518, (3, 6, 9, 12), (96, 192, 384, 768), 128, 32),
    "vitl": (1024, 24, 16, 518, (5, 12, 18, 24), (256, 512, 1024, 1024), 256, 32),
    # A 5x5 position grid, so that every fixture size exercises its interpolation.
    "tiny": (16, 4, 2, 70, (1, 2, 3, 4), (4, 4, 8, 8), 8, 8),
}

# Names of the published graphs' tensors, by kind.
CONTRACTS = {"relative": ("pixel_values", "predicted_depth"), "metric": ("image", "depth")}


def load_checkpoint(folder: str) -> DepthAnythingForDepthEstimation:
    """Load a transformers Depth Anything folder (config.json and weights) in float32."""
    model = DepthAnythingForDepthEstimation.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32
    )
    return model.eval()


def random_model(
    encoder: str, kind: str, max_depth: float, seed: int
) -> DepthAnythingForDepthEstimation:
    """Build the architecture `encoder` with seeded random weights whose output is well spread."""
    hidden, layers, heads, side, taken, neck, fusion, head = ARCHITECTURES[encoder]
    backbone = Dinov2Config(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        image_size=side,
        patch_size=14,
        out_indices=list(taken),
        reshape_hidden_states=False,
        apply_layernorm=True,
        use_mask_token=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=hidden,
        neck_hidden_sizes=list(neck),
        fusion_hidden_size=fusion,
        head_hidden_size=head,
        depth_estimation_type=kind,
        max_depth=int(max_depth) if kind == "metric" else 1,
    )
    model = DepthAnythingForDepthEstimation(config).eval()
    randomise(model, seed)
    calibrate(model, kind, seed)
    return model


@torch.no_grad()
def randomise(model: nn.Module, seed: int) -> None:
    """Draw every parameter anew: fan-in scaled weights, and norms and biases that are not trivial.

    Trivial ones (zero biases, unit scales) would let an exporter drop or merge them unnoticed.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "layer_scale" in name:
            parameter.copy_(0.5 + 0.1 * noise)
        elif "norm" in name and name.endswith("weight"):
            parameter.copy_(1 + 0.1 * noise)
        elif name.endswith("bias"):
            parameter.copy_(0.05 * noise)
        elif name.endswith(("position_embeddings", "cls_token")):
            parameter.copy_(0.5 * noise)
        else:
            parameter.copy_(noise / math.sqrt(parameter[0].numel()))


@torch.no_grad()
def calibrate(model: DepthAnythingForDepthEstimation, kind: str, seed: int) -> None:
    """Scale and shift the head's last two convolutions to suit their activations.

    On a drawn landscape, each hidden channel is positive for about three pixels in four; then the
    output has deviation 1 and, relative, mean 2.2 (the ReLU's flat side is used a little), or,
    metric, mean -0.3 (away from both ends of the sigmoid).
    """
    height, width = 10 * 14, 13 * 14
    image = torch.from_numpy(preprocess(draw_landscape(width, height, seed + 1), height))
    target = 2.2 if kind == "relative" else -0.3
    for layer, mean in ((model.head.conv2, 0.7), (model.head.conv3, target)):
        seen: list[torch.Tensor] = []
        hook = layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output))
        model(image)
        hook.remove()
        # Rounded, so that the weights don't hang on the order in which this machine adds.
        scale = (1 / seen[0].std(dim=(0, 2, 3))).round(decimals=3)
        layer.weight *= scale[:, None, None, None]
        centre = seen[0].mean(dim=(0, 2, 3)).round(decimals=3)
        layer.bias.copy_((layer.bias - centre) * scale + mean)


def smooth_noise(batch: int, height: int, width: int, seed: int) -> torch.Tensor:
    """Draw [batch, 3, height, width] float32 noise of several octaves, about unit variance."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(batch, 3, height, width)
    for cells in (3, 9, 27):
        octave = torch.randn(batch, 3, cells, cells, generator=generator)
        total += F.interpolate(octave, (height, width), mode="bicubic", align_corners=False)
    return total / math.sqrt(2)


def encoder_name(config: DepthAnythingConfig) -> str:
    """Name the encoder by its width: vits, vitb, vitl, or custom-<hidden size>."""
    hidden = config.backbone_config.hidden_size
    names = {shape[0]: name for name, shape in ARCHITECTURES.items()}
    return names.get(hidden, f"custom-{hidden}")


def _attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
    """Plain attention, with the scale on the query: that is cheaper, and safer in half floats."""
    weights = F.softmax((query * scaling) @ key.transpose(2, 3), dim=-1)
    return (weights @ value).transpose(1, 2).contiguous(), None


# A name without a mask function: transformers then builds no mask, and the graph stays lean.
AttentionInterface.register("onnx_export", _attention)


def _resized_positions(self, _embeddings, height: int, width: int) -> torch.Tensor:
    rows, columns = height // self.patch_size, width // self.patch_size
    grid = F.interpolate(
        self.position_grid, size=(rows, columns), mode="bicubic", align_corners=False
    )
    return torch.cat((self.position_class, grid.flatten(2).transpose(1, 2)), dim=1)


def _fixed_positions(self, _embeddings, _height: int, _width: int) -> torch.Tensor:
    return self.position_table


def _head(self, hidden_states, patch_height: int, patch_width: int) -> torch.Tensor:
    # As in transformers, whose int() around the size would freeze a dynamic one when traced.
    features = self.conv1(hidden_states[self.head_in_index])
    size = (patch_height * self.patch_size, patch_width * self.patch_size)
    features = F.interpolate(features, size, mode="bilinear", align_corners=True)
    # The channel goes before the activation: a graph must not end in a shape operator (see
    # onnx_graph.check_outputs).
    values = self.conv3(self.activation1(self.conv2(features))).squeeze(1)
    depth = self.activation2(values)
    return depth if self.max_depth == 1 else depth * self.max_depth


class ExportedDepth(nn.Module):
    """The model as it is exported: one tensor in, one out, positions resized for any grid.

    `image` is float32 [B, 3, H, W], normalised, H and W multiples of 14; the result is float32
    [B, H, W]. With `size` (height, width) the position embedding is a constant of that size.
    The given model is altered; take reference outputs before.
    """

    def __init__(
        self, model: DepthAnythingForDepthEstimation, size: tuple[int, int] | None
    ) -> None:
        super().__init__()
        model.set_attn_implementation("onnx_export")
        embeddings = model.backbone.embeddings
        with torch.no_grad():
            positions = embeddings.position_embeddings.detach()
            side = math.isqrt(positions.shape[1] - 1)
            grid = positions[:, 1:].transpose(1, 2).unflatten(2, (side, side)).contiguous()
            embeddings.register_buffer("position_grid", grid)
            embeddings.register_buffer("position_class", positions[:, :1].contiguous())
            method = _resized_positions
            if size is not None:
                table = _resized_positions(embeddings, None, *size)
                embeddings.register_buffer("position_table", table.contiguous())
                method = _fixed_positions
        embeddings.interpolate_pos_encoding = types.MethodType(method, embeddings)
        model.head.forward = types.MethodType(_head, model.head)
        self.model = model

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.model(image).predicted_depth
