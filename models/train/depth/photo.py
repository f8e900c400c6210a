"""From linear radiance to a photograph: exposure, tone, lens, sensor and compression."""

import cv2
import numpy as np


def develop(radiance, rng, clean=False):
    """RGB uint8 of the same size. `clean` leaves out blur, noise and compression."""
    h, w, _ = radiance.shape
    x = radiance.astype(np.float32)
    balance = np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    x = x * (balance / balance.mean())
    luma = x.mean(2)
    anchor = 0.5 * np.percentile(luma, 60) + 0.5 * luma.mean()
    x *= np.exp(rng.normal(-1.2, 0.4)) / max(anchor, 1e-4)
    if rng.random() < 0.5:
        gy, gx = np.mgrid[0:h, 0:w].astype(np.float32)
        r2 = ((gx - w / 2) ** 2 + (gy - h / 2) ** 2) / (w * w / 4 + h * h / 4)
        x *= (1 - rng.uniform(0.0, 0.45) * r2)[..., None]
    if rng.random() < 0.35:
        glow = cv2.GaussianBlur(np.minimum(x, 4), (0, 0), w * rng.uniform(0.01, 0.05))
        x = x + rng.uniform(0.02, 0.15) * glow + rng.uniform(0, 0.02)
    if rng.random() < 0.6:
        k = rng.uniform(0.0, 0.8)
        x = x * (1 + k * x / 2.5) / (1 + k * x)
    y = np.clip(x, 0, 1) ** (1 / rng.uniform(1.8, 2.4))
    y = np.clip((y - 0.5) * rng.uniform(0.85, 1.25) + 0.5 + rng.normal(0, 0.03), 0, 1)
    grey = y.mean(2, keepdims=True)
    y = np.clip(grey + (y - grey) * rng.uniform(0.5, 1.25), 0, 1)
    if not clean:
        s = w / 344
        if rng.random() < 0.6:
            y = cv2.GaussianBlur(y, (0, 0), rng.uniform(0.3, 1.1) * s)
        if rng.random() < 0.7:
            sigma = rng.uniform(0.003, 0.03)
            y = y + rng.normal(0, sigma, y.shape) * np.sqrt(0.3 + y)
    out = (np.clip(y, 0, 1) * 255 + 0.5).astype(np.uint8)
    if not clean and rng.random() < 0.6:
        quality = int(rng.integers(45, 96))
        _, code = cv2.imencode('.jpg', out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(out)
