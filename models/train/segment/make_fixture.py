"""Write test/fixtures/segment-mini: held-out scenes, prompts, and what this pipeline answers.

python make_fixture.py [--model FOLDER]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import generate
import phrases
import vocabulary
from evaluate import (FOLDER, THRESHOLD, a_box, a_point, eligible, f1, iou, matched, name,
                      text_queries)
from pipeline import Segmenter, resized, write_json

FIRST, SCENES = 10_001_000, 6
TARGET = Path(__file__).resolve().parents[3] / 'test' / 'fixtures' / 'segment-mini'
STRANGE = ('cat', 'a helicopter', 'zzqx', 'café 中文 🙂', 'reddish', 'red guitar')


def spelled(row):
    """Names of an object's colour, shape and material."""
    shape = vocabulary.SHAPES[row[1]] if row[1] < len(vocabulary.SHAPES) else 'unnamed'
    return [vocabulary.COLOURS[row[0]], shape, vocabulary.MATERIALS[row[2]]]


def scene_entry(model, stem, picture, label, words, seen, rng):
    """Prompts of one scene with their answers, and its text counts."""
    height, width = label.shape
    usable = eligible(label, seen)
    maps = model.encode(picture)

    def shown(out, k):
        return round(iou(resized(out['best_mask'][0, 0], height, width) > 0, label == k + 1), 4)
    clicks, boxes, texts, total = [], [], [], 0
    for k in usable:
        point = [round(v, 5) for v in a_point(label == k + 1, rng, True)]
        box = [round(float(v), 5) for v in a_box(label == k + 1)]
        clicks.append({'object': k, 'point': point,
                       'iou': shown(model.click(maps, [point], [1]), k)})
        boxes.append({'object': k, 'box': box, 'iou': shown(model.click(maps, box=box), k)})
    for _, meaning in text_queries(words, usable, rng):
        fit = phrases.fits(meaning, words)
        wanted = [k for k in usable if fit[k]]
        ignored = [k for k in range(len(words)) if fit[k] and k not in usable]
        answer = model.concept(maps, name(meaning))
        counts = matched(model, answer, label, wanted, ignored)
        total = total + counts
        texts.append({'text': name(meaning), 'objects': wanted, 'ignored': ignored,
                      'found': int(counts[0]), 'wrong': int(counts[1]), 'missed': int(counts[2]),
                      'best_score': round(float(answer[0].max()), 4)})
    strange = [{'text': t, 'best_score': round(float(model.concept(maps, t)[0].max()), 4)}
               for t in STRANGE]
    entry = {'picture': f'{stem}.jpg', 'label': f'{stem}.png', 'width': width, 'height': height,
             'objects': [spelled(w) for w in words], 'clicks': clicks, 'boxes': boxes,
             'texts': texts, 'strange': strange}
    return entry, total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=FOLDER)
    parser.add_argument('--out', type=Path, default=TARGET)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    model, entries, total = Segmenter(args.model), [], 0
    for k in range(SCENES):
        picture, label, words, seen = generate.held_out_scene(FIRST + k)
        stem = f'scene-{k}'
        path = args.out / f'{stem}.jpg'
        cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        picture = cv2.imread(str(path))[..., ::-1].copy()
        cv2.imwrite(str(args.out / f'{stem}.png'), label, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        entry, counts = scene_entry(model, stem, picture, label, words, seen,
                                    np.random.default_rng([FIRST + k, 2]))
        entries.append({'seed': FIRST + k, **entry})
        total = total + counts
    summary = {
        'model': 'segment-mini', 'version': model.metadata['version'], 'threshold': THRESHOLD,
        'click_iou': round(float(np.mean([c['iou'] for e in entries for c in e['clicks']])), 4),
        'box_iou': round(float(np.mean([c['iou'] for e in entries for c in e['boxes']])), 4),
        'text_f1': round(f1(total), 4)}
    write_json(args.out / 'expected.json', {**summary, 'scenes': entries})
    print(summary, sum(p.stat().st_size for p in args.out.iterdir()), 'bytes')


if __name__ == '__main__':
    main()
