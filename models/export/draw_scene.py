"""Photograph-like pictures drawn from noise, for fixtures: light, texture, edges and grain."""

from __future__ import annotations

import cv2
import numpy as np


def fractal_noise(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Draw [height, width] noise in about [-1, 1], halving in strength with each octave."""
    total = np.zeros((height, width))
    for octave in range(5):
        cells = 3 * 2**octave
        grid = random.uniform(-1, 1, (cells, cells))
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total / 2


def draw_landscape(width: int, height: int, seed: int) -> np.ndarray:
    """Draw a landscape with a sun, clouds, ridges, a field, trunks and sensor grain.

    Returns uint8 [height, width, 3] in RGB.
    """
    random = np.random.default_rng(seed)
    v, u = np.mgrid[0:height, 0:width] / np.array([height - 1, width - 1]).reshape(2, 1, 1)
    sky = np.stack([0.45 + 0.4 * v, 0.62 + 0.25 * v, 0.9 - 0.1 * v], axis=-1)
    clouds = np.clip(fractal_noise(height, width, random) + 0.1, 0, 1)[..., None]
    picture = sky * (1 - clouds) + clouds
    sun = np.exp(-((u - 0.75) ** 2 + (v - 0.18) ** 2) / 0.006)[..., None]
    picture += sun * np.array([0.6, 0.45, 0.1])

    for ridge in range(3):
        skyline = 0.38 + 0.12 * ridge + 0.08 * fractal_noise(2, width, random)[0]
        shade = 0.55 - 0.15 * ridge
        texture = 1 + 0.35 * fractal_noise(height, width, random)[..., None]
        colour = np.array([0.5, 0.6, 0.75]) * (1 - 0.25 * ridge) + np.array([0, 0.08, -0.1]) * ridge
        picture = np.where((v > skyline)[..., None], shade * texture * colour, picture)

    field = np.clip((v - 0.68) / 0.32, 0, 1)[..., None]
    grass = np.array([0.42, 0.5, 0.2]) * (0.6 + 0.6 * field)
    grass = grass * (1 + 0.5 * fractal_noise(height, width, random)[..., None] * field)
    picture = np.where(field > 0, grass, picture)

    for _ in range(4):
        centre, half = random.uniform(0.05, 0.95), random.uniform(0.012, 0.04)
        foot = random.uniform(0.75, 0.98)
        trunk = (np.abs(u - centre) < half) & (v > foot - 12 * half) & (v < foot)
        crown = (u - centre) ** 2 + ((v - foot + 12 * half) * 0.8) ** 2 < (3.5 * half) ** 2
        picture[trunk] = np.array([0.3, 0.2, 0.12]) * (0.7 + 8 * (u - centre + half)[trunk, None])
        leaves = 0.8 + 0.6 * fractal_noise(height, width, random)[..., None]
        picture = np.where(crown[..., None], np.array([0.16, 0.33, 0.1]) * leaves, picture)

    picture += random.normal(0, 0.015, picture.shape)
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
