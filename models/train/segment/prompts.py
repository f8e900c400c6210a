"""Random prompts for the click decoder, and the mask that each of them means."""

import numpy as np
import torch
import torch.nn.functional as F

from data import low
from encoder import MASK, SIZE

POINTS = 6
CLICK, BOX, SEVERAL, REFINE, HINT, NOTHING = range(6)
SHARES = (0.36, 0.2, 0.14, 0.14, 0.09, 0.07)


class Prompts:
    """N prompts: image index, points [N, P, 2] in 0 … 1, labels [N, P], kind, target masks at the
    full size bool [N, S, S], whether something is there, and which object it is."""

    def __init__(self, labels, objects, rng, each):
        usable = [np.flatnonzero((objects.valid[b] & (objects.area[b] > 0.002)).numpy())
                  for b in range(len(labels))]
        images = [b for b in range(len(labels)) if len(usable[b])]
        n = len(images) * each
        self.image = torch.tensor([b for b in images for _ in range(each)], dtype=torch.long)
        self.points = torch.zeros(n, POINTS, 2)
        self.labels = torch.full((n, POINTS), -10.0)
        self.kind = torch.zeros(n, dtype=torch.long)
        self.target = torch.zeros(n, SIZE, SIZE, dtype=torch.bool)
        self.there = torch.ones(n)
        self.object = torch.zeros(n, dtype=torch.long)
        for k, b in enumerate(self.image.tolist()):
            # Two prompts in a row are about one object, for the pointers.
            if k % 2 == 0 or self.image[k - 1] != b:
                chosen = int(rng.choice(usable[b]))
            self.object[k] = chosen
            self.target[k] = labels[b] == chosen + 1
            self.kind[k] = int(rng.choice(6, p=SHARES))
            self._fill(k, labels[b], objects.box[b, chosen], rng)

    def _inside(self, region, rng):
        flat = np.flatnonzero(region)
        p = int(flat[int(rng.integers(len(flat)))])
        return (p % SIZE + rng.random()) / SIZE, (p // SIZE + rng.random()) / SIZE

    def _set(self, k, slot, at, label):
        self.points[k, slot] = torch.tensor(at)
        self.labels[k, slot] = label

    def _box(self, k, box, rng):
        x0, y0, x1, y1 = box.tolist()
        if rng.random() < 0.7:
            w, h = x1 - x0, y1 - y0
            x0, x1 = x0 + rng.normal(0, 0.04) * w, x1 + rng.normal(0, 0.04) * w
            y0, y1 = y0 + rng.normal(0, 0.04) * h, y1 + rng.normal(0, 0.04) * h
        self._set(k, POINTS - 2, (max(x0, 0), max(y0, 0)), 2)
        self._set(k, POINTS - 1, (min(x1, 1), min(y1, 1)), 3)

    def _fill(self, k, label, box, rng):
        kind = int(self.kind[k])
        region = self.target[k].numpy()
        if kind in (CLICK, REFINE):
            self._set(k, 0, self._inside(region, rng), 1)
        elif kind == BOX:
            self._box(k, box, rng)
        elif kind == SEVERAL:
            self._several(k, label.numpy(), region, box, rng)
        else:
            self._set(k, 0, (0.0, 0.0), -1)
            if kind == NOTHING:
                self.there[k] = 0
                empty = label.numpy() == 0
                if rng.random() < 0.6 and empty.any():
                    self._set(k, 0, self._inside(empty, rng), 1)

    def _several(self, k, label, region, box, rng):
        self._set(k, 0, self._inside(region, rng), 1)
        slot = 1
        if rng.random() < 0.3:
            self._box(k, box, rng)
        for _ in range(int(rng.integers(0, 3))):
            self._set(k, slot, self._inside(region, rng), 1)
            slot += 1
        others = (label > 0) & ~region if rng.random() < 0.5 else ~region
        if others.any() and slot < 4:
            self._set(k, slot, self._inside(others, rng), 0)

    def correct(self, masks, rng):
        """After a first answer [N, 1, MASK, MASK]: a click in the middle of the worst mistake."""
        truth = low(self.target[:, None].float()) > 0.5
        wrong = ((masks > 0) != truth).float()
        deep = sum(F.avg_pool2d(wrong, k, 1, k // 2) for k in (3, 7, 13))
        deep = deep + 0.3 * torch.from_numpy(rng.random(tuple(deep.shape), dtype=np.float32))
        place = (deep * wrong).flatten(1).argmax(1)
        for k in range(len(self.kind)):
            p = int(place[k])
            at = ((p % MASK + 0.5) / MASK, (p // MASK + 0.5) / MASK)
            slot = 1 if self.labels[k, 1] < -5 else 2
            self._set(k, slot, at, float(truth[k, 0].flatten()[p]))
