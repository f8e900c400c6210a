"""Building blocks shared by the SAM 3 graphs: attention, rotary positions, exact RoIAlign, sines.

Tensors that hold token sequences are [batch, tokens, channels]. Attention splits its queries so
that no score tensor exceeds SCORE_BYTES, WebGPU's default limit for one storage buffer.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

SCORE_BYTES = 128 * 1024 * 1024
# Added to the score of a key that must not be seen; exp() of it is 0 in float32, and half holds it.
HIDDEN = -1e4


class Float32(nn.Module):
    """Marks computations that stay float32 in a half-precision export: coordinates, areas, logs."""


def score_bias(visible: torch.Tensor) -> torch.Tensor:
    """Turn bool [batch, keys] (true = seen) into what is added to scores, float [batch, keys]."""
    return torch.where(visible, 0.0, HIDDEN)


def query_pieces(heads: int, queries: int, keys: int) -> int:
    """Count the pieces that the queries are cut into: the fewest equal ones within SCORE_BYTES."""
    pieces = 1
    while queries % pieces or heads * (queries // pieces) * keys * 4 > SCORE_BYTES:
        pieces += 1
    return pieces


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor | None = None,
    pieces: int = 1,
) -> torch.Tensor:
    """Softmax attention over [batch, heads, tokens, dim].

    The bias is [batch, keys], or broadcasts to the scores; that only in one piece.
    """
    if bias is not None and bias.dim() == 2:
        bias = bias[:, None, None]
    query = query * query.shape[-1] ** -0.5
    keys = key.transpose(2, 3)
    rows = query.chunk(pieces, dim=2) if pieces > 1 else [query]
    results = []
    for row in rows:
        scores = row @ keys
        if bias is not None:
            scores = scores + bias
        results.append(F.softmax(scores, dim=-1) @ value)
    return torch.cat(results, dim=2) if pieces > 1 else results[0]


def split_heads(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """[batch, tokens, channels] to [batch, heads, tokens, dim]."""
    return tokens.unflatten(2, (heads, -1)).transpose(1, 2)


def join_heads(tokens: torch.Tensor) -> torch.Tensor:
    """[batch, heads, tokens, dim] to [batch, tokens, channels]."""
    return tokens.transpose(1, 2).flatten(2)


def cross_attention(
    layer: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor | None = None,
    pieces: int = 1,
) -> torch.Tensor:
    """Run a transformers attention layer (q_proj, k_proj, v_proj, o_proj) on token sequences."""
    heads = layer.num_attention_heads
    mixed = attend(
        split_heads(layer.q_proj(query), heads),
        split_heads(layer.k_proj(key), heads),
        split_heads(layer.v_proj(value), heads),
        bias,
        pieces,
    )
    return layer.o_proj(join_heads(mixed))


def rotate(
    tokens: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor, start: torch.Tensor
) -> torch.Tensor:
    """Rotate neighbouring pairs of [batch, heads, tokens, dim]; the tables are [tokens, dim / 2].

    One kernel on every provider. Outside an export it returns values of no meaning.
    """
    return torch.onnx.ops.symbolic(
        "com.microsoft::RotaryEmbedding",
        (tokens, start, cosines, sines),
        {"interleaved": 1},
        dtype=tokens.dtype,
        shape=tokens.shape,
        version=1,
    )


def rotary_tables(rotary: nn.Module, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Take [tokens, dim / 2] cosines and sines from a transformers axial rotary embedding."""
    cosines, sines = rotary(torch.zeros(1), positions)
    return cosines[0, :, ::2].contiguous(), sines[0, :, ::2].contiguous()


def group_norm(features: torch.Tensor, norm: nn.GroupNorm) -> torch.Tensor:
    """Group normalisation of [batch, channels, height, width] by InstanceNormalization."""
    groups, channels = norm.num_groups, norm.num_channels
    height, width = features.shape[2:]
    grouped = features.reshape(-1, groups, channels // groups * height, width)
    unit = torch.ones(groups)
    normal = torch.onnx.ops.symbolic(
        "InstanceNormalization",
        (grouped, unit, torch.zeros(groups)),
        {"epsilon": norm.eps},
        dtype=grouped.dtype,
        shape=grouped.shape,
    )
    normal = normal.reshape(-1, channels, height, width)
    return normal * norm.weight[:, None, None] + norm.bias[:, None, None]


def channels_last(norm: nn.LayerNorm, features: torch.Tensor) -> torch.Tensor:
    """Layer normalisation over the channels of [batch, channels, height, width]."""
    rows = features.permute(0, 2, 3, 1)
    rows = F.layer_norm(rows, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
    return rows.permute(0, 3, 1, 2)


def sine_angles(count: int, temperature: float = 10000.0) -> torch.Tensor:
    """Make the [count / 2] divisors of a sine encoding with `count` features."""
    index = torch.arange(0, count, 2, dtype=torch.float32)
    return temperature ** (index / count)


def sine_of_turns(turns: torch.Tensor) -> torch.Tensor:
    """sin(2 pi turns) to 1e-7 by folding into a quarter turn and the Taylor series to x^11.

    GPU sines may be off by 2^-11 and more (WGSL), which moves whole masks' edges.
    """
    rest = turns - torch.floor(turns + 0.5)
    quarter = 0.25 - (rest.abs() - 0.25).abs()
    angle = quarter * (2 * math.pi)
    square = angle * angle
    series = square * (-1 / math.factorial(11)) + 1 / math.factorial(9)
    for order, sign in ((7, -1), (5, 1), (3, -1), (1, 1)):
        series = series * square + sign / math.factorial(order)
    return series * torch.where(rest < 0, -angle, angle)


class SineEncoding(Float32):
    """Encode values in [0, 1]: [...] to [..., features], sine and cosine side by side."""

    def __init__(self, features: int, scale: float = 2 * math.pi) -> None:
        super().__init__()
        factors = scale / (2 * math.pi) / sine_angles(features)
        self.register_buffer("factors", factors[:, None].contiguous())
        self.register_buffer("phases", torch.tensor([0.0, 0.25]))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        turns = values[..., None, None] * self.factors + self.phases
        return sine_of_turns(turns).flatten(-2)


class RoiWeights(Float32):
    """RoIAlign (aligned = False, adaptive sampling) as a product of matrices.

    RoIAlign averages bilinear samples on a regular grid, so it separates: bin (i, j) of a box is
    the sum over rows y and columns x of Wy[i, y] * Wx[j, x] * feature[y, x]. Boxes [P, n, 4] are
    centre x, centre y, width, height in [0, 1]; the result is [P, n, size * size, H * W].
    Equals torchvision.ops.roi_align and ONNX RoiAlign (output_half_pixel, sampling_ratio 0).
    """

    def __init__(self, size: int, height: int, width: int) -> None:
        super().__init__()
        self.size, self.height, self.width = size, height, width

    def axis(self, start: torch.Tensor, end: torch.Tensor, length: int) -> torch.Tensor:
        """Weights [boxes, n, size, length] along one axis; start and end [boxes, n] in cells."""
        extent = (end - start).clamp(min=1.0)
        cell = extent / self.size
        count = torch.ceil(cell)
        # A box inside the image has at most this many samples a bin.
        most = math.ceil(length / self.size)
        bins = torch.arange(self.size, dtype=torch.float32)
        samples = torch.arange(most, dtype=torch.float32)
        offset = (samples + 0.5) * (cell / count)[..., None]
        place = start[..., None, None] + (bins * cell[..., None])[..., None] + offset[..., None, :]
        inside = (place >= -1.0) & (place <= float(length))
        used = (samples < count[..., None])[..., None, :] & inside
        share = torch.where(used, 1.0 / count[..., None, None], 0.0)
        cells = torch.arange(length, dtype=torch.float32)
        distance = (place.clamp(0.0, float(length - 1))[..., None] - cells).abs()
        return ((1.0 - distance).clamp(min=0.0) * share[..., None]).sum(dim=-2)

    def forward(self, boxes: torch.Tensor) -> torch.Tensor:
        centre_x, centre_y, width, height = boxes.unbind(-1)
        rows = self.axis(
            (centre_y - 0.5 * height) * self.height,
            (centre_y + 0.5 * height) * self.height,
            self.height,
        )
        columns = self.axis(
            (centre_x - 0.5 * width) * self.width,
            (centre_x + 0.5 * width) * self.width,
            self.width,
        )
        weights = rows[:, :, :, None, :, None] * columns[:, :, None, :, None, :]
        return weights.flatten(4, 5).flatten(2, 3)
