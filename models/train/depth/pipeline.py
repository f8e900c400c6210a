"""Official Depth Anything preprocessing and postprocessing around the exported graph."""

import cv2
import numpy as np
import onnxruntime as ort

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def lower_bound_size(width, height, size=518, multiple=14):
    """Keep-aspect size whose sides reach at least `size`, in multiples of 14 (half to even)."""
    scale = max(size / width, size / height)

    def fit(x):
        y = int(np.round(x / multiple)) * multiple
        return y if y >= size else int(np.ceil(x / multiple)) * multiple

    return fit(scale * width), fit(scale * height)


def preprocess(rgb, size=518):
    """uint8 [H, W, 3] RGB → float32 [1, 3, h, w]."""
    target = lower_bound_size(rgb.shape[1], rgb.shape[0], size)
    x = cv2.resize(rgb / 255.0, target, interpolation=cv2.INTER_CUBIC)
    x = ((x - MEAN) / STD).astype(np.float32)
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def align_corners_resize(x, height, width):
    """Bilinear with aligned corners, float32 [h, w] → [height, width]."""
    h, w = x.shape
    u = np.linspace(0, w - 1, width, dtype=np.float32)
    v = np.linspace(0, h - 1, height, dtype=np.float32)
    return cv2.remap(x, *np.meshgrid(u, v), interpolation=cv2.INTER_LINEAR)


class Model:
    """depth-mini in onnxruntime on the CPU."""

    def __init__(self, path, threads=2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options,
                                            providers=['CPUExecutionProvider'])

    def depth(self, rgb, size=518):
        """Depth in metres [H, W] of an RGB photograph."""
        out = self.session.run(['depth'], {'image': preprocess(rgb, size)})[0][0]
        return align_corners_resize(out, *rgb.shape[:2])


def metrics(pred, truth):
    """AbsRel, δ1, RMSE (metres), scale-invariant log error, over 0.2 m < truth < 20 m."""
    valid = (truth > 0.2) & (truth < 20.0)
    p, t = pred[valid].astype(np.float64), truth[valid].astype(np.float64)
    log = np.log(p) - np.log(t)
    return dict(abs_rel=float(np.mean(np.abs(p - t) / t)),
                delta1=float(np.mean(np.abs(log) < np.log(1.25))),
                rmse=float(np.sqrt(np.mean((p - t) ** 2))), silog=float(log.std()))
