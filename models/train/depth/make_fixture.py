"""Draw the shipped fixture and the demo picture, from held-out seeds.

python make_fixture.py                 # test/fixtures/depth-mini: photographs and depth
python make_fixture.py --demo          # models/embedded/demo.jpg and demo.json
python make_fixture.py --expected      # figures of the shipped graph on exactly these files
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

import scenes
from generate import HELD_OUT_SEED
from pipeline import Model, metrics

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / 'test' / 'fixtures' / 'depth-mini'
EMBEDDED = ROOT / 'models' / 'embedded'
FIRST_SEED = HELD_OUT_SEED + 1000
COUNT = 12
DEMO_SEED = HELD_OUT_SEED + 2001


def jpeg_under(rgb, limit, path):
    """Write the best JPEG of at most `limit` bytes."""
    for quality in range(92, 40, -3):
        code = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality,
                                                      cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1]
        if len(code) <= limit:
            path.write_bytes(code.tobytes())
            return quality
    raise RuntimeError(f'{path.name}: no JPEG quality from 92 to 41 fits {limit} bytes')


def draw_fixture():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for i in range(COUNT):
        image, depth, _ = scenes.make(FIRST_SEED + i, 320, 240, oversample=2)
        jpeg_under(image, 16_000, FOLDER / f'{i:02d}.jpg')
        # Row r, column c of the depth file is the truth at pixel (2r, 2c) of the photograph.
        mm = np.where(depth < 20.0, np.round(depth * 1000), 0).astype(np.uint16)[::2, ::2]
        cv2.imwrite(str(FOLDER / f'{i:02d}.png'), mm, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def draw_demo(seed):
    image, _, K = scenes.make(seed, 640, 480, oversample=3, clean=True)
    jpeg_under(image, 90_000, EMBEDDED / 'demo.jpg')
    rounded = {k: v if isinstance(v, int) else round(v, 3) for k, v in K.items()
               if k != 'kind'}
    (EMBEDDED / 'demo.json').write_text(json.dumps(rounded, indent=2) + '\n')


def expected():
    """Figures of the embedded graph on the fixture, to expected.json."""
    model, rows = Model(EMBEDDED / 'depth-mini.onnx'), []
    for i in range(COUNT):
        image = cv2.imread(str(FOLDER / f'{i:02d}.jpg'))[..., ::-1]
        truth = cv2.imread(str(FOLDER / f'{i:02d}.png'), cv2.IMREAD_UNCHANGED) / 1000.0
        pred = model.depth(np.ascontiguousarray(image))[::2, ::2]
        rows.append({k: round(v, 4) for k, v in metrics(pred, truth).items()})
    mean = {k: round(float(np.mean([r[k] for r in rows])), 4) for k in rows[0]}
    text = json.dumps(dict(mean=mean, scenes=rows), indent=2)
    (FOLDER / 'expected.json').write_text(text + '\n')
    print(json.dumps(mean))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--demo', action='store_true')
    parser.add_argument('--demo-seed', type=int, default=DEMO_SEED)
    parser.add_argument('--expected', action='store_true')
    args = parser.parse_args()
    if args.expected:
        expected()
    elif args.demo:
        draw_demo(args.demo_seed)
    else:
        draw_fixture()


if __name__ == '__main__':
    main()
