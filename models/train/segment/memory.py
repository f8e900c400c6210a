"""The memory graphs: what is kept of an object on a frame, and how later frames read it."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from encoder import GRID, WIDTHS
from layers import Block, Perceptron, centres, is_label

KEYS, VALUES = 32, 16      # channels of a memory: what a place looks like, what the mask is there
HEADS, ROWS = 2, 7
WAVES = (48.0, 24.0, 12.0, 6.0)  # lengths in cells of the waves that tell how far places are apart
NEAR = (0.1, 1.0)     # how much each head prefers near places at first
HIDDEN = -1e4


class MemoryEncoder(nn.Module):
    """See SAM3.md, memory-encoder. Channels: keys, the mask's share of each cell, other values."""

    def __init__(self):
        super().__init__()
        c = WIDTHS[2]
        self.key = nn.Conv2d(c, KEYS, 1)
        self.image = nn.Conv2d(c, 32, 1)
        self.mask = nn.Conv2d(1, 32, 8, 4, 2)
        self.block = Block(32, 5, 2)
        self.value = nn.Conv2d(32, VALUES - 1, 1)
        self.hidden = nn.Parameter(torch.randn(VALUES - 1) * 0.1)

    def forward(self, tracker_feat, mask_logits, object_score_logits, is_mask_from_points):
        there = (object_score_logits > 0).to(mask_logits.dtype)[:, :, None, None]
        prompted = is_mask_from_points[:, None, None, None]
        hard = (mask_logits > 0).to(mask_logits.dtype)
        mask = torch.where(prompted > 0.5, hard, torch.sigmoid(mask_logits)) * there
        x = F.relu(self.image(tracker_feat) + self.mask(2 * mask - 1))
        value = self.value(self.block(x)) + (1 - there) * self.hidden[None, :, None, None]
        key = self.key(tracker_feat) + 0 * there
        return torch.cat([key, F.avg_pool2d(mask, 4).to(key.dtype), value.to(key.dtype)], 1)


class MemoryAttention(nn.Module):
    """See SAM3.md, memory-attention."""

    def __init__(self, no_memory=None, hint=None):
        super().__init__()
        c = WIDTHS[2]
        self.query = nn.Conv2d(c, HEADS * KEYS, 1)
        self.row = nn.Parameter(torch.zeros(HEADS, ROWS))
        self.near = nn.Parameter(torch.tensor(NEAR)[:, None].repeat(1, len(WAVES)))
        self.register_buffer('waves', waves(), persistent=False)
        self.like = nn.Conv2d(c, KEYS, 1)
        self.of_pointer = nn.Linear(c, KEYS)
        self.trust = nn.Linear(c, 1)
        self.age = nn.Parameter(torch.tensor(1.0))
        self.merge = nn.Conv2d(c + HEADS * VALUES + 3 * VALUES + 5, c, 1)
        self.film = nn.Linear(c, c)
        self.blocks = nn.ModuleList([Block(c, 7, 3) for _ in range(2)])
        self.summary = Perceptron(2 * c, c, c)
        self.where = nn.Conv2d(c, 1, 1)
        self.out = nn.Conv2d(c, c, 1)
        nn.init.normal_(self.out.weight, 0, 0.01)
        nn.init.constant_(self.where.bias, -3.0)
        self.base = nn.Parameter(torch.zeros(c) if no_memory is None else no_memory.clone())
        self.hint = nn.Parameter(torch.zeros(c) if hint is None else hint.clone())

    def places(self, zero):
        """Waves of every cell's place, [1, 4 · waves, g, g]: the product of two cells' numbers is
        the sum of the cosines of their distance, and largest for a cell and itself."""
        across = self.waves[None, :, None, :] + zero
        down = self.waves[None, :, :, None] + zero
        return torch.cat([across, down], 1)

    def tokens(self, memory, rows, place):
        """What every 2×2 cells of the remembered frames show of the object, and of what is around
        it: keys [objects, channels, tokens] and values [objects, tokens, VALUES]."""
        n, slots = rows.shape
        flat = memory.reshape(n * slots, KEYS + VALUES, GRID, GRID)
        covered = flat[:, KEYS:KEYS + 1]
        flat = torch.cat([flat, place.to(flat.dtype) + 0 * covered], 1)
        found = []
        for share in (covered, 1 - covered):
            whole = F.avg_pool2d(share, 2)
            mean = F.avg_pool2d(flat * share, 2) / (whole + 1e-3)
            found.append(torch.cat([mean, torch.log(whole + 1e-4)], 1).flatten(2))
        found = torch.cat(found, 2)  # [objects · slots, channels, tokens of a frame]
        count = found.shape[2]
        found = found.reshape(n, slots, -1, count)
        key, value, rest = found.split([KEYS, VALUES, found.shape[2] - KEYS - VALUES], 2)
        empty = HIDDEN * F.relu(-rows).clamp(0.0, 1.0)
        marks = torch.stack([*(is_label(rows, r) for r in range(ROWS)), empty], 2)
        marks = marks[..., None].to(key.dtype) + 0 * key[:, :, :1]
        key = torch.cat([key, rest, marks], 2).permute(0, 2, 1, 3).reshape(n, -1, slots * count)
        return key, value.permute(0, 1, 3, 2).reshape(n, slots * count, VALUES)

    def read(self, tracker_feat, memory, rows):
        """Values of alike and near places [objects, HEADS · VALUES, g, g]."""
        n, cells = rows.shape[0], GRID * GRID
        query = self.query(tracker_feat).reshape(HEADS, KEYS, cells).transpose(1, 2) * KEYS**-0.5
        # Added to what comes in, so that the exporter writes no large constants.
        places = self.places(0 * tracker_feat[:, :1])
        gains = self.near.repeat_interleave(2, 1).repeat(1, 2)
        place = places.reshape(-1, cells).T[None] * gains[:, None]
        one = torch.ones_like(self.row[:, :1])
        fixed = torch.cat([one, self.row, one], 1)[:, None] + 0 * query[:, :, :1]
        query = torch.cat([query, place.to(query.dtype), fixed.to(query.dtype)], 2)
        key, value = self.tokens(memory, rows, places)
        score = torch.matmul(query.reshape(1, HEADS * cells, -1), key)
        found = torch.matmul(torch.softmax(score, 2).to(value.dtype), value)
        found = found.reshape(n, HEADS, cells, VALUES).transpose(2, 3)
        return found.reshape(n, HEADS * VALUES, GRID, GRID)

    def recent(self, memory, rows):
        """The values of the last two frames and of the prompted ones, place by place, and what the
        object looks like on prompted and on other frames, [objects, KEYS] each."""
        n, slots = rows.shape
        cells = GRID * GRID
        used = 1 - F.relu(-rows).clamp(0.0, 1.0)
        prompted = is_label(rows, ROWS - 1)
        share = prompted / prompted.sum(1, keepdim=True).clamp(1.0, 100.0)
        pick = torch.stack([is_label(rows, 0), is_label(rows, 1), share], 1)
        values = memory[:, :, KEYS:].reshape(n, slots, VALUES * cells)
        last = torch.matmul(pick.to(values.dtype), values).reshape(n, 3 * VALUES, GRID, GRID)
        covered = memory[:, :, KEYS].reshape(n, slots, cells)
        key = memory[:, :, :KEYS].reshape(n, slots, KEYS, cells)
        looks = []
        for chosen in (prompted, used - prompted):
            weight = covered * chosen[..., None]
            sums = torch.matmul(key, weight[..., None].to(key.dtype))[..., 0].sum(1)
            looks.append(sums / (weight.sum((1, 2))[:, None] + 0.05))
        return last, looks

    def pointer(self, pointers, offsets):
        """One pointer of all, [objects, C]."""
        empty = F.relu(-offsets).mul(1e4).clamp(0.0, 1e4)
        weight = torch.softmax(self.trust(pointers)[..., 0] - self.age * F.relu(offsets) - empty, 1)
        return (pointers * weight[..., None]).sum(1)

    def forward(self, tracker_feat, memory_features, memory_rows, object_pointers,
                pointer_offsets):
        return self.fuse(tracker_feat, memory_features, memory_rows, object_pointers,
                         pointer_offsets)[0]

    def fuse(self, tracker_feat, memory_features, memory_rows, object_pointers, pointer_offsets):
        """`fused_feat`, and logits of where the object is [objects, 1, g, g]."""
        found = self.read(tracker_feat, memory_features, memory_rows)
        last, looks = self.recent(memory_features, memory_rows)
        pointer = self.pointer(object_pointers, pointer_offsets)
        like = self.like(tracker_feat)
        maps = []
        for look in (*looks, self.of_pointer(pointer)):
            look = look[:, :, None, None]
            maps.append((like * look).sum(1, keepdim=True) * KEYS**-0.5)
            if len(maps) < 4:
                maps.append(torch.exp(-((like - look) ** 2).mean(1, keepdim=True)))
        flat = tracker_feat + 0 * found[:, :1]
        x = self.merge(torch.cat([flat, found, last, *maps], 1))
        x = F.relu(x + self.film(pointer)[:, :, None, None])
        x = self.blocks[0](x)
        known = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        x = self.blocks[1](x + self.summary(known)[:, :, None, None])
        where = self.where(x)
        hint = torch.sigmoid(where) * self.hint[None, :, None, None]
        return tracker_feat + self.base[None, :, None, None] + hint + self.out(x), where


class MaskPrompt(nn.Module):
    """See SAM3.md, mask-prompt."""

    def forward(self, mask):
        return F.avg_pool2d(mask, 2) * 20 - 10


def waves():
    """Cosines and sines of places along an axis, [2 · waves, g]."""
    at = centres(GRID) * GRID
    rows = []
    for wave in WAVES:
        angle = at * (2 * math.pi / wave)
        rows += [torch.cos(angle), torch.sin(angle)]
    return torch.stack(rows)
