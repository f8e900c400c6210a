"""Write test/fixtures/segment-mini-clip: a held-out clip, two clicks, what this pipeline answers.

python make_clip_fixture.py [--model FOLDER] [--seed N]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import clips
from evaluate import FOLDER, a_point
from evaluate_clips import LEAST, LEAST_SEEN, Graphs, enlarged, scores
from pipeline import write_json

SEED, FRAMES, WIDTH, HEIGHT, OBJECTS = 10_001_002, range(0, 30, 3), 160, 120, 2
TARGET = Path(__file__).resolve().parents[3] / 'test' / 'fixtures' / 'segment-mini-clip'


def draw(seed):
    """Pictures, labels and seen of the fixture's frames."""
    rng = np.random.default_rng([7, seed])
    return clips.draw(rng, WIDTH, HEIGHT, WIDTH / HEIGHT, seed, FRAMES)


def entry(clip, k, truth, graphs, seen, rng):
    """A click on an object and the figures of following it."""
    x, y = (round(v, 5) for v in a_point(truth[0], rng, True))
    masks = enlarged(clip.track(clip.click([x * graphs.size, y * graphs.size])), HEIGHT, WIDTH)
    each = scores(masks, truth)
    return {'object': int(k), 'point': [x, y], 'j': round(float(np.mean(each)), 4),
            'each': [round(float(v), 4) for v in each], 'still': round(float(np.mean(
                scores(masks[:1] * len(truth), truth))), 4),
            'seen': [round(float(v), 2) for v in seen[:, k]]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=FOLDER)
    parser.add_argument('--seed', type=int, default=SEED)
    parser.add_argument('--out', type=Path, default=TARGET)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    graphs = Graphs(args.model)
    pictures, labels, seen = draw(args.seed)
    path = args.out / 'clip.jpg'
    tall = pictures.reshape(-1, WIDTH, 3)
    cv2.imwrite(str(path), tall[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 70])
    pictures = cv2.imread(str(path))[..., ::-1].reshape(pictures.shape)
    cv2.imwrite(str(args.out / 'clip.png'), labels.reshape(-1, WIDTH),
                [cv2.IMWRITE_PNG_COMPRESSION, 9])
    clip = graphs.clip(pictures)
    area = np.bincount(labels[0].ravel(), minlength=seen.shape[1] + 1)[1:] / labels[0].size
    usable = np.flatnonzero((area >= LEAST) & (seen[0] >= LEAST_SEEN))
    # Those that are hidden most come first.
    usable = sorted(usable, key=lambda k: float(seen[1:, k].min()))[:OBJECTS]
    rng = np.random.default_rng([args.seed, 3])
    tracks = [entry(clip, k, labels == k + 1, graphs, seen, rng) for k in usable]
    write_json(args.out / 'expected.json', {
        'seed': args.seed, 'frames': len(FRAMES), 'width': WIDTH, 'height': HEIGHT,
        'j': round(float(np.mean([t['j'] for t in tracks])), 4), 'tracks': tracks})
    print([(t['j'], t['still'], t['seen'], t['each']) for t in tracks],
          sum(p.stat().st_size for p in args.out.iterdir()), 'bytes')


if __name__ == '__main__':
    main()
