"""Write shards of generated scenes: python generate.py --out DIR --shards 64 --workers 2

Shard k holds `PER_SHARD` scenes of one shape with seeds k·PER_SHARD … (k+1)·PER_SHARD−1, image
uint8 [N, H, W, 3] RGB and z-depth float16 metres [N, H, W] (sky: 100). Existing shards are kept,
so that a run can be stopped and started again.
"""

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np

PER_SHARD = 32
# (width, height) and how many shards in ten have it; about 53,000 pixels each.
SHAPES = ((264, 200), (264, 200), (264, 200), (200, 264), (264, 200), (306, 172), (264, 200),
          (228, 228), (264, 200), (282, 188))
VALIDATION_SEED = 5_000_000
HELD_OUT_SEED = 10_000_000
CACHE = Path(__file__).resolve().parents[3] / '.cache' / 'train-depth'


def write_shard(job):
    import scenes

    out, index, first_seed = job
    path = Path(out) / f'shard-{index:05d}.npz'
    if path.exists():
        return index, 0.0
    start = time.time()
    width, height = SHAPES[index % len(SHAPES)]
    images = np.empty((PER_SHARD, height, width, 3), np.uint8)
    depths = np.empty((PER_SHARD, height, width), np.float16)
    for i in range(PER_SHARD):
        seed = first_seed + index * PER_SHARD + i
        images[i], depths[i], _ = scenes.make(seed, width, height)
    partial = path.with_suffix('.partial.npz')
    np.savez(partial, image=images, depth=depths)
    os.replace(partial, path)
    return index, time.time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', default=str(CACHE / 'train'))
    parser.add_argument('--shards', type=int, default=192)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0, help='seed of the first scene of shard 0')
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    import scenes

    scenes.make(1, 64, 48)  # fills numba's cache once, before the workers need it
    jobs = [(args.out, i, args.seed) for i in range(args.shards)]
    with multiprocessing.get_context('fork').Pool(args.workers) as pool:
        for index, seconds in pool.imap_unordered(write_shard, jobs):
            print(f'shard {index} {seconds:.1f} s', flush=True)


if __name__ == '__main__':
    main()
