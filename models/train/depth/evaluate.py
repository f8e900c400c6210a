"""Figures of the exported graph: python evaluate.py --real ../../../../shared/data

Held-out generated scenes (seeds from 10,000,000, never used in training) and, where the folder is
present, the real-data RGB-D frames. Everything goes through the official preprocessing at 518 and
onnxruntime. Writes evaluation.json and evaluation.md to --out.
"""

import argparse
import json
import multiprocessing
import os
import time
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import spearmanr

from generate import CACHE, HELD_OUT_SEED
from pipeline import Model, metrics, preprocess

EMBEDDED = Path(__file__).resolve().parents[2] / 'embedded' / 'depth-mini.onnx'
SHAPES = ((320, 240), (320, 240), (320, 240), (240, 320), (368, 208), (276, 276))


def held_out(job):
    """Scene `index`, from the cache folder or newly drawn."""
    folder, index = job
    path = Path(folder) / f'{index:05d}.npz'
    if not path.exists():
        import scenes

        width, height = SHAPES[index % len(SHAPES)]
        image, depth, K = scenes.make(HELD_OUT_SEED + index, width, height)
        partial = path.with_suffix('.partial.npz')
        np.savez(partial, image=image, depth=depth, kind=K['kind'])
        os.replace(partial, path)
    return path


def on_generated(model, folder, count, workers):
    os.makedirs(folder, exist_ok=True)
    import scenes

    scenes.make(1, 64, 48)
    rows = []
    with multiprocessing.get_context('fork').Pool(workers) as pool:
        for path in pool.imap(held_out, [(folder, i) for i in range(count)]):
            with np.load(path) as z:
                image, depth, kind = z['image'], z['depth'], str(z['kind'])
            rows.append(dict(metrics(model.depth(image), depth), kind=kind))
            if len(rows) % 50 == 0:
                print(len(rows), 'scenes', flush=True)
    return rows


def mean_of(rows):
    return {k: float(np.mean([r[k] for r in rows])) for k in rows[0] if k != 'kind'}


def frame_figures(pred, truth):
    """Rank correlation, scale-invariant log error, AbsRel as predicted and after median scaling."""
    valid = (truth > 0.2) & (truth < 20.0)
    p, t = pred[valid], truth[valid]
    scale = np.median(t) / np.median(p)
    return dict(spearman=float(spearmanr(p, t).statistic), silog=metrics(pred, truth)['silog'],
                abs_rel=float(np.mean(np.abs(p - t) / t)),
                abs_rel_median_scaled=float(np.mean(np.abs(p * scale - t) / t)),
                median_scale=float(scale))


def on_open3d(model, root):
    rows = []
    for i in range(5):
        image = cv2.imread(str(root / f'color/{i:05d}.jpg'))[..., ::-1]
        depth = cv2.imread(str(root / f'depth/{i:05d}.png'), cv2.IMREAD_UNCHANGED) / 1000.0
        rows.append(frame_figures(model.depth(np.ascontiguousarray(image)), depth))
    return rows


def timing(model, runs=20):
    x = preprocess(np.full((480, 640, 3), 120, np.uint8))
    for _ in range(3):
        model.session.run(None, {'image': x})
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        model.session.run(None, {'image': x})
        times.append((time.perf_counter() - start) * 1000)
    return dict(shape=list(x.shape), median_ms=float(np.median(times)), best_ms=min(times))


def table(rows, columns):
    lines = ['| | ' + ' | '.join(columns) + ' |', '|---' * (len(columns) + 1) + '|']
    for name, row in rows:
        lines.append(f'| {name} | ' + ' | '.join(f'{row[c]:.3f}' for c in columns) + ' |')
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default=str(EMBEDDED))
    parser.add_argument('--data', default=str(CACHE / 'held-out'), help='cache of drawn scenes')
    parser.add_argument('--count', type=int, default=300)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--real', default='', help='folder with depth/open3d')
    parser.add_argument('--out', default=str(CACHE))
    args = parser.parse_args()
    model = Model(args.model)
    report, text = {}, []
    if args.count:
        rows = on_generated(model, args.data, args.count, args.workers)
        mean = mean_of(rows)
        report['generated'] = dict(count=len(rows), mean=mean, median_abs_rel=float(np.median(
            [r['abs_rel'] for r in rows])), kinds={})
        named = [(f'all {len(rows)} held-out scenes', mean)]
        for kind in sorted({r['kind'] for r in rows}):
            some = [r for r in rows if r['kind'] == kind]
            report['generated']['kinds'][kind] = dict(count=len(some), **mean_of(some))
            named.append((f'{kind} ({len(some)})', mean_of(some)))
        text.append(table(named, list(mean)))
    if args.real:
        rows = on_open3d(model, Path(args.real) / 'depth' / 'open3d')
        mean = mean_of(rows)
        report['open3d'] = dict(frames=rows, mean=mean)
        named = [(f'open3d {i:05d}', r) for i, r in enumerate(rows)] + [('mean', mean)]
        text.append(table(named, list(mean)))
    report['timing'] = timing(model)
    text.append(f"onnxruntime CPU, 2 threads, {report['timing']['shape']}: "
                f"{report['timing']['median_ms']:.1f} ms median, "
                f"{report['timing']['best_ms']:.1f} ms best")
    os.makedirs(args.out, exist_ok=True)
    Path(args.out, 'evaluation.json').write_text(json.dumps(report, indent=1) + '\n')
    Path(args.out, 'evaluation.md').write_text('\n\n'.join(text) + '\n')
    print('\n\n'.join(text))


if __name__ == '__main__':
    main()
