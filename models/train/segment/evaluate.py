"""Figures of the model card: python evaluate.py [--count 300] [--photos DIR]

Held-out scenes (seeds from 10,000,000) of usual picture sizes through the ONNX files. An object
counts if it covers at least 0.3 % of the picture (16 × 13 pixels of 256 × 256) and at
least a fifth of it is seen; others are neither asked for nor held against a text's answer. Clicks and boxes are
tried on at most PER_SCENE of a scene's objects.
"""

import argparse
import json
import time
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

import generate
import phrases
import vocabulary
from pipeline import Segmenter, resized, write_json

LEAST, LEAST_SEEN, THRESHOLD, PER_SCENE = 0.003, 0.2, 0.5, 4
FOLDER = Path(__file__).resolve().parents[2] / 'embedded' / 'segment-mini'


def held_out(first, count, folder, workers=2):
    """Paths of held-out scenes, which are drawn once and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f'{seed}.npz' for seed in range(first, first + count)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        with get_context('spawn').Pool(workers) as pool:
            seeds = [int(path.stem) for path in missing]
            for path, scene in zip(missing, pool.imap(generate.held_out_scene, seeds, 8)):
                picture, label, words, seen = scene
                np.savez(path, picture=picture, label=label, words=words, seen=seen)
    return paths


def iou(a, b):
    """Intersection over union of two boolean masks."""
    return float((a & b).sum() / max(1, (a | b).sum()))


def eligible(label, seen):
    """Indices of the objects that count."""
    area = np.bincount(label.ravel(), minlength=len(seen) + 1)[1:] / label.size
    return [k for k in range(len(seen)) if area[k] >= LEAST and seen[k] >= LEAST_SEEN]


def a_point(region, rng, inner):
    """A random pixel of a region; with `inner` at least a quarter of the way to its middle."""
    if inner:
        deep = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        region = deep >= 0.25 * deep.max()
    y, x = np.nonzero(region)
    k = int(rng.integers(len(y)))
    h, w = region.shape
    return (x[k] + 0.5) / w, (y[k] + 0.5) / h


def a_box(region):
    """x0, y0, x1, y1 of a region in 0 … 1."""
    y, x = np.nonzero(region)
    h, w = region.shape
    return x.min() / w, y.min() / h, (x.max() + 1) / w, (y.max() + 1) / h


def worst_point(mask, truth):
    """The middle of the largest mistake and whether it belongs to the object."""
    wrong = (mask != truth).astype(np.uint8)
    deep = cv2.distanceTransform(np.pad(wrong, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(deep.argmax()), deep.shape)
    h, w = truth.shape
    return ((x + 0.5) / w, (y + 0.5) / h), float(truth[y, x])


def clicks_on(model, maps, region, rng):
    """IoUs of one object: a click well inside, one anywhere, a box, and two more clicks."""
    h, w = region.shape

    def shown(out):
        return resized(out['best_mask'][0, 0], h, w) > 0
    rows = {}
    out = model.click(maps, [a_point(region, rng, True)], [1])
    rows['click'] = iou(shown(out), region)
    rows['said'] = float(out['best_iou'][0, 0])
    rows['score'] = float(out['object_score_logits'][0, 0, 0])
    first = a_point(region, rng, False)
    out = model.click(maps, [first], [1])
    rows['anywhere'] = iou(shown(out), region)
    points, labels = [first], [1]
    for k in (2, 3):
        point, label = worst_point(shown(out), region)
        points.append(point)
        labels.append(label)
        out = model.click(maps, points, labels, mask=out['best_mask'], multimask=False)
        rows[f'{k} clicks'] = iou(shown(out), region)
    out = model.click(maps, box=a_box(region))
    rows['box'] = iou(shown(out), region)
    return rows


def matched(model, answer, label, wanted, ignored):
    """True positives, false positives and misses at IoU 0.5; `wanted` objects fit the prompt."""
    scores, masks, _ = answer
    order = [q for q in np.argsort(-scores) if scores[q] > THRESHOLD]
    left, good, bad = set(wanted), 0, 0
    for q in order:
        mask = resized(masks[q], *label.shape) > 0
        overlap = {k: iou(mask, label == k + 1) for k in [*left, *ignored]}
        best = max(overlap, key=overlap.get, default=None)
        if best is not None and overlap[best] >= 0.5:
            good += best in left
            left.discard(best)
        else:
            bad += 1
    return np.array([good, bad, len(left)])


def text_queries(words, usable, rng):
    """(kind, meaning) pairs: a present word or pair of each kind, and one that is absent."""
    any_, out = phrases.ANY, []
    kinds = {'colour': (0,), 'shape': (1,), 'material': (2,), 'colour + shape': (0, 1),
             'material + shape': (1, 2), 'colour + material': (0, 2)}
    for kind, slots in kinds.items():
        present = {tuple(int(words[k][s]) if s in slots else any_ for s in range(3))
                   for k in usable if words[k][1] != vocabulary.UNNAMED or 1 not in slots}
        present = sorted(present)
        rng.shuffle(present)
        out += [(kind, tuple(m)) for m in present[:1]]
        m = tuple(int(rng.integers(n)) if s in slots else any_ for s, n in enumerate((12, 6, 4)))
        if not any(phrases.fits(m, words)):
            out.append((kind, m))
    return out


def name(meaning):
    """The plain wording of a meaning."""
    tables = (vocabulary.COLOURS, vocabulary.SHAPES, vocabulary.MATERIALS)
    parts = [t[v] for t, v in zip(tables, meaning) if v != phrases.ANY]
    return ' '.join([parts[0], *reversed(parts[1:])]) if meaning[0] != phrases.ANY else ' '.join(
        reversed(parts))


def f1(row):
    good, bad, missed = row
    return float(2 * good / max(1, 2 * good + bad + missed))


def scene_report(model, seed, picture, label, words, seen):
    """One scene's figures: objects, text counts, best scores of absent and unknown words."""
    rng = np.random.default_rng([seed, 1])
    maps = model.encode(picture)
    usable = eligible(label, seen)
    out = {'objects': [], 'counts': {}, 'absent': [], 'unknown': []}
    for k in rng.permutation(usable)[:PER_SCENE]:
        row = clicks_on(model, maps, label == k + 1, rng)
        row['area'] = float((label == k + 1).mean())
        out['objects'].append(row)
    ground = model.click(maps, [a_point(label == 0, rng, True)], [1])
    out['ground'] = float(ground['object_score_logits'][0, 0, 0])
    for kind, meaning in text_queries(words, usable, rng):
        fit = phrases.fits(meaning, words)
        wanted = [k for k in usable if fit[k]]
        ignored = [k for k in range(len(words)) if fit[k] and k not in usable]
        answer = model.concept(maps, name(meaning))
        counts = matched(model, answer, label, wanted, ignored)
        out['counts'][kind] = out['counts'].get(kind, 0) + counts
        if not any(fit):
            out['absent'].append(float(answer[0].max()))
    for word in rng.choice(phrases.HELD_OUT_WORDS, 3, replace=False):
        out['unknown'].append(float(model.concept(maps, str(word))[0].max()))
    named = [k for k in usable if words[k][1] != vocabulary.UNNAMED]
    if named:
        k = named[int(rng.integers(len(named)))]
        fit = [tuple(w[:2]) == tuple(words[k][:2]) for w in words]
        answer = model.concept(maps, boxes=[a_box(label == k + 1)])
        out['counts']['like this box'] = matched(
            model, answer, label, [j for j in usable if fit[j]],
            [j for j in range(len(words)) if fit[j] and j not in usable])
    return out


_model = []


def _open(folder):
    import torch
    torch.set_num_threads(1)
    _model.append(Segmenter(folder, threads=1))


def _one(path):
    with np.load(path) as z:
        return scene_report(_model[0], int(path.stem), z['picture'], z['label'], z['words'],
                            z['seen'])


def scenes_report(folder, paths, workers=2):
    """All figures over scenes."""
    with get_context('spawn').Pool(workers, _open, (folder,)) as pool:
        rows = pool.map(_one, paths, 4)
    objects = [r for row in rows for r in row['objects']]
    counts = {}
    for row in rows:
        for kind, values in row['counts'].items():
            counts[kind] = counts.get(kind, 0) + values
    areas = np.array([r['area'] for r in objects])
    report = {'scenes': len(paths), 'objects': len(objects)}
    for key in ('click', 'anywhere', 'box', '2 clicks', '3 clicks'):
        values = np.array([r[key] for r in objects])
        report[key] = {'mean': float(values.mean()), 'median': float(np.median(values)),
                       'under 1 %': float(values[areas < 0.01].mean()),
                       'above 0.85': float((values > 0.85).mean())}
    report['best_iou error'] = float(np.mean([abs(r['said'] - r['click']) for r in objects]))
    report['object said there'] = float(np.mean([r['score'] > 0 for r in objects]))
    report['nothing said there'] = float(np.mean([row['ground'] <= 0 for row in rows]))
    kinds = sorted(k for k in counts if k != 'like this box')
    report['text f1'] = {**{k: f1(counts[k]) for k in sorted(counts)},
                         'all texts': f1(sum(counts[k] for k in kinds))}
    report['text counts'] = {k: [int(v) for v in counts[k]] for k in sorted(counts)}
    for key in ('absent', 'unknown'):
        values = np.array([v for row in rows for v in row[key]])
        report[key] = {'queries': len(values), 'mean of best score': float(values.mean()),
                       'best score above 0.5': float((values > 0.5).mean())}
    return report


def photos_report(model, folder):
    """Clicks and boxes on the segments of the COCO panoptic photographs."""
    data = json.loads((folder / 'panoptic_examples.json').read_text())
    things = {c['id']: c['isthing'] for c in data['categories']}
    rows, words = [], {}
    for entry in data['annotations']:
        path = folder / 'input_images' / entry['file_name'].replace('.png', '.jpg')
        picture = cv2.imread(str(path))[..., ::-1].copy()
        ids = cv2.imread(str(folder / 'panoptic_examples' / entry['file_name']))
        ids = ids[..., 2] + 256 * ids[..., 1].astype(int) + 65536 * ids[..., 0].astype(int)
        maps = model.encode(picture)
        rng = np.random.default_rng(1)
        for segment in entry['segments_info']:
            region = ids == segment['id']
            if region.mean() >= LEAST:
                rows.append({**clicks_on(model, maps, region, rng),
                             'thing': bool(things[segment['category_id']])})
        for word in ('person', 'object', 'red', 'cube', 'sky', 'horse'):
            words.setdefault(word, []).append(float(model.concept(maps, word)[0].max()))
    report = {'best scores of words': words}
    for kind in (True, False):
        part = [r for r in rows if r['thing'] == kind]
        report['things' if kind else 'stuff'] = {'segments': len(part), **{
            k: float(np.mean([r[k] for r in part]))
            for k in ('click', 'anywhere', 'box', '2 clicks', '3 clicks')}}
    return report


def times(model):
    """Best milliseconds of 20 runs for each graph a request waits for."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (480, 640, 3)).astype(np.uint8)
    maps = model.encode(picture)
    pixels = {'pixel_values': np.zeros((1, 3, model.size, model.size), np.float32)}
    jobs = {'vision': lambda: model.sessions['vision-encoder'].run(None, pixels),
            'click': lambda: model.click(maps, [(0.5, 0.5)], [1]),
            'concept': lambda: model.concept(maps, 'red cube')}
    out = {}
    for key, job in jobs.items():
        spent = []
        for _ in range(20):
            start = time.perf_counter()
            job()
            spent.append(1000 * (time.perf_counter() - start))
        out[key] = round(min(spent), 1)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=FOLDER)
    parser.add_argument('--count', type=int, default=300)
    parser.add_argument('--first', type=int, default=generate.HELD_OUT)
    parser.add_argument('--scenes', type=Path, default=generate.FOLDER / 'held-out')
    parser.add_argument('--photos', type=Path)
    parser.add_argument('--out', type=Path, default=generate.FOLDER / 'report.json')
    args = parser.parse_args()
    model = Segmenter(args.model)
    report = {**scenes_report(args.model, held_out(args.first, args.count, args.scenes)),
              'milliseconds': times(model)}
    if args.photos:
        report['photographs'] = photos_report(model, args.photos)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.out, report)
    print(json.dumps(report, indent=1))


if __name__ == '__main__':
    main()
