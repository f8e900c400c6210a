"""Train the memory graphs: python train_memory.py --checkpoint FILE --steps 1500 [--resume]

The encoder and the click decoder stay as they are. A step follows some objects of a few clips from
a click on their first frame; every frame is answered from the memories of those before, which hold
the true masks at first and the network's own later. Masks carry no gradient back in time. One
process with one thread; seeded, and the learning rate follows the step.
"""

import argparse
import copy
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import clips
import export
from data import low
from encoder import MASK, SIZE
from losses import iou_of, mask_loss
from memory import ROWS, MemoryAttention, MemoryEncoder
from muon import Muon
from train import load_known, learning_rate

CLIPS, OBJECTS, SHORT = 4, 16, 6  # a step; most of its clips are cut to SHORT frames
LEAST, LEAST_SEEN = 0.0025, 0.3  # of an object that is followed, on its first frame
SURE = 14                 # fewer visible pixels count neither as there nor as absent
MUON = 6.0


class Memory(nn.Module):
    """What is trained."""

    def __init__(self, net=None):
        super().__init__()
        known = () if net is None else (net.vision.no_memory.data, net.hint.data)
        self.attention, self.encoder = MemoryAttention(*known), MemoryEncoder()


class Shards:
    """Training clips, mapped into memory."""

    def __init__(self, folder):
        self.folder, self.shards = Path(folder), {}
        self.refresh()

    def refresh(self):
        for path in sorted(self.folder.glob('????????.npy')):
            if path not in self.shards:
                self.shards[path] = np.load(path, mmap_mode='r')

    def pick(self, rng):
        shards = list(self.shards.values())
        shard = shards[int(rng.integers(len(shards)))]
        return shard[int(rng.integers(len(shard)))]


def augment(row, count, rng):
    """A moving crop of `count` frames of a clip, flips, light: float32 [T, 3, S, S], labels int64
    [T, S, S], seen [T, objects]."""
    first = int(rng.integers(0, clips.FRAMES - count + 1))
    picture, label, seen = (torch.from_numpy(row[name][first:first + count].copy())
                            for name in ('picture', 'label', 'seen'))
    if rng.random() < 0.3:
        picture, label, seen = picture.flip(0), label.flip(0), seen.flip(0)
    side = picture.shape[1]
    wide = np.linspace(*rng.uniform(0.65, 1.0, 2), count)
    if rng.random() < 0.3:
        wide[:] = wide[0]
    spare = side * (1 - wide)
    places = [np.linspace(*rng.uniform(0, 1, 2), count) for _ in range(2)]
    images, labels = [], []
    for t in range(count):
        k = int(side * wide[t])
        y, x = (int(np.clip(p[t] * spare[t], 0, side - k)) for p in places)
        images.append(F.interpolate(
            picture[t:t + 1, y:y + k, x:x + k].permute(0, 3, 1, 2).float(), size=(SIZE, SIZE),
            mode='bilinear', align_corners=False, antialias=True))
        labels.append(F.interpolate(label[t:t + 1, None, y:y + k, x:x + k], size=(SIZE, SIZE),
                                    mode='nearest-exact')[:, 0])
    image, labels = torch.cat(images), torch.cat(labels).long()
    if rng.random() < 0.5:
        image, labels = image.flip(-1), labels.flip(-1)
    gain = rng.uniform(0.85, 1.15) * np.exp(rng.normal(0, 0.03, (1, 3, 1, 1)))
    image = (image / 127.5 - 1) * torch.from_numpy(gain.astype(np.float32))
    image = image + float(rng.uniform(-0.08, 0.08))
    if rng.random() < 0.2:
        noise = rng.standard_normal(tuple(image.shape), dtype=np.float32)
        image = image + float(rng.uniform(0, 0.05)) * torch.from_numpy(noise)
    return image.clamp(-1, 1), labels, seen


def batch(shards, rng):
    """Images [T, B, 3, S, S], which clip each object is of [N], its masks [N, T, S, S]."""
    images, owners, masks = [], [], []
    count = clips.FRAMES if rng.random() < 0.35 else SHORT
    while len(images) < CLIPS:
        image, label, seen = augment(shards.pick(rng), count, rng)
        area = torch.stack([torch.bincount(frame.flatten(), minlength=clips.MOST + 1)[1:]
                            for frame in label]) / SIZE**2
        usable = np.flatnonzero(((area[0] >= LEAST) & (seen[0] >= LEAST_SEEN)).numpy())
        if len(usable) == 0:
            continue
        # Those that vanish come first most of the time.
        vanish = (area[:, usable].amin(0) < 0.2 * area[:, usable].amax(0)).numpy()
        order = usable[np.argsort(rng.random(len(usable)) - 0.6 * vanish)]
        for k in order[:OBJECTS // CLIPS]:
            owners.append(len(images))
            masks.append(label == int(k) + 1)
        images.append(image)
    return torch.stack(images, 1), torch.tensor(owners), torch.stack(masks)


def a_click(masks, rng):
    """A random pixel of each mask [N, S, S], in model pixels [N, 1, 2]."""
    points = []
    for mask in masks.flatten(1).numpy():
        p = int(rng.choice(np.flatnonzero(mask)))
        points.append([p % SIZE + 0.5, p // SIZE + 0.5])
    return torch.tensor(points, dtype=torch.float32)[:, None]


def decode(net, maps, owners, embedding, points, label):
    """best_mask, all three, IoU, object score, pointer of every object."""
    n = len(owners)
    three, masks, score, iou, best, pointer = net.click(
        maps[3][owners], maps[4][owners], embedding, points[None], torch.full((1, n, 1), label),
        torch.zeros(n, 1, MASK, MASK), torch.zeros(n), torch.ones(n))
    return best, masks[0], iou[:, 0], score[0], pointer


def effective_iou(score, iou):
    return F.relu(2 * torch.sigmoid(score[:, 0]) - 1) * iou


def rows_of(t, quality):
    """Rows of the time table [N, t] of frames 0 … t − 1: 0 prompted, the last always, others where
    the object was seen well (quality [N, t])."""
    n = quality.shape[0]
    rows = torch.full((n, t), -1.0)
    rows[:, 0] = ROWS - 1
    rank = torch.zeros(n)
    for k in range(t - 1, 0, -1):
        keep = torch.ones(n, dtype=torch.bool) if k == t - 1 else quality[:, k] > 0.01
        keep = keep & (rank < ROWS - 1)
        rows[:, k] = torch.where(keep, rank, rows[:, k])
        rank = rank + keep
    return rows


def step_losses(net, memory, shards, rng, truth_share):
    """Losses of one batch of clips, and figures to watch."""
    images, owners, masks = batch(shards, rng)
    count, n = len(images), len(owners)
    target = low(masks.float())[:, :, None]
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        flat = images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = [m.unflatten(0, (count, CLIPS)) for m in net.vision(flat)]
        first = [m[0] for m in maps]
        best, _, iou, score, pointer = decode(net, first, owners, first[5][owners],
                                              a_click(masks[:, 0], rng), 1.0)
    best, score, pointer = best.float(), score.float(), pointer.float()
    good = iou_of(best, target[:, 0])[:, 0] > 0.6
    given = target[:, 0] * 20 - 10
    best = torch.where(good[:, None, None, None], best, given)
    score = torch.where(good[:, None], score, torch.full_like(score, 10.0))
    memories, pointers, quality = [], [pointer], [torch.ones(n)]
    prompted = torch.ones(n)
    figures, found = [], {'mask': [], 'presence': [], 'where': []}
    for t in range(1, count):
        now = [m[t] for m in maps]
        with torch.autocast('cpu', torch.bfloat16):
            before = maps[6][t - 1][owners]
            memories.append(memory.encoder(before, best, score, prompted))
            rows = rows_of(t, torch.stack(quality, 1))
            offsets = torch.arange(t, 0, -1.0).repeat(n, 1) / 15
            outs = []
            held, kept = torch.stack(memories, 1), torch.stack(pointers, 1)
            for b in range(CLIPS):  # the graph takes one frame
                mine = owners == b
                outs.append(memory.attention.fuse(now[6][b:b + 1], held[mine], rows[mine],
                                                  kept[mine], offsets[mine]))
            fused, where = (torch.cat(v) for v in zip(*outs))
            best, three, iou, score, pointer = decode(net, now, owners, fused,
                                                      torch.zeros(n, 1, 2), -1.0)
        best, three, score, where = best.float(), three.float(), score.float(), where.float()
        goal = target[:, t]
        there = goal.flatten(1).sum(1)
        shown = (there > SURE / 4).float()
        known = ((there > SURE / 4) | (there == 0)).float()
        each = mask_loss(best, goal)[:, 0] + 0.3 * mask_loss(three, goal).mean(1)
        found['mask'].append((each * shown).sum() / n)
        cross = F.binary_cross_entropy_with_logits(score[:, 0], shown, reduction='none')
        found['presence'].append((cross * known).sum() / n)
        cells = F.avg_pool2d(goal, 4)
        cross = F.binary_cross_entropy_with_logits(where, cells, reduction='none')
        cross = cross.flatten(1).sum(1) / (cells.flatten(1).sum(1) + 4)
        found['where'].append(cross.mean())
        with torch.no_grad():
            seen = (score > 0).float()[:, 0]
            j = iou_of(best, goal)[:, 0] * seen
            j = torch.where(there > 0, j, 1 - seen)
            figures.append((j * known).sum() / known.sum())
            best, score, pointer = best.detach(), score.detach(), pointer.detach().float()
            teach = torch.from_numpy(rng.random(n) < truth_share)
            best = torch.where(teach[:, None, None, None], goal * 20 - 10, best)
            score = torch.where(teach[:, None], (shown * 20 - 10)[:, None], score)
            pointer = torch.where((shown > 0)[:, None] | ~teach[:, None], pointer,
                                  net.click.no_pointer[None])
            prompted = torch.zeros(n)
            pointers.append(pointer)
            quality.append(effective_iou(score, iou.float()))
    mean = {k: sum(v) / len(v) for k, v in found.items()}
    total = mean['mask'] + mean['presence'] + 0.5 * mean['where']
    watched = {k: float(v.detach()) for k, v in mean.items()}
    watched |= {'first j': float(figures[0]), 'last j': float(figures[-1]),
                'j': float(torch.stack(figures).mean())}
    return total, watched


def groups(memory):
    """1×1 convolutions inside blocks for Muon, the rest for AdamW."""
    muon, rest = [], []
    for name, p in memory.named_parameters():
        wide = p.ndim == 4 and p.shape[-1] == 1 and ('expand' in name or 'project' in name)
        (muon if wide else rest).append(p)
    return muon, rest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--data', type=Path, default=clips.FOLDER / 'clips')
    parser.add_argument('--out', type=Path, default=clips.FOLDER / 'memory')
    parser.add_argument('--steps', type=int, default=1500)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--peak', type=float, default=2e-3)
    parser.add_argument('--truth', type=float, default=0.3, help='share of true masks at first')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--resume', action='store_true')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    net, _, _ = export.load(args.checkpoint)
    net = export.folded(net).to(memory_format=torch.channels_last).requires_grad_(False)
    memory = Memory(net).to(memory_format=torch.channels_last)
    ema = copy.deepcopy(memory).eval()
    muon, rest = groups(memory)
    optimisers = [Muon(muon, lr=1), torch.optim.AdamW(rest, lr=1, betas=(0.9, 0.98),
                                                      weight_decay=0.01)]
    path, step, begun = args.out / 'memory.pt', 0, 0
    if args.resume and path.exists():
        state = torch.load(path, map_location='cpu', weights_only=True)
        missing = load_known(memory, state['net'])
        load_known(ema, state['ema'])
        step = state['step']
        if missing:
            begun = step
        else:
            for o, s in zip(optimisers, state['optimisers']):
                o.load_state_dict(s)
    shards, average = Shards(args.data), {}
    start = saved = time.time()

    def checkpoint():
        torch.save({'net': memory.state_dict(), 'ema': ema.state_dict(), 'step': step,
                    'optimisers': [o.state_dict() for o in optimisers]}, f'{path}.partial')
        os.replace(f'{path}.partial', path)
    memory.train()
    while step < args.steps and time.time() - start < args.minutes * 60:
        rng = np.random.default_rng([args.seed, step])
        rate = learning_rate(step, args.steps, args.peak, begun)
        for o, factor in zip(optimisers, (MUON, 1)):
            for group in o.param_groups:
                group['lr'] = rate * factor
        share = args.truth * max(0.0, 1 - 2.5 * step / args.steps)
        total, watched = step_losses(net, memory, shards, rng, share)
        for p in memory.parameters():
            p.grad = None
        total.backward()
        norm = nn.utils.clip_grad_norm_(memory.parameters(), 3.0)
        if torch.isfinite(norm):
            for o in optimisers:
                o.step()
        step += 1
        keep = min(0.995, 1 - 1 / (step + 1) ** 0.75)
        with torch.no_grad():
            for a, b in zip(ema.state_dict().values(), memory.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - keep)
        for name, value in watched.items():
            average[name] = average.get(name, value) * 0.96 + value * 0.04
        if step % 25 == 0 or step == 3:
            line = ' '.join(f'{k} {v:.3f}' for k, v in average.items())
            print(f'{step} {time.time() - start:.0f} s lr {rate:.1e} {line}', flush=True)
        if time.time() - saved > 60:
            saved = time.time()
            checkpoint()
            shards.refresh()
    checkpoint()
    print(f'stopped at step {step} after {(time.time() - start) / 60:.1f} minutes', flush=True)


if __name__ == '__main__':
    main()
