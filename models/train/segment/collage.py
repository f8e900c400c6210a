"""Flat pictures: textured blobs, polygons and ellipses over a textured ground.

They teach clicks and boxes about outlines that no solid has. Their things have no shape word and
no material, and a colour word only where they are of one colour.
"""

import cv2
import numpy as np

import vocabulary
from scenes import any_colour, colour


def _texture(rng, h, w):
    """A grey field about 0: noise at a random scale, or stripes, or nothing."""
    u = rng.random()
    if u < 0.3:
        return np.zeros((h, w, 1), np.float32)
    if u < 0.75:
        k = int(rng.integers(3, 40))
        small = rng.normal(0, 1, (k, k)).astype(np.float32)
        field = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    else:
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        a, period = rng.uniform(0, np.pi), rng.uniform(0.03, 0.2) * max(h, w)
        field = np.sign(np.sin((np.cos(a) * x + np.sin(a) * y) * 2 * np.pi / period))
    return (field * rng.uniform(0.05, 0.3))[..., None]


def _outline(rng, size):
    """Points of a closed curve about (0, 0)."""
    u = rng.random()
    if u < 0.25:
        n = int(rng.integers(3, 8))
        a = np.sort(rng.uniform(0, 2 * np.pi, n))
        r = rng.uniform(0.6, 1, n)
    else:
        a = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        r = np.ones(90)
        if u < 0.8:
            for k in range(2, 7):
                r += rng.normal(0, 0.5 / k) * np.cos(k * a + rng.uniform(0, 2 * np.pi))
            r = np.clip(r, 0.25, 2)
    p = np.stack([r * np.cos(a), r * np.sin(a) * rng.uniform(0.35, 1)], 1) * size
    t = rng.uniform(0, 2 * np.pi)
    return p @ np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])


def draw(rng, width, height):
    """Like `scenes.draw`: radiance, label, words, seen."""
    shade = np.linspace(0.7, 1.3, height, dtype=np.float32)[:, None, None] ** rng.uniform(-1, 1)
    image = any_colour(rng).astype(np.float32) * shade * (1 + _texture(rng, height, width))
    label = np.zeros((height, width), np.uint8)
    words, alone = [], []
    for k in range(int(rng.integers(2, 11))):
        size = min(width, height) * np.exp(rng.uniform(np.log(0.05), np.log(0.3)))
        at = rng.uniform(0, 1, 2) * (width, height)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.int32(_outline(rng, size) + at)], 1)
        name = -1 if rng.random() < 0.5 else int(rng.integers(len(vocabulary.COLOURS)))
        if name < 0:
            base, other = any_colour(rng, most=1.0), any_colour(rng, most=1.0)
        else:
            base = colour(vocabulary.COLOURS[name], rng)
            other = base * rng.uniform(0.7, 1)
        field = np.clip(_texture(rng, height, width) * (3 if name < 0 else 1) + 0.5, 0, 1)
        fill = (base * field + other * (1 - field)).astype(np.float32)
        if rng.random() < 0.4:
            offset = np.float32([[1, 0, rng.normal(0, 4)], [0, 1, rng.uniform(0, 6)]])
            dark = cv2.GaussianBlur(cv2.warpAffine(mask, offset, (width, height)).astype('f4'),
                                    (0, 0), 3)
            image *= 1 - 0.5 * dark[..., None]
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6)[..., None]
        image = image * (1 - soft) + fill * soft
        label[mask > 0] = k + 1
        words.append((name, vocabulary.UNKNOWN, vocabulary.UNKNOWN))
        alone.append(int(mask.sum()))
    seen = np.bincount(label.ravel(), minlength=len(words) + 1)[1:] / np.maximum(alone, 1)
    return np.maximum(image, 0), label, np.array(words, np.int8), seen.astype(np.float32)
