"""SAM 3's vision encoder: one backbone run, both necks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Sam3VideoModel

from sam3_layers import attend, join_heads, query_pieces, rotary_tables, rotate, split_heads


class _Block(nn.Module):
    """One layer of the backbone on [windows, tokens, channels]; a global layer has one window."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        cosines, sines = rotary_tables(layer.rotary_emb, layer.position_ids)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)
        self.register_buffer("start", torch.zeros(1, dtype=torch.int64))
        tokens = cosines.shape[0]
        self.pieces = query_pieces(layer.attention.num_attention_heads, tokens, tokens)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        attention = self.layer.attention
        heads = attention.num_attention_heads
        normal = self.layer.layer_norm1(tokens)
        query, key = (
            rotate(split_heads(project(normal), heads), self.cosines, self.sines, self.start)
            for project in (attention.q_proj, attention.k_proj)
        )
        mixed = attend(
            query, key, split_heads(attention.v_proj(normal), heads), pieces=self.pieces
        )
        tokens = tokens + attention.o_proj(join_heads(mixed))
        return tokens + self.layer.mlp(self.layer.layer_norm2(tokens))


class VisionEncoder(nn.Module):
    """pixel_values [B, 3, S, S] to the detector's three levels and the tracker's.

    Windows are laid out once for a run of windowed layers, not in every layer.
    """

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        encoder = video.detector_model.vision_encoder
        config = encoder.config.backbone_config
        embeddings = encoder.backbone.embeddings
        self.side = config.image_size // config.patch_size
        if self.side % config.window_size:
            raise ValueError(
                f"a grid of {self.side} patches does not hold whole windows of {config.window_size}"
            )
        with torch.no_grad():
            positions = embeddings._tile_position_embeddings(
                embeddings.position_embeddings, self.side, self.side
            )
        self.register_buffer("positions", positions.contiguous())
        self.projection = embeddings.patch_embeddings.projection
        self.norm = encoder.backbone.layer_norm
        self.window = config.window_size
        self.blocks = nn.ModuleList(_Block(layer) for layer in encoder.backbone.layers)
        self.windowed = [layer.window_size > 0 for layer in encoder.backbone.layers]
        self.detector_levels = encoder.neck.fpn_layers[:3]
        self.tracker_levels = video.tracker_neck.fpn_layers[:3]
        self.high_resolution = nn.ModuleList(
            (video.tracker_model.mask_decoder.conv_s0, video.tracker_model.mask_decoder.conv_s1)
        )
        self.no_memory = video.tracker_model.no_memory_embedding

    def to_windows(self, tokens: torch.Tensor) -> torch.Tensor:
        count, size = self.side // self.window, self.window
        grid = tokens.reshape(-1, count, size, count, size, tokens.shape[-1])
        return grid.transpose(2, 3).reshape(-1, size * size, tokens.shape[-1])

    def from_windows(self, tokens: torch.Tensor) -> torch.Tensor:
        count, size = self.side // self.window, self.window
        grid = tokens.reshape(-1, count, count, size, size, tokens.shape[-1])
        return grid.transpose(2, 3).reshape(-1, self.side * self.side, tokens.shape[-1])

    def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        patches = self.projection(pixel_values).flatten(2).transpose(1, 2)
        tokens = self.norm(patches + self.positions)
        in_windows = False
        for block, windowed in zip(self.blocks, self.windowed, strict=True):
            if windowed != in_windows:
                tokens = self.to_windows(tokens) if windowed else self.from_windows(tokens)
                in_windows = windowed
            tokens = block(tokens)
        if in_windows:
            tokens = self.from_windows(tokens)
        features = tokens.transpose(1, 2).reshape(-1, tokens.shape[-1], self.side, self.side)
        detector = [level(features) for level in self.detector_levels]
        tracker = [level(features) for level in self.tracker_levels]
        clicks = tracker[2] + self.no_memory.reshape(1, -1, 1, 1)
        high = [conv(level) for conv, level in zip(self.high_resolution, tracker, strict=False)]
        return (*detector, *high, clicks, tracker[2])
