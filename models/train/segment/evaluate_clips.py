"""How well one click follows an object: python evaluate_clips.py [--count 40] [--judo DIR]

Held-out clips of 30 frames (clips.py, seeds from 10,000,000), the server's steps around
onnxruntime, masks compared at the picture's size. Up to OBJECTS objects of a clip are clicked on
frame 0, each on a random pixel well inside. J is the mean IoU over the frames after that one: 1 where
an object out of sight is said to be absent, 0 where only one of the two is so. Frames that show a
sliver of the object (less than SLIVER of the picture) count in `all frames` only. `--judo` takes a
folder of frames whose masks lie beside it in a folder named like it with `_masks`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F

import clips
import tracking
from evaluate import FOLDER, a_point, iou
from pipeline import resized, write_json

OBJECTS, LEAST, LEAST_SEEN, SLIVER = 3, 0.003, 0.5, 0.0005
PARTS = ('vision-encoder', 'click-decoder', 'memory-encoder', 'memory-attention', 'mask-prompt')


class Graphs:
    """The graphs of a folder; `run(part, feeds)` gives a graph's outputs by name."""

    def __init__(self, folder, threads=1):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {part: ort.InferenceSession(
            Path(folder) / f'{part}.onnx', options, providers=['CPUExecutionProvider'])
            for part in PARTS}
        self.size = self.sessions['vision-encoder'].get_inputs()[0].shape[2]

    def run(self, part, feeds):
        session = self.sessions[part]
        names = [o.name for o in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))

    def clip(self, pictures):
        """A tracking.Clip of uint8 pictures [H, W, 3]."""
        frames = []
        for picture in pictures:
            x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].contiguous()
            x = F.interpolate(x, size=(self.size, self.size), mode='bilinear', align_corners=False,
                              antialias=True)
            frames.append(((x.float() - 127.5) / 127.5).numpy())
        return tracking.Clip(self.run, frames)


def held_out(first, count, folder):
    """Held-out clips, which are drawn once and kept: pictures, labels, seen."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        path = folder / f'{seed}.npz'
        if not path.exists():
            pictures, labels, seen = clips.held_out_clip(seed)
            np.savez(path, pictures=pictures, labels=labels, seen=seen)
        clip = np.load(path)
        yield clip['pictures'], clip['labels'], clip['seen']


def followed(graphs, clip, region, rng):
    """Masks of every frame (None where absent) from a click inside a region of frame 0."""
    x, y = a_point(region, rng, True)
    height, width = region.shape
    return enlarged(clip.track(clip.click([x * graphs.size, y * graphs.size])), height, width)


def enlarged(logits, height, width):
    """Masks at the picture's size; None stays."""
    return [None if m is None else resized(m, height, width) > 0 for m in logits]


def scores(masks, truth):
    """IoU of every frame after the first; 1 where mask and object are both absent."""
    return np.array([float(not region.any() and (mask is None or not mask.any()))
                     if mask is None or not region.any() else iou(mask, region)
                     for mask, region in zip(masks, truth)][1:])


def judged(masks, labels, k, seen):
    """Figures of one object: J of the frames after the first, and what happened to it."""
    truth = labels == k + 1
    area = truth.reshape(len(truth), -1).mean(1)
    frames, still = scores(masks, truth), scores(masks[:1] * len(truth), truth)
    counted = (area[1:] == 0) | (area[1:] >= SLIVER)
    shown = area[1:] >= SLIVER
    whole = area[(seen[:, k] > 0.95) & (area > 0)]
    return {'j': frames[counted].mean(), 'all frames': frames.mean(),
            'still': still[counted].mean(),
            'shown': frames[shown].mean() if shown.any() else np.nan,
            'absent': frames[area[1:] == 0].mean() if (area[1:] == 0).any() else np.nan,
            'last': frames[counted][-5:].mean(),
            'click': iou(masks[0], truth[0]) if masks[0] is not None else 0.0,
            'occluded': bool((seen[1:, k] < 0.5).any()), 'away': bool((area[1:] == 0).any()),
            'grows': float(whole.max() / whole.min()) if len(whole) else 1.0, 'area': area[0]}


def figures(rows):
    """The table of the card."""
    def mean(name, chosen=lambda r: True):
        values = [r[name] for r in rows if chosen(r) and not np.isnan(r[name])]
        return {'j': round(float(np.mean(values)), 4), 'objects': len(values)} if values else None
    return {
        'J': mean('j'), 'all frames counted': mean('all frames'), 'object in sight': mean('shown'),
        'object out of sight': mean('absent'), 'last five frames': mean('last'),
        'first frame': mean('click'), 'first mask left where it is': mean('still'),
        'partly or wholly hidden at times': mean('j', lambda r: r['occluded']),
        'wholly out of sight at times': mean('j', lambda r: r['away']),
        'never hidden': mean('j', lambda r: not r['occluded'] and not r['away']),
        'area changes twofold': mean('j', lambda r: r['grows'] >= 2),
        'under 1 % of the picture': mean('j', lambda r: r['area'] < 0.01),
        'over 3 %': mean('j', lambda r: r['area'] >= 0.03)}


def judo(graphs, folder, clicks=20):
    """IoU of each person on the frame that has its mask, the mean over `clicks` random clicks on
    frame 0, and from a mask. Those whose mask is of a later frame hardly move before it: they are
    clicked on frame 0, or start there, where that mask is."""
    pictures = [cv2.imread(str(p))[..., ::-1] for p in sorted(Path(folder).glob('*.jpg'))]
    height, width = pictures[0].shape[:2]
    clip, report = graphs.clip(pictures), {}
    for path in sorted(Path(f'{folder}_masks').glob('*.png')):
        truth, t = mask_of(path, width, height), int(path.stem)

        def score(masks, t=t, truth=truth):
            return 0.0 if masks[t] is None else iou(masks[t], truth)
        runs = [score(followed(graphs, clip, truth, np.random.default_rng(n)))
                for n in range(clicks)]
        report[f'frame {t}'] = {'click': round(float(np.mean(runs)), 4)}
        if t > 0:
            small = cv2.resize(truth.astype(np.float32), (graphs.size, graphs.size),
                               interpolation=cv2.INTER_AREA)
            start = clip.given((small >= 0.5).astype(np.float32))
            masks = enlarged(clip.track(start), height, width)
            report[f'frame {t}']['mask'] = round(score(masks), 4)
    return report


def mask_of(path, width, height):
    """The marked pixels of a palette PNG at a size."""
    mask = cv2.imread(str(path)).any(2).astype(np.uint8)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=FOLDER)
    parser.add_argument('--count', type=int, default=40)
    parser.add_argument('--first', type=int, default=clips.HELD_OUT)
    parser.add_argument('--clips', type=Path, default=clips.FOLDER / 'held-out-clips')
    parser.add_argument('--judo', type=Path)
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    graphs, rows = Graphs(args.model), []
    for n, (pictures, labels, seen) in enumerate(held_out(args.first, args.count, args.clips)):
        rng = np.random.default_rng([9, args.first + n])
        area = np.bincount(labels[0].ravel(), minlength=seen.shape[1] + 1)[1:] / labels[0].size
        usable = np.flatnonzero((area >= LEAST) & (seen[0] >= LEAST_SEEN))
        clip = graphs.clip(pictures) if len(usable) else None
        for k in rng.permutation(usable)[:OBJECTS]:
            masks = followed(graphs, clip, labels[0] == k + 1, rng)
            rows.append(judged(masks, labels, k, seen))
    report = {'clips': args.count, 'tracks': figures(rows)}
    if args.judo:
        report['judo'] = judo(graphs, args.judo)
    for name, value in report['tracks'].items():
        print(f'{name}: {value}')
    print({k: v for k, v in report.items() if k != 'tracks'})
    if args.out:
        write_json(args.out, report)


if __name__ == '__main__':
    main()
