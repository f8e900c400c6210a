"""A short clip for fixtures: a disc and a square that move, grow, and are hidden for a while."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 126
FRAMES = 12
SEED = 23
HIDDEN = range(5, 8)

# Middle and half width of each object on each frame, in pixels.
PATHS = [
    [(20 + 7 * t, 40 + 3 * t, 13 + t // 3) for t in range(FRAMES)],
    [(100 - 5 * t, 90 - 4 * t, 15) for t in range(FRAMES)],
]
# Normalised: [x, y], and [x0, y0, x1, y1].
CENTRES = [[[round(v / SIDE, 4) for v in place[:2]] for place in path] for path in PATHS]
BOXES = [
    [[round(v / SIDE, 4) for v in (x - h, y - h, x + h, y + h)] for x, y, h in path]
    for path in PATHS
]


def draw_object(picture: np.ndarray, number: int, frame: int, colour: tuple[int, ...]) -> None:
    x, y, half = PATHS[number - 1][frame]
    if number == 1:
        cv2.circle(picture, (x, y), half, colour, -1)
    else:
        cv2.rectangle(picture, (x - half, y - half), (x + half, y + half), colour, -1)


def object_mask(number: int, frame: int) -> np.ndarray:
    """Return uint8 [SIDE, SIDE], 1 inside the object, hidden or not."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    draw_object(mask, number, frame, (1,))
    return mask


def draw_clip() -> np.ndarray:
    """Return uint8 [FRAMES, SIDE, SIDE, 3] in RGB."""
    random = np.random.default_rng(SEED)
    coarse = random.integers(60, 180, (6, 6, 3)).astype(np.uint8)
    ground = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    clip = np.repeat(ground[None], FRAMES, axis=0)
    for frame, picture in enumerate(clip):
        draw_object(picture, 2, frame, (40, 90, 220))
        draw_object(picture, 1, frame, (230, 60, 40))
        if frame in HIDDEN:
            middle = PATHS[0][frame][0]
            cv2.rectangle(picture, (middle - 22, 0), (middle + 22, SIDE), (25, 25, 25), -1)
    return clip
