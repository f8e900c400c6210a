"""Draw scenes: python generate.py --count 12000 [--seed 0] [--out DIR]

Training scenes are drawn as squares of SIDE pixels that show pictures of many aspect ratios (the
model sees every picture stretched to a square). One .npy file holds SHARD of them.
"""

import argparse
import math
import multiprocessing
import time
from pathlib import Path

import numpy as np

SIDE, SHARD, MOST = 256, 250, 24
SCENE = np.dtype([('picture', 'u1', (SIDE, SIDE, 3)), ('label', 'u1', (SIDE, SIDE)),
                  ('words', 'i1', (MOST, 3)), ('seen', 'f4', (MOST,))])
HELD_OUT = 10_000_000
VALIDATION = 5_000_000
SIZES = ((480, 360), (360, 480), (512, 288), (400, 400), (640, 427), (427, 640))
FOLDER = Path(__file__).resolve().parents[3] / '.cache' / 'train-segment'


def training_scene(seed):
    """Picture uint8 [SIDE, SIDE, 3], label uint8 [SIDE, SIDE], words int8 [n, 3], seen [n]."""
    import collage
    import photo
    import scenes
    rng = np.random.default_rng(seed)
    flat = rng.random() < 0.08
    if flat:
        radiance, label, words, seen = collage.draw(rng, SIDE, SIDE)
    else:
        aspect = math.exp(rng.uniform(-0.6, 0.7))
        radiance, label, words, seen = scenes.draw(rng, SIDE, SIDE, aspect, seed)
    return photo.develop(radiance, rng, not flat), label, words, seen


def held_out_scene(seed):
    """The same at a usual picture size, solids only."""
    import photo
    import scenes
    rng = np.random.default_rng(seed)
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    radiance, label, words, seen = scenes.draw(rng, width, height, width / height, seed)
    return photo.develop(radiance, rng, True), label, words, seen


def shard(job):
    """Draw one shard and write it."""
    path, first, count = job
    rows = np.zeros(count, SCENE)
    rows['words'] = -2
    for k in range(count):
        picture, label, words, seen = training_scene(first + k)
        rows['picture'][k], rows['label'][k] = picture, label
        rows['words'][k, :len(words)], rows['seen'][k, :len(seen)] = words, seen
    np.save(path.with_suffix('.partial.npy'), rows)
    path.with_suffix('.partial.npy').rename(path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=12000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=FOLDER / 'train')
    parser.add_argument('--workers', type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    jobs = []
    for first in range(args.seed, args.seed + args.count, SHARD):
        path = args.out / f'{first:08d}.npy'
        if not path.exists():
            jobs.append((path, first, min(SHARD, args.seed + args.count - first)))
    start = time.time()
    with multiprocessing.get_context('spawn').Pool(args.workers) as pool:
        for done, path in enumerate(pool.imap_unordered(shard, jobs), 1):
            print(f'{done}/{len(jobs)} {path.name} {time.time() - start:.0f} s', flush=True)


if __name__ == '__main__':
    main()
