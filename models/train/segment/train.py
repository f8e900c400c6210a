"""Train segment-mini: python train.py --steps 3500 --minutes 60 [--stage words] [--resume]

Stage `joint` trains everything; stage `words` only what tells the words of an object whose mask is
already known. A stage that goes on from the other starts at step 0 from its averaged weights.

Two processes with one thread each share a batch (--workers 1: one process). Seeded; the learning
rate follows the step, so that a run that was stopped and resumed follows the same schedule.
"""

import argparse
import copy
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

import data
import generate
import losses
import tokens
from click import ClickDecoder
from concept import ATTRIBUTES, ConceptDecoder, TextEncoder
from encoder import MASK, WIDTHS, VisionEncoder
from muon import Muon
from prompts import HINT, REFINE, Prompts

BATCH, CLICKED, EACH, TEXTS = 16, 4, 2, 10  # a process; CLICKED of BATCH pictures get clicks
CELLS = 16  # described of a picture's cells
MUON = 6.0  # learning rate of Muon over that of AdamW


class SegmentMini(nn.Module):
    """All four networks, and what only training needs."""

    def __init__(self, vocabulary):
        super().__init__()
        self.vision, self.text = VisionEncoder(), TextEncoder(vocabulary)
        self.concept, self.click = ConceptDecoder(), ClickDecoder()
        self.heads = nn.ModuleList([nn.Linear(ATTRIBUTES, k) for k in (12, 7, 4)])
        self.pixel_heads = nn.ModuleList([nn.Conv2d(c, 23, 1) for c in WIDTHS[1:]])
        # How a memory tells the click decoder where the object is: a direction of tracker_feat.
        self.hint = nn.Parameter(torch.randn(WIDTHS[2]) * 0.3)


def click_answer(net, maps, prompts, rng):
    """The click decoder's answer to a batch of prompts; refinements see a first answer."""
    fine, middle, coarse = (m[prompts.image] for m in maps)
    n = len(prompts.kind)
    mask, given = torch.zeros(n, 1, MASK, MASK), torch.zeros(n)
    again = torch.nonzero(prompts.kind == REFINE)[:, 0]
    if len(again):
        with torch.no_grad():
            first = net.click.raw(fine[again], middle[again], coarse[again], prompts.points[again],
                                  prompts.labels[again], mask[again], given[again])[0]
        first = first[:, :1].float()
        part = copy.copy(prompts)
        part.points, part.labels = prompts.points[again], prompts.labels[again]
        part.kind, part.target = prompts.kind[again], prompts.target[again]
        part.correct(first, rng)
        prompts.points[again], prompts.labels[again] = part.points, part.labels
        keep = torch.from_numpy((rng.random(len(again)) < 0.85).astype(np.float32))
        mask[again], given[again] = first, keep
    hinted = (prompts.kind == HINT).float()
    if hinted.any():
        where = nn.functional.avg_pool2d(data.low(prompts.target[:, None].float()), 4)
        shake = int(rng.integers(0, 3))
        if shake:
            where = nn.functional.avg_pool2d(where, 3, 1, 1)
        where = torch.roll(where, tuple(int(v) for v in rng.integers(-1, 2, 2)), (2, 3))
        coarse = coarse + (where * hinted[:, None, None, None]) * net.hint[None, :, None, None]
    return net.click.raw(fine, middle, coarse, prompts.points, prompts.labels, mask, given)


def described(net, dense, fpn_1, owner, rng, count):
    """Attributes, objectness and owners of some cells of each picture, [B, count, …]."""
    objectness, kernels, basis, own, near = dense
    cells = losses.choose_cells(owner, objectness, rng, count)

    def pick(v):
        return v.gather(1, cells[..., None].expand(-1, -1, v.shape[2]))
    attributes = net.concept.dense.describe(pick(kernels), pick(own), basis, near, fpn_1)
    return attributes, objectness.gather(1, cells), owner.gather(1, cells)


def step_losses(net, scenes, rng, encode, stage):
    """All losses of one random batch, and figures to watch.

    In the stage `words` the encoder, the masks and the clicks stay as they are.
    """
    words_only = stage == 'words'
    pictures, labels, words, seen = scenes.pick(rng, BATCH * (2 if words_only else 1))
    image, labels = data.augment(pictures, labels, rng)
    objects = data.Objects(labels, words, seen)
    owner, ignored = objects.owners()
    queries = losses.Queries(words, objects.valid, rng, TEXTS, encode)
    found, figures = {}, {}
    with torch.autocast('cpu', torch.bfloat16):
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(not words_only):
            maps = net.vision(image)
            dense = net.concept.dense(*maps[:3])
        if not words_only:
            prompts = Prompts(labels[:CLICKED], objects, rng, EACH)
            answer = click_answer(net, maps[3:6], prompts, rng)
        some = described(net, dense, maps[1], owner, rng, CELLS)
    if not words_only:
        found, shown = losses.click_losses(answer, prompts)
        more, quality = losses.shape_losses(dense, net.concept, labels, owner, ignored, rng)
        found.update(more)
        found.update(losses.pixel_losses(maps[1:3], net.pixel_heads, labels, words))
        figures = {f'iou{k}': shown[prompts.kind == k].nanmean().item() for k in range(5)}
        figures['mask iou'] = quality.item()
    found.update(losses.word_losses(*some, net.concept, net.text, net.heads, objects, queries, rng))
    return found, figures


def trained_modules(net, stage):
    """The modules whose weights a stage changes."""
    if stage == 'joint':
        return [net]
    dense, concept = net.concept.dense, net.concept
    return [net.text, net.heads, dense.closer, dense.seen, dense.attributes, dense.look8,
            dense.look4, concept.weights, concept.like]


def encoder_of(tool):
    """A function from texts to ids and mask as tensors."""
    def encode(texts):
        ids, mask = tokens.encode(tool, texts)
        return torch.tensor(ids), torch.tensor(mask, dtype=torch.float32)
    return encode


def groups(net, stage):
    """1×1 convolutions inside blocks for Muon, the rest for AdamW."""
    muon, rest = [], []
    trained = {id(p) for m in trained_modules(net, stage) for p in m.parameters()}
    if stage == 'words':
        trained |= {id(net.concept.like_bias), id(net.concept.evidence)}
    for name, p in net.named_parameters():
        p.requires_grad_(id(p) in trained)
        if id(p) not in trained:
            continue
        wide = p.ndim == 4 and p.shape[-1] == 1 and min(p.shape[:2]) >= 16
        (muon if wide and ('expand' in name or 'project' in name) else rest).append(p)
    return muon, rest


def load_known(net, state):
    """Load what fits, so that a changed network can go on; returns the names of the rest."""
    own = net.state_dict()
    known = {k: v for k, v in state.items() if k in own and v.shape == own[k].shape}
    net.load_state_dict(known, strict=False)
    return [k for k in own if k not in known]


def learning_rate(step, steps, peak, begun):
    warm = min(1.0, (step - begun + 1) / 100)
    return peak * warm * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))) + 1e-5


def share_gradients(parameters, workers):
    """Mean of the gradients over the processes."""
    if workers == 1:
        return
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    flat = torch.cat([p.grad.flatten() for p in parameters])
    dist.all_reduce(flat)
    flat /= workers
    at = 0
    for p in parameters:
        p.grad.copy_(flat[at:at + p.numel()].view_as(p))
        at += p.numel()


def run(rank, args):
    torch.set_num_threads(1)
    if args.workers > 1:
        os.setsid()
        os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
        os.environ.setdefault('MASTER_PORT', str(args.port))
        dist.init_process_group('gloo', rank=rank, world_size=args.workers)
    torch.manual_seed(args.seed)
    tool = tokens.tokenizer()
    encode = encoder_of(tool)
    net = SegmentMini(len(tool)).to(memory_format=torch.channels_last)
    ema = copy.deepcopy(net).eval()
    muon, rest = groups(net, args.stage)
    optimisers = [Muon(muon, lr=1), torch.optim.AdamW(rest, lr=1, betas=(0.9, 0.98),
                                                      weight_decay=0.01)]
    path, step, begun = args.out / 'checkpoint.pt', 0, 0
    if args.resume and path.exists():
        state = torch.load(path, map_location='cpu', weights_only=True)
        fresh = args.stage != state.get('stage', 'joint')  # starts from the averaged weights
        missing = load_known(net, state['ema' if fresh else 'net'])
        load_known(ema, state['ema'])
        step = 0 if fresh else state['step']
        if missing or fresh:
            begun = step
            print('newly drawn:', *missing, flush=True)
        else:
            for o, s in zip(optimisers, state['optimisers']):
                o.load_state_dict(s)
    scenes = data.Scenes(args.data)
    parameters = [*muon, *rest]
    start, saved, average = time.time(), time.time(), {}

    def checkpoint():
        state = {'net': net.state_dict(), 'ema': ema.state_dict(), 'step': step,
                 'stage': args.stage, 'optimisers': [o.state_dict() for o in optimisers]}
        torch.save(state, f'{path}.partial')
        os.replace(f'{path}.partial', path)
    net.train(args.stage == 'joint')
    for module in trained_modules(net, args.stage):
        module.train()
    while True:
        stop = torch.tensor(float(step >= args.steps or time.time() - start > args.minutes * 60))
        if args.workers > 1:
            dist.broadcast(stop, 0)
        if stop:
            break
        rng = np.random.default_rng([args.seed, step, rank])
        lr = learning_rate(step, args.steps, args.peak, begun)
        for group in optimisers[0].param_groups:
            group['lr'] = lr * MUON
        for group in optimisers[1].param_groups:
            group['lr'] = lr
        found, figures = step_losses(net, scenes, rng, encode, args.stage)
        total = sum(found.values())
        for p in parameters:
            p.grad = None
        total.backward()
        share_gradients(parameters, args.workers)
        norm = nn.utils.clip_grad_norm_(parameters, 5.0)
        if torch.isfinite(norm):
            for o in optimisers:
                o.step()
        step += 1
        keep = min(0.998, 1 - 1 / (step + 1) ** 0.75)
        with torch.no_grad():
            for a, b in zip(ema.state_dict().values(), net.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - keep)
        for name, value in {**{k: float(v.detach()) for k, v in found.items()}, **figures}.items():
            if value == value:
                average[name] = average.get(name, value) * 0.97 + value * 0.03
        if rank == 0 and (step % 50 == 0 or step == 5):
            line = ' '.join(f'{k} {v:.3f}' for k, v in average.items())
            print(f'{step} {time.time() - start:.0f} s lr {lr:.1e} {line}', flush=True)
        if rank == 0 and time.time() - saved > 120:
            saved = time.time()
            checkpoint()
        if step % 200 == 0:
            scenes.refresh()
    if rank == 0:
        checkpoint()
        print(f'stopped at step {step} after {(time.time() - start) / 60:.1f} minutes', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, default=generate.FOLDER / 'train')
    parser.add_argument('--out', type=Path, default=generate.FOLDER / 'run')
    parser.add_argument('--stage', choices=('joint', 'words'), default='joint')
    parser.add_argument('--steps', type=int, default=3500)
    parser.add_argument('--minutes', type=float, default=90)
    parser.add_argument('--peak', type=float, default=3e-3)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--port', type=int, default=29517)
    parser.add_argument('--resume', action='store_true')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.workers == 1:
        run(0, args)
    else:
        torch.multiprocessing.spawn(run, (args,), nprocs=args.workers)


if __name__ == '__main__':
    main()
