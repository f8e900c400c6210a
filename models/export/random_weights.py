"""Weights that need not be stored: a rule gives every byte of the external data file.

The rule is shared with src/models/random_weights.ts, to the bit: the element at byte `o` of the
file is mean + deviation * (s - 510) / SPREAD, where s is the sum of the four bytes of mix(o). A sum
of four uniform numbers is near enough to normal.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

ALIGNMENT = 64
# Smaller tensors stay in the graph, as do all integers.
INLINE_ELEMENTS = 64
SPREAD = math.sqrt(4 * 65535 / 12)
DTYPES = {TensorProto.FLOAT: ("float32", np.float32), TensorProto.FLOAT16: ("float16", np.float16)}

Run = dict[str, object]


def mix(x: np.ndarray) -> np.ndarray:
    """Hash uint32 to uint32 (the bijection "lowbias32" of C. Wellons' hash-prospector)."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def fill(run: Run) -> np.ndarray:
    """Compute the elements of one run, in its type."""
    dtype = np.dtype(run["type"])
    first, count = int(run["offset"]), int(run["bytes"]) // dtype.itemsize
    hashed = mix(first + dtype.itemsize * np.arange(count, dtype=np.uint64))
    levels = np.arange(4 * 255 + 1)
    table = (run["mean"] + run["deviation"] * ((levels - 510) / SPREAD)).astype(dtype)
    return table[hashed.view(np.uint8).reshape(-1, 4).sum(axis=1, dtype=np.uint16)]


def distribution(values: np.ndarray) -> tuple[float, float]:
    """Estimate (mean, deviation), coarsely, so that tensors of one kind agree.

    The mean goes to the nearest quarter, the deviation to the nearest quarter of an octave.
    """
    values = values.astype(np.float64)
    octaves = round(4 * math.log2(values.std())) / 4
    return round(4 * float(values.mean())) / 4, float(f"{2**octaves:.4g}")


def extract(model: onnx.ModelProto, location: str) -> list[Run]:
    """Move the model's large weights (in place) to the external file `location`.

    Returns the runs that cover that file, in order and without gaps.
    """
    groups: dict[tuple[str, float, float], list[onnx.TensorProto]] = {}
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type in DTYPES and values.size > INLINE_ELEMENTS:
            key = (DTYPES[tensor.data_type][0], *distribution(values))
            groups.setdefault(key, []).append(tensor)
    runs: list[Run] = []
    offset = 0
    for (name, mean, deviation), tensors in sorted(groups.items(), key=lambda group: group[0]):
        start = offset
        for tensor in tensors:
            length = math.prod(tensor.dims) * np.dtype(name).itemsize
            for field in ("raw_data", "float_data", "int32_data"):
                tensor.ClearField(field)
            tensor.data_location = TensorProto.EXTERNAL
            entries = {"location": location, "offset": offset, "length": length}
            for key, value in entries.items():
                tensor.external_data.add(key=key, value=str(value))
            offset += -(-length // ALIGNMENT) * ALIGNMENT
        run = {"offset": start, "bytes": offset - start, "type": name}
        runs.append({**run, "mean": mean, "deviation": deviation})
    return runs
