#!/usr/bin/env python3
"""Make test/fixtures/edgetam-video: tiny random graphs of EdgeTAM's video set, and what they follow.

The two graphs of pictures are those of make_segment_contracts.py. The three for video and
parameters.json have the names, shapes and types of the release edgetam-v1 of twinkling-reality/rotyl:
memory attention and the memory encoder are stand-ins with random weights, the tracked decoder is
transformers' own, with a pointer. The reference runs the PyTorch modules with the bookkeeping of
transformers' video model: a bank as long as what is remembered, its sine positions, no key mask.
A clicked frame's pointer is that of the first tracked frame, as the set's author has it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional
from transformers.models.sam2.modeling_sam2 import Sam2SinePositionEmbedding

from byte_weights import coarse
from make_segment_contracts import (
    CHANNELS,
    EMBEDDINGS,
    MEAN,
    SIDE,
    STD,
    ClickDecoder,
    tiny_model,
    trace,
)

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "edgetam-video"
GRID, MASK, INNER, ROWS, POINTERS = SIDE // 16, SIDE // 4, 8, 7, 16
TOKENS = GRID * GRID
POINTER_TOKENS = POINTERS * CHANNELS // INNER
BANK = ROWS * TOKENS + POINTER_TOKENS
SCALE, BIAS, NO_OBJECT, DOUBT = 20.0, -10.0, -1024.0, 1.25
FRAMES = 12
CLICKS = [(0.3, 0.4), (0.7, 0.6)]
LOGIT_STEP = 7


class MemoryEncoder(nn.Module):
    """A frame and its mask to one token a cell, and where the tokens are."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Conv2d(1, INNER, 16, 16)
        self.features = nn.Conv2d(CHANNELS, INNER, 1)
        self.positions = nn.Parameter(torch.randn(1, TOKENS, INNER))

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        mixed = torch.tanh(self.features(features) + self.mask(mask / 4))
        return mixed.flatten(2).transpose(1, 2), self.positions * 1.0


class MemoryAttention(nn.Module):
    """One layer of cross-attention, tokens first."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(CHANNELS, CHANNELS)
        self.key = nn.Linear(INNER, CHANNELS)
        self.value = nn.Linear(INNER, CHANNELS)

    def forward(
        self,
        features: torch.Tensor,
        positions: torch.Tensor,
        memory: torch.Tensor,
        memory_positions: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        query = self.query(features + positions)[:, 0]
        key = self.key(memory + memory_positions)[:, 0]
        weights = torch.softmax(query @ key.T / 8 + mask[0, 0], dim=-1)
        return features + (weights @ self.value(memory)[:, 0])[:, None] * 4


class TrackedDecoder(nn.Module):
    """transformers' mask decoder for a frame without a prompt, with pointers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.pointer = nn.Linear(CHANNELS, CHANNELS)
        prompts = model.prompt_encoder
        sparse, _ = prompts(torch.zeros(1, 1, 1, 2), -torch.ones(1, 1, 1, dtype=torch.int32), None, None)
        self.register_buffer("sparse", sparse.detach())
        self.register_buffer("places", model.get_image_wide_positional_embeddings().detach())

    def forward(self, high: torch.Tensor, middle: torch.Tensor, low: torch.Tensor) -> tuple[torch.Tensor, ...]:
        dense = self.model.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        masks, ious, tokens, present = self.model.mask_decoder(
            image_embeddings=low,
            image_positional_embeddings=self.places,
            sparse_prompt_embeddings=self.sparse,
            dense_prompt_embeddings=dense.expand(1, -1, GRID, GRID),
            multimask_output=True,
            high_resolution_features=[high, middle],
        )
        # So low that the object is absent now and then.
        return ious, masks, present - DOUBT, self.pointer(tokens)


def frame(index: int) -> np.ndarray:
    """RGB8 [SIDE, SIDE, 3]: two squares before a pattern, one going right and one left."""
    y, x, c = np.mgrid[0:SIDE, 0:SIDE, 0:3]
    values = (3 * x + 5 * y + 40 * c) % 128
    for left, top, colour in ((10 + 2 * index, 18, 250), (40 - 2 * index, 32, 190)):
        inside = (x >= left) & (x < left + 16) & (y >= top) & (y < top + 14)
        values = np.where(inside, colour - 30 * c, values)
    return values.astype(np.uint8)


class Reference:
    """One object, followed in PyTorch."""

    def __init__(self, model: nn.Module, modules: tuple[nn.Module, ...], absent: torch.Tensor, time: torch.Tensor):
        self.model, self.absent, self.time = model, absent, time
        self.encoder, self.attention, self.decoder = modules
        sine = Sam2SinePositionEmbedding(num_position_features=CHANNELS // 2, normalize=True)
        places = sine(torch.Size([1, CHANNELS, GRID, GRID]), "cpu", torch.float32)
        self.places = places.flatten(2).permute(2, 0, 1)
        self.anchor: tuple[torch.Tensor, ...] | None = None
        self.memories: list[tuple[torch.Tensor, ...]] = []
        self.pointers: list[torch.Tensor] = []

    def see(self, index: int) -> tuple[torch.Tensor, ...]:
        pixels = (torch.from_numpy(frame(index)).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
        return tuple(self.model.get_image_embeddings(pixels.permute(2, 0, 1)[None]))

    def raw(self, low: torch.Tensor) -> torch.Tensor:
        return low - self.model.no_memory_embedding.reshape(1, -1, 1, 1)

    def remember(self, low: torch.Tensor, logits: torch.Tensor, score: float, prompted: bool):
        shown = logits if score > 0 else torch.full_like(logits, NO_OBJECT)
        fine = functional.interpolate(shown[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)
        share = (fine > 0).float() if prompted else fine.sigmoid()
        return self.encoder(self.raw(low), share * SCALE + BIAS)

    def click(self, point: tuple[float, float]) -> tuple[torch.Tensor, float, float]:
        high, middle, low = self.see(0)
        points = torch.tensor([[[[point[0] * SIDE, point[1] * SIDE], [0.0, 0.0]]]])
        labels = torch.tensor([[[1, -1]]])
        boxes = torch.zeros(1, 0, 4)
        ious, masks, present = ClickDecoder(self.model)(points, labels, boxes, high, middle, low)
        best = int(ious.flatten().argmax())
        score = float(present)
        self.anchor = self.remember(low, masks[0, 0, best], score, True)
        return masks[0, 0, best], score, float(ious.flatten()[best])

    def track(self, index: int) -> tuple[torch.Tensor, float, float]:
        high, middle, low = self.see(index)
        recent = self.memories[-(ROWS - 1) :]
        held = [(*self.anchor, ROWS - 1), *((*one, len(recent) - 1 - i) for i, one in enumerate(recent))]
        memory = [features[0] for features, _, _ in held]
        places = [positions[0] + self.time[row] for _, positions, row in held]
        # The first tracked frame's is the clicked frame's too, and counts once.
        pointers = [*self.pointers[:1], *self.pointers[1:][-(POINTERS - 1) :]]
        for pointer in pointers:
            memory.append(pointer.reshape(-1, INNER))
            places.append(torch.zeros(CHANNELS // INNER, INNER))
        raw = self.raw(low).flatten(2).permute(2, 0, 1)
        bank = torch.cat(memory)[:, None]
        fused = self.attention(raw, self.places, bank, torch.cat(places)[:, None], torch.zeros(1, 1, 1, len(bank)))
        fused = fused.permute(1, 2, 0).reshape(1, CHANNELS, GRID, GRID)
        ious, masks, present, pointer = self.decoder(high, middle, fused)
        best, score = int(ious.flatten().argmax()), float(present)
        self.memories.append(self.remember(low, masks[0, 0, best], score, False))
        self.pointers.append(pointer[0, 0, best] if score > 0 else self.absent)
        return masks[0, 0, best], score, float(ious.flatten()[best])


def row(index: int, number: int, found: tuple[torch.Tensor, float, float]) -> dict:
    mask, score, iou = found
    bits = np.packbits((mask > 0).numpy().astype(np.uint8).ravel()).tobytes().hex()
    logits = [round(value, 4) for value in mask.flatten()[::LOGIT_STEP].tolist()]
    print(index, number, f"score {score:.3f} iou {iou:.3f} area {float((mask > 0).float().mean()):.2f}")
    return {"frame": index, "object": number, "score": round(score, 5), "mask": bits, "logits": logits}


@torch.no_grad()
def main() -> int:
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    model = tiny_model()
    head = model.mask_decoder.pred_obj_score_head.proj_out
    head.bias.copy_(coarse(head.bias + 2.0))
    torch.manual_seed(5)
    modules = (MemoryEncoder(), MemoryAttention(), TrackedDecoder(model))
    for module in modules[:2]:
        for weight in module.parameters():
            weight.copy_(coarse(torch.randn_like(weight) * (1.5 / weight[0].numel() ** 0.5)))
    projection = modules[2].pointer
    projection.weight.copy_(coarse(torch.randn(CHANNELS, CHANNELS) * 0.4))
    projection.bias.copy_(coarse(projection.bias))
    time, absent = torch.randn(ROWS, INNER), torch.randn(CHANNELS)
    f = torch.zeros
    shapes = dict(zip(EMBEDDINGS, [(1, 2, MASK, MASK), (1, 4, MASK // 2, MASK // 2), (1, CHANNELS, GRID, GRID)], strict=True))

    def save(name: str, module: nn.Module, inputs: dict, outputs: dict) -> None:
        graph = trace(module, {key: (f(shape), shape) for key, shape in inputs.items()}, outputs)
        onnx.save(graph, FOLDER / f"{name}.onnx")

    maps = (1, 1, SIDE, SIDE)
    save(
        "memory_encoder",
        modules[0],
        {"vision_features": shapes[EMBEDDINGS[2]], "mask_for_memory": maps},
        {"memory_features": (1, TOKENS, INNER), "memory_positions": (1, TOKENS, INNER)},
    )
    cells, tokens = (TOKENS, 1, CHANNELS), (BANK, 1, INNER)
    save(
        "memory_attention_shared",
        modules[1],
        {
            "vision_features": cells,
            "vision_position_embeddings": cells,
            "memory": tokens,
            "memory_position_embeddings": tokens,
            "key_mask": (1, 1, 1, BANK),
        },
        {"conditioned_features": cells},
    )
    save(
        "tracked_mask_decoder",
        modules[2],
        shapes,
        {
            "iou_scores": (1, 1, 3),
            "pred_masks": (1, 1, 3, MASK, MASK),
            "object_score_logits": (1, 1, 1),
            "object_pointer": (1, 1, 3, CHANNELS),
        },
    )
    values = {
        "no_memory_embedding": model.no_memory_embedding.flatten().tolist(),
        "memory_temporal_positional_encoding": time.flatten().tolist(),
        "no_object_pointer": absent.tolist(),
    }
    constants = {"sigmoid_scale_for_mem_enc": SCALE, "sigmoid_bias_for_mem_enc": BIAS}
    (FOLDER / "parameters.json").write_text(json.dumps({"parameters": values, "constants": constants}) + "\n")
    objects = [Reference(model, modules, absent, time) for _ in CLICKS]
    rows = [row(0, n + 1, one.click(CLICKS[n])) for n, one in enumerate(objects)]
    for index in range(1, FRAMES):
        rows += [row(index, n + 1, one.track(index)) for n, one in enumerate(objects)]
    manifest = {"side": SIDE, "mask_side": MASK, "frames": FRAMES, "clicks": CLICKS, "logit_step": LOGIT_STEP}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items()]
    lines.append('"results": [\n' + ",\n".join(json.dumps(one) for one in rows) + "\n]")
    (FOLDER / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
