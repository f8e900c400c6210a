"""Train depth-mini: python train.py --data DIR --out DIR --steps 12000 --minutes 60 [--resume]

Seeded; the learning rate follows the step, so that a run stopped by --minutes and resumed follows
the same schedule. The order of images and the augmentation depend only on the seed, the step and
the shards present.
"""

import argparse
import glob
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import augment
import net as nets
from generate import CACHE
from muon import Muon

BATCH = 16
MUON = 6.0  # learning rate of Muon over that of AdamW


class Shards:
    """All shards in memory; new ones are picked up by `refresh`. Batches are of one shape."""

    def __init__(self, folder):
        self.folder, self.paths, self.images, self.depths = folder, [], [], []
        self.refresh()

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(self.folder, 'shard-?????.npz'))):
            if path not in self.paths:
                with np.load(path) as z:
                    self.images.append(z['image'])
                    self.depths.append(z['depth'])
                self.paths.append(path)
        self.groups = {}
        for i, image in enumerate(self.images):
            self.groups.setdefault(image.shape[1:3], []).append(i)

    def __len__(self):
        return sum(len(x) for x in self.images)

    def batch(self, rng):
        shape = self.images[rng.integers(len(self.images))].shape[1:3]
        group = self.groups[shape]
        picks = [(group[rng.integers(len(group))], rng.random()) for _ in range(BATCH)]
        index = [(s, int(r * len(self.images[s]))) for s, r in picks]
        image = np.stack([self.images[s][i] for s, i in index])
        depth = np.stack([self.depths[s][i] for s, i in index]).astype(np.float32)
        return torch.from_numpy(image), torch.from_numpy(depth)


def log_difference(logits, depth):
    """log prediction − log truth [B, h, w], and the mask of pixels that count."""
    full = F.interpolate(logits.float(), size=depth.shape[-2:], mode='bilinear',
                         align_corners=False)[:, 0]
    valid = (depth > 0.2) & (depth < 20.0)
    truth = depth.clamp(0.2, 19.9)
    log_pred = F.logsigmoid(full) + math.log(nets.MAX_DEPTH)
    return log_pred - truth.log(), valid, truth


def loss_terms(logits, depth):
    """L1 of log depth, scale-invariant log error, relative error, multi-scale gradient error.

    The relative error (cut off at 3) weighs the costliest mistake most: a near table taken for a
    far floor.
    """
    diff, valid, truth = log_difference(logits, depth)
    sky = depth >= 20.0
    weight = valid.float()
    count = weight.sum((1, 2)).clamp(min=1)
    l1 = (diff.abs() * (weight + 0.15 * sky)).sum((1, 2)) / count
    mean = (diff * weight).sum((1, 2)) / count
    centred = (diff - mean[:, None, None]) * weight
    scale_invariant = ((centred**2).sum((1, 2)) / count + 1e-6).sqrt()
    relative = ((diff.clamp(max=1.4).exp() - 1).abs() * weight).sum((1, 2)) / count
    gradient = 0.0
    for step in (1, 2, 4, 8):
        d, w = diff[:, ::step, ::step], weight[:, ::step, ::step]
        wx, wy = w[:, :, 1:] * w[:, :, :-1], w[:, 1:] * w[:, :-1]
        gradient = gradient + ((d[:, :, 1:] - d[:, :, :-1]).abs() * wx).sum() / wx.sum().clamp(min=1)
        gradient = gradient + ((d[:, 1:] - d[:, :-1]).abs() * wy).sum() / wy.sum().clamp(min=1)
    return l1.clamp(max=3).mean(), scale_invariant.mean(), relative.mean(), gradient


@torch.no_grad()
def validate(net, shards):
    """AbsRel, δ1 and scale-invariant log error over whole validation images."""
    net.eval()
    rows = []
    for images, depths in zip(shards.images, shards.depths):
        depth = torch.from_numpy(depths.astype(np.float32))
        for i in range(0, len(images), 16):
            image = augment.normalise(torch.from_numpy(images[i:i + 16]))
            h, w = image.shape[-2:]
            size = augment.working_size(h, w, 111)
            image = F.interpolate(image, size=size, mode='bilinear', align_corners=False,
                                  antialias=True)
            diff, valid, _ = log_difference(net(image), depth[i:i + 16])
            for d, v in zip(diff, valid):
                d = d[v]
                ratio = d.exp()
                rows.append([(ratio - 1).abs().mean(), (d.abs() < math.log(1.25)).float().mean(),
                             d.std()])
    net.train()
    return np.mean(np.array(rows), 0)


def learning_rate(step, steps, peak):
    warm = min(1.0, (step + 1) / 200)
    return peak * warm * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))) + 1e-5


def save(path, **state):
    torch.save(state, f'{path}.partial')
    os.replace(f'{path}.partial', path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', default=str(CACHE / 'train'))
    parser.add_argument('--validation', default=str(CACHE / 'validation'))
    parser.add_argument('--out', default=str(CACHE / 'run'))
    parser.add_argument('--steps', type=int, default=12000, help='length of the schedule')
    parser.add_argument('--minutes', type=float, default=60, help='stop after this long')
    parser.add_argument('--short', type=int, default=111,
                        help='usual short side in training; smaller is quicker, finish with 111')
    parser.add_argument('--lr', type=float, default=3e-3)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--resume', action='store_true')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    checkpoint = Path(args.out) / 'checkpoint.pt'
    net, ema = nets.DepthMini(), nets.DepthMini()
    ema.load_state_dict(net.state_dict())
    ema.eval()
    net = net.to(memory_format=torch.channels_last)
    matrices = [p for p in net.parameters() if p.ndim == 4 and p.shape[2] == 1 and p.shape[1] > 2]
    others = [p for p in net.parameters() if all(p is not m for m in matrices)]
    optimisers = [torch.optim.AdamW(others, lr=args.lr, weight_decay=0.0),
                  Muon(matrices, lr=args.lr * MUON, weight_decay=0.05)]
    step, trained = 0, 0.0
    if args.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location='cpu', weights_only=True)
        net.load_state_dict(state['net'])
        ema.load_state_dict(state['ema'])
        for optimiser, saved_state in zip(optimisers, state['optimisers']):
            optimiser.load_state_dict(saved_state)
        step, trained = state['step'], state['minutes']
    shards, held = Shards(args.data), Shards(args.validation)
    print(f'{nets.parameter_count(net)} parameters, {len(shards)} images, step {step}', flush=True)
    start = saved = time.time()
    running, net = None, net.train()

    def checkpoint_now():
        save(checkpoint, net=net.state_dict(), ema=ema.state_dict(),
             optimisers=[o.state_dict() for o in optimisers], step=step,
             minutes=trained + (time.time() - start) / 60)

    while step < args.steps and time.time() - start < args.minutes * 60:
        rng = np.random.default_rng([args.seed, step])
        lr = learning_rate(step, args.steps, args.lr)
        for optimiser, factor in zip(optimisers, (1.0, MUON)):
            for group in optimiser.param_groups:
                group['lr'] = lr * factor
        image, depth = augment.augment(*shards.batch(rng), rng, args.short)
        image = image.contiguous(memory_format=torch.channels_last)
        logits = net(image)
        l1, si, relative, gradient = loss_terms(logits, depth)
        loss = l1 + 0.5 * si + 0.6 * relative + 0.2 * gradient
        net.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        keep = min(0.998, (1 + step) / (20 + step))
        with torch.no_grad():
            for a, b in zip(ema.state_dict().values(), net.state_dict().values()):
                if a.is_floating_point():
                    a.lerp_(b, 1 - keep)
                else:
                    a.copy_(b)
        values = torch.stack([l1, si, relative, gradient]).detach().numpy()
        running = values if running is None else 0.98 * running + 0.02 * values
        if step % 100 == 0:
            print(f'step {step} lr {lr:.2e} l1 {running[0]:.4f} si {running[1]:.4f} '
                  f'rel {running[2]:.4f} grad {running[3]:.4f} {(time.time() - start) / 60:.1f} min', flush=True)
        if time.time() - saved > 120:
            saved = time.time()
            checkpoint_now()
        if step % 1000 == 0 and len(held):
            v = validate(ema, held)
            print(f'validation {step}: AbsRel {v[0]:.4f} d1 {v[1]:.4f} SILog {v[2]:.4f} '
                  f'({len(shards)} images)', flush=True)
        if step % 200 == 0:
            shards.refresh()
    checkpoint_now()
    if len(held):
        v = validate(ema, held)
        print(f'validation {step}: AbsRel {v[0]:.4f} d1 {v[1]:.4f} SILog {v[2]:.4f}', flush=True)


if __name__ == '__main__':
    main()
