"""SAM 3's tracker: click decoder, memory attention, memory encoder, mask prompt."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Sam3VideoModel

from sam3_layers import (
    Float32,
    attend,
    channels_last,
    cross_attention,
    join_heads,
    query_pieces,
    rotary_tables,
    rotate,
    score_bias,
    sine_angles,
    sine_of_turns,
    split_heads,
)

PADDING = -10
NO_OBJECT = -1024.0
# The score tensor of memory attention is kept within its bound for a bank of this many frames.
PLANNED_SLOTS = 7


def _tracker(video: Sam3VideoModel) -> nn.Module:
    return video.tracker_model




class _PointEncoding(Float32):
    """Random Fourier features of points in model pixels: [1, N, P, 2] to [1, N, P, C]."""

    def __init__(self, matrix: torch.Tensor, side: int) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix.detach().clone())
        self.side = side

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        centred = 2.0 * ((points + 0.5) / self.side) - 1.0
        turns = centred @ self.matrix
        return sine_of_turns(torch.cat((turns, turns + 0.25), dim=-1))


class _Stability(Float32):
    """Share of a mask that keeps its sign when the threshold moves by +-delta: [N, H, W] to [N]."""

    def __init__(self, delta: float) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        inner = torch.where(logits > self.delta, 1.0, 0.0).sum(dim=(1, 2))
        outer = torch.where(logits > -self.delta, 1.0, 0.0).sum(dim=(1, 2))
        return torch.where(outer > 0, inner / outer.clamp(min=1.0), 1.0)


class PromptEncoder(nn.Module):
    """Points and an optional mask of every object to prompt tokens and a dense embedding."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        matrix = encoder.shared_embedding.positional_embedding
        self.places = _PointEncoding(matrix, encoder.input_image_size)

    def forward(
        self, points: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """[1, N, P, 2] and [1, N, P] to tokens [N, P + 1, C] and their bias [N, P]."""
        encoder = self.encoder
        kinds = encoder.point_embed.weight
        empty = encoder.not_a_point_embed.weight
        which = labels[0, :, :, None]
        kind = torch.where(
            which == 0,
            kinds[0],
            torch.where(which == 1, kinds[1], torch.where(which == 2, kinds[2], kinds[3])),
        )
        tokens = torch.where(which >= 0, self.places(points)[0] + kind, empty)
        objects = tokens.shape[0]
        tokens = torch.cat((tokens, empty[None].expand(objects, 1, -1)), dim=1)
        return tokens, score_bias(labels[0] > PADDING)

    def dense(self, masks: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """[N, 1, h, w] logits and [N] flags to [N, C, h / 4, w / 4]."""
        embed = self.encoder.mask_embed
        hidden = masks
        for conv, norm in ((embed.conv1, embed.layer_norm1), (embed.conv2, embed.layer_norm2)):
            hidden = embed.activation(channels_last(norm, conv(hidden)))
        absent = self.encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return torch.where(given[:, None, None, None] > 0.5, embed.conv3(hidden), absent)


class ClickDecoder(nn.Module):
    """Image embeddings and prompts of N objects to masks, scores and object pointers."""

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        tracker = _tracker(video)
        self.decoder = tracker.mask_decoder
        self.prompts = PromptEncoder(tracker.prompt_encoder)
        with torch.no_grad():
            positions = tracker.get_image_wide_positional_embeddings()
        self.register_buffer("positions", positions.flatten(2).transpose(1, 2).contiguous())
        self.pointer = tracker.object_pointer_proj
        self.no_pointer = tracker.no_object_pointer
        self.stability = _Stability(self.decoder.dynamic_multimask_stability_delta)
        heads = self.decoder.output_hypernetworks_mlps
        layers = [(head.proj_in, *head.layers, head.proj_out) for head in heads]
        for index, group in enumerate(zip(*layers, strict=True)):
            weight = torch.stack([layer.weight.detach().T for layer in group])
            bias = torch.stack([layer.bias.detach() for layer in group])[:, None]
            self.register_buffer(f"hyper_weight_{index}", weight.contiguous())
            self.register_buffer(f"hyper_bias_{index}", bias.contiguous())
        self.hyper_layers = len(layers[0])

    def transform(
        self, tokens: torch.Tensor, pixels: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Two-way attention between tokens [N, T, C] and pixels [N, h * w, C]."""
        transformer = self.decoder.transformer
        queries, keys = tokens, pixels
        for layer in transformer.layers:
            placed = queries if layer.skip_first_layer_pe else queries + tokens
            mixed = cross_attention(layer.self_attn, placed, placed, queries, bias)
            queries = layer.layer_norm1(mixed if layer.skip_first_layer_pe else queries + mixed)
            image = layer.cross_attn_token_to_image
            mixed = cross_attention(image, queries + tokens, keys + self.positions, keys)
            queries = layer.layer_norm2(queries + mixed)
            queries = layer.layer_norm3(queries + layer.mlp(queries))
            back = layer.cross_attn_image_to_token
            mixed = cross_attention(back, keys + self.positions, queries + tokens, queries, bias)
            keys = layer.layer_norm4(keys + mixed)
        final = transformer.final_attn_token_to_image
        mixed = cross_attention(final, queries + tokens, keys + self.positions, keys)
        return transformer.layer_norm_final_attn(queries + mixed), keys

    def upscale(
        self, pixels: torch.Tensor, high: torch.Tensor, middle: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        decoder = self.decoder
        grid = pixels.transpose(1, 2).reshape(-1, pixels.shape[-1], *size)
        grid = decoder.upscale_conv1(grid) + middle
        grid = decoder.activation(channels_last(decoder.upscale_layer_norm, grid))
        return decoder.activation(decoder.upscale_conv2(grid) + high)

    def hyper(self, tokens: torch.Tensor) -> torch.Tensor:
        """The four mask tokens [N, 4, C] through their own perceptrons: [N, 4, C / 8]."""
        hidden = tokens[:, :, None]
        for index in range(self.hyper_layers):
            weight = getattr(self, f"hyper_weight_{index}")
            hidden = hidden @ weight + getattr(self, f"hyper_bias_{index}")
            if index < self.hyper_layers - 1:
                hidden = hidden.relu()
        return hidden[:, :, 0]

    def choose(
        self, masks: torch.Tensor, scores: torch.Tensor, multimask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Say for each object which of its four masks to use; bool [N] for tokens 0, 1 and 2.

        Several masks: the best of 1 to 3. One: token 0 if it is stable, else the best of 1 to 3.
        """
        best = scores[:, 1:].amax(dim=1)
        first = scores[:, 1] >= best
        second = (scores[:, 2] >= best) & ~first
        stable = self.stability(masks[:, 0]) >= self.decoder.dynamic_multimask_stability_thresh
        single = stable & (multimask < 0.5)
        return single, first & ~single, second & ~single

    def forward(
        self,
        embeddings_0: torch.Tensor,
        embeddings_1: torch.Tensor,
        embeddings_2: torch.Tensor,
        input_points: torch.Tensor,
        input_labels: torch.Tensor,
        input_masks: torch.Tensor,
        has_input_masks: torch.Tensor,
        multimask: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        decoder = self.decoder
        size = embeddings_2.shape[2:]
        sparse, hidden = self.prompts(input_points, input_labels)
        outputs = (decoder.obj_score_token, decoder.iou_token, decoder.mask_tokens)
        learned = torch.cat([token.weight for token in outputs])
        objects = sparse.shape[0]
        tokens = torch.cat((learned[None].expand(objects, -1, -1), sparse), dim=1)
        # Seen always: the learned tokens before the points, and the empty point after them.
        bias = F.pad(hidden, (learned.shape[0], 1))
        dense = self.prompts.dense(input_masks, has_input_masks)
        pixels = (embeddings_2 + dense).flatten(2).transpose(1, 2)
        tokens, pixels = self.transform(tokens, pixels, bias)
        mask_tokens = tokens[:, 2 : 2 + decoder.num_mask_tokens]
        grid = self.upscale(pixels, embeddings_0, embeddings_1, size)
        masks = self.hyper(mask_tokens) @ grid.flatten(2)
        masks = masks.unflatten(2, grid.shape[2:])
        scores = decoder.iou_prediction_head(tokens[:, 1])
        present = decoder.pred_obj_score_head(tokens[None, :, 0])
        single, first, second = self.choose(masks, scores, multimask)

        def pick(values: torch.Tensor) -> torch.Tensor:
            """Take the chosen one of [N, 4, ...] as [N, 1, ...]."""
            ends = (None,) * (values.dim() - 1)
            a, b, c = (flag[(slice(None), *ends)] for flag in (single, first, second))
            low = torch.where(b, values[:, 1:2], torch.where(c, values[:, 2:3], values[:, 3:4]))
            return torch.where(a, values[:, 0:1], low)

        # A single-mask pointer comes from token 0 even where its mask fell back to another.
        several = multimask[:, None] > 0.5
        token = torch.where(several, pick(mask_tokens)[:, 0], mask_tokens[:, 0])
        pointer = torch.where(present[0] > 0, self.pointer(token), self.no_pointer)
        return (
            scores[None, :, 1:],
            masks[None, :, 1:],
            present,
            pick(scores),
            pick(masks),
            pointer,
        )


class _PointerTimes(Float32):
    """Sine encoding of time offsets: [O, Q] to [O, Q, C], sines first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        divisors = sine_angles(half).repeat_interleave(2)
        self.register_buffer("factors", 1.0 / (2 * math.pi * divisors))

    def forward(self, offsets: torch.Tensor) -> torch.Tensor:
        turns = offsets[..., None] * self.factors
        return sine_of_turns(torch.cat((turns, turns + 0.25), dim=-1))


class MemoryAttention(nn.Module):
    """Fuse a frame with the memories and pointers of O objects: features [O, C, h, w]."""

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        tracker = _tracker(video)
        self.attention = tracker.memory_attention
        self.height, self.width = tracker.backbone_feature_sizes[-1]
        self.memory_channels = tracker.mem_dim
        channels = tracker.hidden_dim
        shape = torch.Size((1, channels, self.height, self.width))
        frame = video.tracker_neck.position_encoding(shape, "cpu", torch.float32)
        frame = 0.1 * frame.flatten(2).transpose(1, 2)
        self.register_buffer("frame_positions", frame.contiguous())
        shape = torch.Size((1, self.memory_channels, self.height, self.width))
        memory = tracker.memory_encoder.position_encoding(shape, "cpu", torch.float32)
        self.register_buffer("memory_positions", memory.flatten(2).transpose(1, 2).contiguous())
        table = tracker.memory_temporal_positional_encoding.detach()[:, 0, 0]
        self.register_buffer("times", table.contiguous())
        rows = torch.arange(tracker.num_maskmem, dtype=torch.float32)
        self.register_buffer("time_rows", rows)
        self.pointer_times = _PointerTimes(channels)
        self.project_times = tracker.temporal_positional_encoding_projection_layer
        rotary = self.attention.rotary_emb
        cosines, sines = rotary_tables(rotary, self.attention.position_ids)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)
        self.register_buffer("start", torch.zeros(1, dtype=torch.int64))
        cells = self.height * self.width
        heads = tracker.config.memory_attention_num_attention_heads
        self.own_pieces = query_pieces(heads, cells, cells)
        self.memory_pieces = query_pieces(heads, cells, PLANNED_SLOTS * cells + 64)

    def turn(self, tokens: torch.Tensor) -> torch.Tensor:
        return rotate(tokens, self.cosines, self.sines, self.start)

    def own(self, layer: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
        heads = layer.num_attention_heads
        query, key = (
            self.turn(split_heads(project(tokens), heads))
            for project in (layer.q_proj, layer.k_proj)
        )
        value = split_heads(layer.v_proj(tokens), heads)
        return layer.o_proj(join_heads(attend(query, key, value, pieces=self.own_pieces)))

    def remember(
        self,
        layer: nn.Module,
        tokens: torch.Tensor,
        frames: tuple[torch.Tensor, torch.Tensor],
        pointers: tuple[torch.Tensor, torch.Tensor],
        bias: torch.Tensor,
    ) -> torch.Tensor:
        """Attend to frames [O, M, cells, Cm] (rotated) and pointers [O, Q, Cm] (not rotated)."""
        heads = layer.num_attention_heads
        query = self.turn(split_heads(layer.q_proj(tokens), heads))
        values, places = frames
        objects = values.shape[0]
        keys = layer.k_proj(values + places).flatten(0, 1)
        keys = self.turn(split_heads(keys, heads)).transpose(1, 2).flatten(2)
        keys = keys.reshape(objects, -1, keys.shape[-1])
        keys = torch.cat((keys, layer.k_proj(pointers[0] + pointers[1])), dim=1)
        tokens = torch.cat((values.flatten(1, 2), pointers[0]), dim=1)
        mixed = attend(
            query,
            split_heads(keys, heads),
            split_heads(layer.v_proj(tokens), heads),
            bias,
            self.memory_pieces,
        )
        return layer.o_proj(join_heads(mixed))

    def forward(
        self,
        tracker_feat: torch.Tensor,
        memory_features: torch.Tensor,
        memory_rows: torch.Tensor,
        object_pointers: torch.Tensor,
        pointer_offsets: torch.Tensor,
    ) -> torch.Tensor:
        cells, width = self.height * self.width, self.memory_channels
        tokens = tracker_feat.flatten(2).transpose(1, 2) + self.frame_positions
        frames = memory_features.flatten(3).transpose(2, 3)
        row = torch.where(memory_rows[..., None] == self.time_rows, 1.0, 0.0) @ self.times
        places = self.memory_positions + row[:, :, None]
        splits = max(object_pointers.shape[-1] // width, 1)
        objects = object_pointers.shape[0]
        pointers = object_pointers.reshape(objects, -1, width)
        times = self.project_times(self.pointer_times(pointer_offsets))
        times = times[:, :, None].expand(-1, -1, splits, -1).flatten(1, 2)
        hidden_frames = score_bias(memory_rows >= 0)[..., None].expand(-1, -1, cells)
        hidden_pointers = score_bias(pointer_offsets >= 0)[..., None].expand(-1, -1, splits)
        bias = torch.cat((hidden_frames.flatten(1), hidden_pointers.flatten(1)), dim=1)
        for layer in self.attention.layers:
            tokens = tokens + self.own(layer.self_attn, layer.layer_norm1(tokens))
            normal = layer.layer_norm2(tokens)
            tokens = tokens + self.remember(
                layer.cross_attn_image, normal, (frames, places), (pointers, times), bias
            )
            hidden = layer.activation(layer.linear1(layer.layer_norm3(tokens)))
            tokens = tokens + layer.linear2(hidden)
        tokens = self.attention.layer_norm(tokens)
        return tokens.unflatten(1, (self.height, self.width)).permute(0, 3, 1, 2)


class MemoryEncoder(nn.Module):
    """A frame and the masks of O objects to their memories [O, Cm, h, w]."""

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        tracker = _tracker(video)
        self.config = tracker.config
        self.image_size = tracker.image_size
        self.encoder = tracker.memory_encoder
        low = tracker.prompt_encoder.mask_input_size
        self.size = (4 * low[0], 4 * low[1])
        self.occlusion = tracker.occlusion_spatial_embedding_parameter

    def mask(
        self, logits: torch.Tensor, scores: torch.Tensor, from_points: torch.Tensor
    ) -> torch.Tensor:
        logits = torch.where(scores[..., None, None] > 0, logits, NO_OBJECT)
        side = (self.image_size, self.image_size)
        logits = F.interpolate(logits, side, mode="bilinear", align_corners=False)
        if side != self.size:
            logits = F.interpolate(logits, self.size, mode="bilinear", align_corners=False)
        hard = torch.where(logits > 0, 1.0, 0.0)
        share = torch.where(from_points[:, None, None, None] > 0.5, hard, logits.sigmoid())
        config = self.config
        return share * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc

    def forward(
        self,
        tracker_feat: torch.Tensor,
        mask_logits: torch.Tensor,
        object_score_logits: torch.Tensor,
        is_mask_from_points: torch.Tensor,
    ) -> torch.Tensor:
        encoder = self.encoder
        hidden = self.mask(mask_logits, object_score_logits, is_mask_from_points)
        for layer in encoder.mask_downsampler.layers:
            hidden = layer.activation(channels_last(layer.layer_norm, layer.conv(hidden)))
        hidden = encoder.mask_downsampler.final_conv(hidden)
        hidden = encoder.feature_projection(tracker_feat) + hidden
        for layer in encoder.memory_fuser.layers:
            rows = layer.depthwise_conv(hidden).permute(0, 2, 3, 1)
            norm = layer.layer_norm
            rows = F.layer_norm(rows, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
            rows = layer.pointwise_conv2(layer.activation(layer.pointwise_conv1(rows)))
            hidden = hidden + (layer.scale * rows).permute(0, 3, 1, 2)
        memory = encoder.projection(hidden)
        if self.occlusion is None:
            return memory
        gone = self.occlusion.reshape(1, -1, 1, 1)
        return memory + torch.where(object_score_logits[..., None, None] > 0, 0.0, gone)


class MaskPrompt(nn.Module):
    """A given mask (0 or 1) at the model's size to the click decoder's input_masks."""

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        tracker = _tracker(video)
        self.conv = tracker.mask_downsample
        self.size = tracker.prompt_encoder.mask_input_size

    def forward(self, mask: torch.Tensor) -> torch.Tensor:
        logits = self.conv(mask)
        return F.interpolate(logits, self.size, mode="bilinear", align_corners=False)
