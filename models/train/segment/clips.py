"""Draw clips: python clips.py --count 600 [--seed 0] [--out DIR]

A clip is a scene of scenes.py in which things slide, turn and hop, others pass in front of them,
and the camera moves: pan, orbit and dolly. It lasts LONG frames. A training clip is FRAMES of them,
drawn as squares of SIDE pixels; one .npy file holds SHARD clips.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np

import photo
import raycast
import scenes

SIDE, LONG, FRAMES, SHARD, MOST = 208, 30, 8, 20, 24
CLIP = np.dtype([('picture', 'u1', (FRAMES, SIDE, SIDE, 3)), ('label', 'u1', (FRAMES, SIDE, SIDE)),
                 ('seen', 'f4', (FRAMES, MOST))])
HELD_OUT = 10_000_000
VALIDATION = 5_000_000
SIZES = ((320, 240), (240, 320), (384, 216), (288, 288))
FOLDER = Path(__file__).resolve().parents[3] / '.cache' / 'train-segment'


def wander(rng, amount, turns=1.0):
    """A smooth random function of time 0 … 1 whose values reach about ± `amount`, 0 at 0."""
    slope, swing = rng.normal(0, 0.6), rng.uniform(0.2, 0.8)
    pace, phase = rng.uniform(0.3, 1.2) * turns, rng.uniform(0, 2 * math.pi)

    def value(t):
        wave = math.sin(2 * math.pi * pace * t + phase) - math.sin(phase)
        return amount * (slope * t + swing * wave)
    return value


class Camera:
    """A view on a point of the table that moves."""

    def __init__(self, rng, aspect):
        self.eye, view, self.across, self.along = scenes.random_camera(rng, aspect)
        ahead = view[:, 2]
        self.aim = self.eye + ahead * (self.eye[2] / -min(ahead[2], -0.1))
        reach = np.linalg.norm(self.eye - self.aim)
        still = rng.random() < 0.2
        lively = 0.0 if still else rng.uniform(0.2, 1.0)
        self.pan = [wander(rng, 0.45 * lively * reach * min(self.across, self.along))
                    for _ in range(2)]
        self.orbit, self.dolly = wander(rng, 0.35 * lively), wander(rng, 0.4 * lively)
        self.shake = rng.normal(0, 1, (LONG, 2)) * (0.0 if still else 0.004 * reach
                                                    * rng.uniform(0, 1))
        self.right = view[:2, 0] / np.linalg.norm(view[:2, 0])

    def at(self, frame):
        """Eye and view at a frame."""
        t = frame / (LONG - 1)
        ahead = np.array([-self.right[1], self.right[0]])
        x, y = self.pan[0](t) + self.shake[frame, 0], self.pan[1](t) + self.shake[frame, 1]
        aim = self.aim + np.array([*(self.right * x + ahead * y), 0.0])
        a = self.orbit(t)
        turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
        eye = aim + turn @ (self.eye - self.aim) * math.exp(np.clip(self.dolly(t), -0.7, 0.7))
        forward = (aim - eye) / np.linalg.norm(aim - eye)
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        return eye, np.stack([right, np.cross(forward, right), forward], 1)


class Motion:
    """How one solid moves over the table."""

    def __init__(self, rng, camera, at):
        reach = np.linalg.norm(camera.eye - at) * min(camera.across, camera.along)
        moving = rng.random() < 0.65
        amount = rng.uniform(0.15, 0.8) * reach if moving else 0.0
        self.x, self.y = wander(rng, amount), wander(rng, amount)
        self.spin = wander(rng, rng.uniform(0, 2.5)) if moving else wander(rng, 0)
        self.hop = rng.uniform(0.1, 0.3) * reach if moving and rng.random() < 0.2 else 0.0
        self.beat = rng.uniform(1, 4)
        self.away = np.zeros(2)
        if rng.random() < 0.15:  # leaves the picture and comes back
            a = rng.uniform(0, 2 * math.pi)
            self.away = 3.0 * reach * np.array([math.cos(a), math.sin(a)])
        self.start, self.end = sorted(rng.uniform(0.1, 1.3, 2))

    def at(self, t):
        """Shift [3] and turn (radians)."""
        part = np.clip((t - self.start) / max(self.end - self.start, 0.35), 0, 1)
        shift = np.array([self.x(t), self.y(t)]) + self.away * math.sin(math.pi * part)
        high = self.hop * abs(math.sin(math.pi * self.beat * t))
        return np.array([*shift, high]), self.spin(t)


def passer(rng, camera, target, frame):
    """A solid that crosses the line of sight to another one at a frame."""
    kind, shape, s, R = scenes.random_solid(rng)
    eye, view = camera.at(frame)
    spot = target['c'] + target['motion'].at(frame / (LONG - 1))[0]
    share = rng.uniform(0.45, 0.8)
    middle = eye + (spot - eye) * share
    s = s * float(target['s'].max()) * share * rng.uniform(0.8, 1.8)
    reach = 1.2 * float(s.max())
    speed = rng.uniform(0.12, 0.5) * reach * rng.choice((-1, 1))
    tilt = rng.normal(0, 0.5)
    side = view[:, 0] * math.cos(tilt) + view[:, 1] * math.sin(tilt)
    middle = middle + view[:, 1] * reach * rng.normal(0, 0.25)
    places = middle + np.outer((np.arange(LONG) - frame) * speed, side)
    return {'kind': kind, 'shape': shape, 's': s, 'R': R, 'places': places}


def pose(solid, frame):
    """Rotation and centre of a solid at a frame."""
    if 'places' in solid:
        return solid['R'], solid['places'][frame]
    shift, a = solid['motion'].at(frame / (LONG - 1))
    spin = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    return spin @ solid['R'], solid['c'] + shift


def moving_solids(rng, camera):
    """Solids on the table that move, and up to two that pass in front of them."""
    eye, view = camera.at(0)
    count = int(rng.integers(2, 9))
    placed = scenes.place_solids(rng, count, eye, view, camera.across, camera.along)
    for solid in placed:
        solid['motion'] = Motion(rng, camera, solid['c'])
    if not placed:
        return placed
    on_table = len(placed)
    for _ in range(int(rng.choice((0, 1, 2), p=(0.3, 0.45, 0.25)))):
        target = placed[int(rng.integers(on_table))]
        placed.append(passer(rng, camera, target, int(rng.integers(5, LONG))))
    return placed


def surfaces(rng, placed):
    """A surface row of every solid; some are alike."""
    mats = []
    for solid in placed:
        if mats and rng.random() < 0.2:
            mats.append(mats[int(rng.integers(len(mats)))].copy())
            continue
        m = scenes.random_material(rng)[0]
        m[8] *= 2 * float(solid['s'].max())
        mats.append(m)
    return np.stack(mats)


def surroundings(rng, view):
    """Room, its surfaces and lights, and what a white table sends back."""
    room, stuff = scenes.random_room(rng), scenes.random_stuff(rng)
    lights = scenes.random_lights(rng, view)
    white = float(room[12:15].mean() + (lights[:, 3:6].mean(1) * lights[:, 2]).sum())
    room[16] = white
    ahead = view[:2, 2] / np.linalg.norm(view[:2, 2])
    turn = rng.normal(0, 0.4)
    room[4] = ahead[0] * math.cos(turn) - ahead[1] * math.sin(turn)
    room[5] = ahead[0] * math.sin(turn) + ahead[1] * math.cos(turn)
    return room, stuff, lights, white


def draw(rng, width, height, aspect, seed, frames):
    """The given frames of a clip: pictures uint8 [T, height, width, 3], labels uint8 [T, height,
    width] (0 nothing, k + 1 object k) and the share of each object that is seen [T, objects]."""
    camera = Camera(rng, aspect)
    placed = moving_solids(rng, camera)
    if not placed:
        return draw(rng, width, height, aspect, seed, frames)
    mats = surfaces(rng, placed)
    room, stuff, lights, white = surroundings(rng, camera.at(0)[1])
    kinds = np.array([p['kind'] for p in placed])
    sizes = np.stack([p['s'] for p in placed])
    images, labels, seen = [], [], []
    for frame in frames:
        eye, view = camera.at(frame)
        turns, centres = zip(*(pose(p, frame) for p in placed))
        image, label, alone = raycast.render(
            kinds, np.stack(turns), np.stack(centres), sizes, mats, stuff, room, lights, eye, view,
            width / (2 * camera.across), height / (2 * camera.along), width, height,
            (seed * 37 + frame) % (1 << 30))
        label = np.maximum(label + 1, 0).astype(np.uint8)
        images.append(image / white)
        labels.append(label)
        seen.append(np.bincount(label.ravel(), minlength=len(placed) + 1)[1:]
                    / np.maximum(alone, 1))
    # As one tall picture, so that all frames are developed alike.
    pictures = photo.develop(np.concatenate(images), rng, True)
    return (pictures.reshape(len(frames), height, width, 3), np.stack(labels),
            np.stack(seen).astype(np.float32))


def chosen_frames(rng):
    """FRAMES of a clip in order of time: evenly spaced, or some at once after a long gap."""
    step = int(rng.integers(1, 4))
    if rng.random() < 0.3:
        later = int(rng.integers(8, LONG - FRAMES + 2))
        return [later - 8 + int(rng.integers(0, 7)), *range(later, later + FRAMES - 1)]
    first = int(rng.integers(0, LONG - step * (FRAMES - 1)))
    return [first + step * k for k in range(FRAMES)]


def training_clip(seed):
    """See draw."""
    rng = np.random.default_rng([7, seed])
    aspect = math.exp(rng.uniform(-0.4, 0.6))
    return draw(rng, SIDE, SIDE, aspect, seed, chosen_frames(rng))


def held_out_clip(seed):
    """All frames of a clip at a usual aspect ratio; see draw."""
    rng = np.random.default_rng([7, seed])
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    return draw(rng, width, height, width / height, seed, range(LONG))


def shard(path, first, count):
    """Draw one shard and write it."""
    rows = np.zeros(count, CLIP)
    for k in range(count):
        picture, label, seen = training_clip(first + k)
        rows['picture'][k], rows['label'][k] = picture, label
        rows['seen'][k, :, :seen.shape[1]] = seen
    np.save(path.with_suffix('.partial.npy'), rows)
    path.with_suffix('.partial.npy').rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=600)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=FOLDER / 'clips')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    start = time.time()
    for first in range(args.seed, args.seed + args.count, SHARD):
        path = args.out / f'{first:08d}.npy'
        if not path.exists():
            shard(path, first, min(SHARD, args.seed + args.count - first))
            print(f'{path.name} {time.time() - start:.0f} s', flush=True)


if __name__ == '__main__':
    main()
