"""From linear radiance to a picture: exposure, tone, blur, noise and compression."""

import cv2
import numpy as np


def develop(radiance, rng, exposed=False):
    """RGB uint8 of the same size; mild enough to leave the colours their names.

    `exposed`: 1 is white already; otherwise the picture's own brightness decides.
    """
    x = radiance * np.clip(1 + rng.normal(0, 0.04, 3), 0.9, 1.1).astype(np.float32)
    if exposed:
        x = x * np.exp(rng.normal(-0.05, 0.15))
    else:
        luma = x.mean(2)
        anchor = 0.5 * np.percentile(luma, 60) + 0.5 * luma.mean()
        x = x * (np.exp(rng.normal(-1.3, 0.28)) / max(float(anchor), 1e-3))
    if rng.random() < 0.6:
        x = x * (1 + 0.25 * x) / (1 + 0.6 * x)
    y = np.clip(x, 0, 1) ** (1 / rng.uniform(2.0, 2.4))
    y = np.clip((y - 0.5) * rng.uniform(0.9, 1.2) + 0.5 + rng.normal(0, 0.02), 0, 1)
    side = min(y.shape[:2]) / 256
    if rng.random() < 0.4:
        y = cv2.GaussianBlur(y, (0, 0), rng.uniform(0.3, 1.0) * side)
    if rng.random() < 0.6:
        noise = rng.standard_normal(y.shape, dtype=np.float32)
        y = y + np.float32(rng.uniform(0.003, 0.03)) * noise
    out = (np.clip(y, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(45, 96))
        _, code = cv2.imencode('.jpg', out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(out)
