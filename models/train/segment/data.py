"""Training scenes in memory, random crops of them, and what the networks should answer."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from concept import SIDE
from encoder import MASK, SIZE
from generate import MOST
from layers import centres

LEAST = 0.0025    # share of the picture below which an object is not asked for
LEAST_SEEN = 0.2  # nor one of which less than this is seen


class Scenes:
    """All shards of a folder, mapped into memory; `refresh` picks up new ones."""

    def __init__(self, folder):
        self.folder, self.shards = Path(folder), {}
        self.refresh()

    def refresh(self):
        for path in sorted(self.folder.glob('????????.npy')):
            if path not in self.shards:
                self.shards[path] = np.load(path, mmap_mode='r')

    def pick(self, rng, count):
        """A random batch: pictures, labels, words, seen."""
        shards = list(self.shards.values())
        rows = []
        for _ in range(count):
            shard = shards[int(rng.integers(len(shards)))]
            rows.append(shard[int(rng.integers(len(shard)))])
        return [torch.from_numpy(np.stack([r[name] for r in rows]))
                for name in ('picture', 'label', 'words', 'seen')]


def normalise(pictures):
    """uint8 [B, H, W, 3] → float32 [B, 3, H, W], (x − 127.5) / 127.5."""
    return (pictures.permute(0, 3, 1, 2).float() - 127.5) / 127.5


def augment(pictures, labels, rng):
    """Crop, flip, light and noise: float32 [B, 3, S, S] and labels int64 [B, S, S]."""
    b, h, w, _ = pictures.shape
    k = 1.0 if rng.random() < 0.4 else rng.uniform(0.6, 1.0)
    ch, cw = int(h * k), int(w * min(1.0, k * rng.uniform(0.9, 1.1)))
    y, x = int(rng.integers(h - ch + 1)), int(rng.integers(w - cw + 1))
    image = pictures[:, y:y + ch, x:x + cw].permute(0, 3, 1, 2).float()
    labels = labels[:, None, y:y + ch, x:x + cw]
    if rng.random() < 0.5:
        image, labels = image.flip(-1), labels.flip(-1)
    image = F.interpolate(image, size=(SIZE, SIZE), mode='bilinear', align_corners=False,
                          antialias=True)
    labels = F.interpolate(labels, size=(SIZE, SIZE), mode='nearest-exact')[:, 0].long()
    gain = rng.uniform(0.85, 1.15, (b, 1, 1, 1)) * np.exp(rng.normal(0, 0.03, (b, 3, 1, 1)))
    image = (image / 127.5 - 1) * torch.from_numpy(gain.astype(np.float32))
    image = image + torch.from_numpy(rng.uniform(-0.08, 0.08, (b, 1, 1, 1)).astype(np.float32))
    if rng.random() < 0.3:
        noise = rng.standard_normal(tuple(image.shape), dtype=np.float32)
        image = image + float(rng.uniform(0, 0.05)) * torch.from_numpy(noise)
    return image.clamp(-1, 1), labels


def low(masks):
    """Masks float [..., S, S] → covered share at the mask size."""
    return F.avg_pool2d(masks, SIZE // MASK)


class Objects:
    """Sizes and places of a batch's objects: area share, centre, box, each [B, MOST]."""

    def __init__(self, labels, words, seen):
        b = labels.shape[0]
        half = labels[:, ::2, ::2]
        side = half.shape[-1]
        key = (half + (MOST + 1) * torch.arange(b)[:, None, None]).flatten()
        bins = b * (MOST + 1)
        at = centres(side)
        x = at.expand(b, side, side).flatten()
        y = at[:, None].expand(b, side, side).flatten()
        count = torch.bincount(key, minlength=bins).float()

        def sums(v):
            return torch.bincount(key, v, minlength=bins) / count.clamp(min=1)

        def part(v):
            return v.view(b, MOST + 1)[:, 1:]
        self.area = part(count) / side**2
        self.x, self.y = part(sums(x)).float(), part(sums(y)).float()
        ends = []
        for v in (x, y):
            for mode, start in (('amin', 1.0), ('amax', 0.0)):
                empty = torch.full((bins,), start)
                ends.append(part(empty.scatter_reduce(0, key, v, mode)))
        self.box = torch.stack([ends[0], ends[2], ends[1], ends[3]], 2)
        self.words = words
        self.there = self.area > 0
        self.valid = (self.area >= LEAST) & (seen >= LEAST_SEEN)

    def owners(self):
        """Which object each cell should show: int64 [B, Q], −1 none; bool [B, Q] not to be asked.

        Cells within the middle of an object's box are its own, the nearest cell always; of two
        objects the smaller has it. Cells over objects too small to count are left alone.
        """
        y, x = torch.meshgrid(centres(SIDE), centres(SIDE), indexing='ij')
        dx = (x.flatten() - self.x[..., None]).abs()
        dy = (y.flatten() - self.y[..., None]).abs()
        wide = (self.box[..., 2] - self.box[..., 0])[..., None]
        tall = (self.box[..., 3] - self.box[..., 1])[..., None]
        own = (dx < 0.17 * wide) & (dy < 0.17 * tall)
        nearest = (dx < 0.5 / SIDE) & (dy < 0.5 / SIDE)
        own = own | nearest
        size = torch.where(own & self.valid[..., None], self.area[..., None], 9.0)
        least, owner = size.min(1)
        owner = torch.where(least < 9, owner, -1)
        small = (own & (self.there & ~self.valid)[..., None]).any(1)
        near = ((dx < 0.3 * wide) & (dy < 0.3 * tall) & self.valid[..., None]).any(1)
        return owner, (owner < 0) & (small | near)
