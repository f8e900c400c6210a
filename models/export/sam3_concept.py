"""SAM 3's text encoder and concept decoder (text and box exemplars to instances)."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Sam3VideoModel

from sam3_layers import (
    HIDDEN,
    Float32,
    RoiWeights,
    SineEncoding,
    attend,
    cross_attention,
    group_norm,
    join_heads,
    query_pieces,
    score_bias,
    split_heads,
)

TEXT_LENGTH = 32


class TextEncoder(nn.Module):
    """CLIP text tower: input_ids int64, attention_mask [P, 32] to text_features, text_mask."""

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        detector = video.detector_model
        self.text = detector.text_encoder.text_model
        self.projection = detector.text_projection
        causal = torch.full((TEXT_LENGTH, TEXT_LENGTH), HIDDEN).triu(1)
        self.register_buffer("causal", causal)
        positions = self.text.embeddings.position_embedding.weight[:TEXT_LENGTH]
        self.register_buffer("positions", positions.detach().clone())

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = F.embedding(input_ids, self.text.embeddings.token_embedding.weight)
        tokens = tokens + self.positions
        valid = attention_mask > 0.5
        bias = score_bias(valid)[:, None, None] + self.causal
        for layer in self.text.encoder.layers:
            normal = layer.layer_norm1(tokens)
            tokens = tokens + _clip_attention(layer.self_attn, normal, bias)
            tokens = tokens + layer.mlp(layer.layer_norm2(tokens))
        features = self.projection(self.text.final_layer_norm(tokens))
        return features, torch.where(valid, 1.0, 0.0)


def _clip_attention(layer: nn.Module, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    heads = layer.num_heads
    query, key, value = (
        split_heads(project(tokens), heads)
        for project in (layer.q_proj, layer.k_proj, layer.v_proj)
    )
    return layer.out_proj(join_heads(attend(query, key, value, bias)))


class _BoxBias(Float32):
    """Relative positions of every cell to a query's box edges, on a log scale."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.register_buffer("cells", torch.arange(side, dtype=torch.float32) / side)

    def forward(self, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        centre_x, centre_y, width, height = boxes.unbind(-1)
        results = []
        for centre, extent in ((centre_x, width), (centre_y, height)):
            edges = torch.stack((centre - 0.5 * extent, centre + 0.5 * extent), dim=-1)
            delta = (self.cells[:, None] - edges[..., None, :]) * 8.0
            size = torch.log(delta.abs() + 1.0) * (1.0 / math.log(8.0))
            results.append(torch.where(delta < 0, -size, size))
        return results[0], results[1]


class _Refine(Float32):
    """Move boxes in logit space: cxcywh in [0, 1] plus deltas to cxcywh in [0, 1]."""

    def forward(self, boxes: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
        low, high = boxes.clamp(min=1e-3), (1.0 - boxes).clamp(min=1e-3)
        return (delta + torch.log(low / high)).sigmoid()


class _Corners(Float32):
    def forward(self, boxes: torch.Tensor) -> torch.Tensor:
        centre, extent = boxes.split(2, dim=-1)
        return torch.cat((centre - 0.5 * extent, centre + 0.5 * extent), dim=-1)


class _PooledText(Float32):
    """Mean over the tokens that are seen (bias 0): [P, T, C] and [P, T] to [P, C]."""

    def forward(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        weights = torch.where(bias < 0, 0.0, 1.0)
        total = (tokens * weights[..., None]).sum(dim=1)
        return total / weights.sum(dim=1, keepdim=True).clamp(min=1.0)


class GeometryEncoder(nn.Module):
    """Box exemplars to prompt tokens [P, n + 1, C], the class token last."""

    def __init__(self, geometry: nn.Module, side: int) -> None:
        super().__init__()
        self.geometry = geometry
        self.side = side
        size, channels = geometry.roi_size, geometry.hidden_size
        self.weights = RoiWeights(size, side, side)
        self.sine = SineEncoding(channels // 2)
        pool = geometry.boxes_pool_project
        matrix = pool.weight.detach().permute(2, 3, 1, 0).reshape(size * size * channels, channels)
        self.register_buffer("pool", matrix.contiguous())

    def embed(
        self, boxes: torch.Tensor, labels: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Sum the four encodings of every box; features [1, side * side, C]."""
        geometry = self.geometry
        normal = geometry.vision_layer_norm(features)
        sampled = self.weights(boxes) @ normal[:, None]
        pooled = sampled.flatten(2) @ self.pool + geometry.boxes_pool_project.bias
        x, y, width, height = boxes.split(1, dim=-1)
        centre = self.sine(torch.cat((y, x), dim=-1)).flatten(-2)
        encoded = geometry.boxes_pos_enc_project(torch.cat((centre, height, width), dim=-1))
        table = geometry.label_embed.weight
        label = torch.where((labels == 1)[..., None], table[1], table[0])
        return geometry.boxes_direct_project(boxes) + pooled + encoded + label

    def forward(
        self,
        boxes: torch.Tensor,
        labels: torch.Tensor,
        features: torch.Tensor,
        positions: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        geometry = self.geometry
        tokens = self.embed(boxes, labels, features)
        prompts = tokens.shape[0]
        last = geometry.cls_embed.weight[None].expand(prompts, 1, -1)
        tokens = torch.cat((tokens, last), dim=1)
        tokens = geometry.prompt_layer_norm(geometry.final_proj(tokens))
        used = score_bias(labels > -10).amax(dim=1, keepdim=True)
        bias = torch.cat((score_bias(labels >= 0), used), dim=1)
        for layer in geometry.layers:
            normal = layer.layer_norm1(tokens)
            tokens = tokens + cross_attention(layer.self_attn, normal, normal, normal, bias)
            normal = layer.layer_norm2(tokens)
            tokens = tokens + cross_attention(
                layer.cross_attn, normal, features + positions, features
            )
            tokens = tokens + layer.mlp(layer.layer_norm3(tokens))
        return geometry.output_layer_norm(tokens), bias


class ConceptDecoder(nn.Module):
    """Image features, text and exemplars to 200 (num_queries) instances a prompt.

    One image, any number of prompts: what depends on the image alone is computed once.
    """

    def __init__(self, video: Sam3VideoModel) -> None:
        super().__init__()
        detector = video.detector_model
        self.detector = detector
        vision = detector.vision_encoder
        backbone = vision.config.backbone_config
        self.side = side = backbone.image_size // backbone.patch_size
        channels = vision.config.fpn_hidden_size
        positions = vision.neck.position_encoding(
            torch.Size((1, channels, side, side)), "cpu", torch.float32
        )
        flat = positions.flatten(2).transpose(1, 2)
        self.register_buffer("positions", flat.contiguous().clone())
        self.geometry = GeometryEncoder(detector.geometry_encoder, side)
        self.sine = SineEncoding(channels // 2)
        self.box_bias, self.refine, self.corners = _BoxBias(side), _Refine(), _Corners()
        self.pooled = _PooledText()
        cells = side * side
        heads = detector.detr_encoder.config.num_attention_heads
        self.encoder_pieces = query_pieces(heads, cells, cells)
        decoder = detector.detr_decoder
        self.register_buffer("first_boxes", decoder.reference_points.weight.detach().sigmoid())

    def encode(
        self, tokens: torch.Tensor, prompt: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        for layer in self.detector.detr_encoder.layers:
            normal = layer.layer_norm1(tokens)
            placed = normal + self.positions
            tokens = tokens + cross_attention(
                layer.self_attn, placed, placed, normal, pieces=self.encoder_pieces
            )
            normal = layer.layer_norm2(tokens)
            tokens = tokens + cross_attention(layer.cross_attn, normal, prompt, prompt, bias)
            tokens = tokens + layer.mlp(layer.layer_norm3(tokens))
        return tokens

    def cell_bias(self, boxes: torch.Tensor) -> torch.Tensor:
        """[P or 1, queries, 4] to [P or 1, heads, queries + 1, cells]; row 0: presence."""
        decoder = self.detector.detr_decoder
        across, down = self.box_bias(boxes)
        across = decoder.box_rpb_embed_x(across).permute(0, 3, 1, 2)
        down = decoder.box_rpb_embed_y(down).permute(0, 3, 1, 2)
        bias = (down[..., :, None] + across[..., None, :]).flatten(3)
        return F.pad(bias, (0, 0, 1, 0))

    def query_positions(self, boxes: torch.Tensor) -> torch.Tensor:
        x, y, rest = self.sine(boxes).split((1, 1, 2), dim=-2)
        encoded = torch.cat((y, x, rest), dim=-2).flatten(-2)
        placed = self.detector.detr_decoder.ref_point_head(encoded)
        return F.pad(placed, (0, 0, 1, 0))

    def decode(
        self, memory: torch.Tensor, prompt: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns the queries [P, Q, C], boxes cxcywh [P, Q, 4], presence [P, 1]."""
        decoder = self.detector.detr_decoder
        boxes = self.first_boxes[None]
        tokens = torch.cat((decoder.presence_token.weight, decoder.query_embed.weight))[None]
        keys = memory + self.positions
        queries = tokens[:, 1:]
        for layer in decoder.layers:
            placed = self.query_positions(boxes)
            cells = self.cell_bias(boxes)
            query = tokens + placed
            mixed = cross_attention(layer.self_attn, query, query, tokens)
            tokens = layer.self_attn_layer_norm(tokens + mixed)
            mixed = cross_attention(layer.text_cross_attn, tokens + placed, prompt, prompt, bias)
            tokens = layer.text_cross_attn_layer_norm(tokens + mixed)
            mixed = cross_attention(layer.vision_cross_attn, tokens + placed, keys, memory, cells)
            tokens = layer.vision_cross_attn_layer_norm(tokens + mixed)
            tokens = layer.mlp_layer_norm(tokens + layer.mlp(tokens))
            queries = decoder.output_layer_norm(tokens[:, 1:])
            boxes = self.refine(boxes, decoder.box_head(queries))
        presence = decoder.presence_head(decoder.presence_layer_norm(tokens[:, 0]))
        most = decoder.clamp_presence_logit_max_val
        return queries, boxes, presence.clamp(-most, most)

    def score(
        self, queries: torch.Tensor, prompt: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        scoring = self.detector.dot_product_scoring
        text = scoring.text_mlp_out_norm(scoring.text_mlp(prompt) + prompt)
        text = scoring.text_proj(self.pooled(text, bias))
        product = (scoring.query_proj(queries) @ text[..., None]).squeeze(-1) * scoring.scale
        return product.clamp(-scoring.clamp_max_val, scoring.clamp_max_val)

    def masks(
        self,
        queries: torch.Tensor,
        levels: list[torch.Tensor],
        memory: torch.Tensor,
        prompt: torch.Tensor,
        bias: torch.Tensor,
    ) -> torch.Tensor:
        head = self.detector.mask_decoder
        normal = head.prompt_cross_attn_norm(memory)
        memory = memory + cross_attention(head.prompt_cross_attn, normal, prompt, prompt, bias)
        pixels = memory.transpose(1, 2).reshape(-1, memory.shape[-1], self.side, self.side)
        decoder = head.pixel_decoder
        for index, level in enumerate(levels):
            pixels = F.interpolate(pixels, size=level.shape[-2:], mode="nearest") + level
            pixels = group_norm(decoder.conv_layers[index](pixels), decoder.norms[index]).relu()
        # The 1x1 convolution is folded into the queries: queries are few, pixels are many.
        embedded = head.mask_embedder(queries)
        weight = head.instance_projection.weight.flatten(1)
        constant = (embedded @ head.instance_projection.bias[:, None])[..., None]
        products = (embedded @ weight) @ pixels.flatten(2)
        height, width = levels[-1].shape[-2:]
        return products.unflatten(2, (height, width)) + constant

    def forward(
        self,
        fpn_feat_0: torch.Tensor,
        fpn_feat_1: torch.Tensor,
        fpn_feat_2: torch.Tensor,
        text_features: torch.Tensor,
        text_mask: torch.Tensor,
        input_boxes: torch.Tensor,
        input_boxes_labels: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        tokens = fpn_feat_2.flatten(2).transpose(1, 2)
        exemplars, added = self.geometry(input_boxes, input_boxes_labels, tokens, self.positions)
        prompt = torch.cat((text_features, exemplars), dim=1)
        bias = torch.cat((score_bias(text_mask > 0.5), added), dim=1)
        memory = self.encode(tokens, prompt, bias)
        queries, boxes, presence = self.decode(memory, prompt, bias)
        masks = self.masks(queries, [fpn_feat_1, fpn_feat_0], memory, prompt, bias)
        return masks, self.corners(boxes), self.score(queries, prompt, bias), presence
