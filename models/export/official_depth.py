"""The official Depth Anything V2 image pipeline, as its authors' repository computes it.

Source of the rules: DepthAnything/Depth-Anything-V2, depth_anything_v2/dpt.py (image2tensor and
infer_image) and depth_anything_v2/util/transform.py (Resize with "lower_bound").
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
PATCH = 14


def target_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Compute the model's input (width, height): aspect kept, no side below `size`.

    Each side is rounded half to even to a multiple of 14, and up where that falls below `size`.
    """
    scale = max(size / width, size / height)

    def constrain(side: float) -> int:
        rounded = int(np.round(side / PATCH) * PATCH)
        return rounded if rounded >= size else int(np.ceil(side / PATCH) * PATCH)

    return constrain(scale * width), constrain(scale * height)


def preprocess(image_bgr: np.ndarray, size: int) -> np.ndarray:
    """Turn uint8 [H, W, 3] BGR into the model's float32 [1, 3, h, w].

    As in the original, the resize and the normalisation run in float64.
    """
    image = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB) / 255.0
    height, width = image.shape[:2]
    image = cv2.resize(image, target_size(width, height, size), interpolation=cv2.INTER_CUBIC)
    image = (image - MEAN) / DEVIATION
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None]).astype(np.float32)


def resize_depth(raw: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize the model's float32 [1, h, w] to the image's [height, width], corners aligned."""
    depth = torch.from_numpy(raw)[:, None]
    resized = F.interpolate(depth, (height, width), mode="bilinear", align_corners=True)
    return resized[0, 0].numpy()


def unproject(depth: np.ndarray, intrinsics: dict[str, float]) -> np.ndarray:
    """Lift [H, W] metres to points, float32 [H * W, 3], row by row, computed in float64.

    OpenCV axes: x right, y down, z forward; pixel (0, 0) is the centre of the first pixel.
    """
    v, u = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]].astype(np.float64)
    z = depth.astype(np.float64)
    x = (u - intrinsics["cx"]) / intrinsics["fx"] * z
    y = (v - intrinsics["cy"]) / intrinsics["fy"] * z
    return np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)


def bicubic_reference(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize float64 [H, W, C] by cubic convolution (A = -0.75), edges replicated.

    Written from the formula, to show that the installed cv2 computes what it is known for.
    """

    def weights(length: int, target: int) -> np.ndarray:
        matrix = np.zeros((target, length))
        for row in range(target):
            position = (row + 0.5) * length / target - 0.5
            first = int(np.floor(position)) - 1
            for tap in range(first, first + 4):
                d, a = abs(position - tap), -0.75
                near = ((a + 2) * d - (a + 3)) * d * d + 1
                far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
                matrix[row, min(max(tap, 0), length - 1)] += near if d <= 1 else far
        return matrix

    columns = weights(image.shape[1], width)
    return np.einsum("ij,jkc,lk->ilc", weights(image.shape[0], height), image, columns)
