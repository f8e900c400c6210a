"""Frames as OpenCV decodes them, for the tests of video decoding.

    python models/export/make_video_reference.py test/fixtures/video ../shared/data/video/bedroom.mp4

Writes one PNG a frame for videos without a colour tag (OpenCV takes every video for BT.601), and
of bedroom.mp4 the mean of each 60x60 block as JSON. OpenCV 5.0 with FFmpeg.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

FRAMES = {"fragmented.mp4": [0, 7, 21], "uneven.mp4": [39], "vp9.webm": [13], "odd.webm": [5], "ten-bit.mp4": [2]}
BEDROOM = [0, 1, 57, 199]
BLOCK = 60


def decode(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames
        frames.append(frame)


def main(folder: Path, bedroom: Path) -> None:
    for name, indices in FRAMES.items():
        frames = decode(folder / name)
        for index in indices:
            cv2.imwrite(str(folder / f"opencv-{name}-{index}.png"), frames[index])
    frames = decode(bedroom)
    blocks = {}
    for index in BEDROOM:
        rgb = frames[index][..., ::-1].astype(np.float64)
        height, width, _ = rgb.shape
        means = rgb.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))
        blocks[index] = np.round(means, 2).ravel().tolist()
    reference = {"opencv": cv2.__version__, "frames": len(frames), "block": BLOCK, "means": blocks}
    (folder / "bedroom.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
