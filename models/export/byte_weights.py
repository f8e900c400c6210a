"""Stores weights a byte each where that loses nothing, for fixtures with coarse random weights."""

from __future__ import annotations

import math

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 64  # elements; below that the two extra nodes weigh more


def coarse(values: torch.Tensor) -> torch.Tensor:
    """Round to multiples of the power of two that keeps the largest magnitude within 127 steps."""
    largest = values.abs().max().item()
    if largest == 0:
        return values
    step = 2.0 ** math.ceil(math.log2(largest / 127))
    return (values / step).round().clamp(-127, 127) * step


def coarser(values: torch.Tensor) -> torch.Tensor:
    """Round to few multiples of a power of two, so that a packer takes few bits an element.

    The step is one to two deviations: normal values become -1, 0 and 1 steps, a few of them 2 or 3,
    and their variance is about what it was.
    """
    step = 2.0 ** round(math.log2(1.5 * values.std().item()))
    return coarse((values / step).round() * step)


def to_bytes(values: np.ndarray) -> tuple[np.ndarray, np.float32] | None:
    """Write float32 values as int8 times a power of two, or return None if that is not exact."""
    largest = np.abs(values).max(initial=0)
    if largest == 0 or not np.isfinite(largest):
        return None
    step = np.float32(2.0 ** math.ceil(math.log2(largest / 127)))
    steps = values / step
    if (steps != np.round(steps)).any() or np.abs(steps).max() > 127:
        return None
    return steps.astype(np.int8), step


def pack(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace float32 weights by Cast(int8) * step; onnxruntime folds both when it opens the file.

    The values are the same to the last bit. Weights that are no multiples of a power of two stay.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    kept, nodes, steps = [], [], {}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        packed = None
        if tensor.data_type == TensorProto.FLOAT and values.size >= SMALLEST:
            packed = to_bytes(values)
        if packed is None:
            kept.append(tensor)
            continue
        name = f"step_{math.frexp(packed[1])[1]}"
        steps[name] = packed[1]
        stored = f"{tensor.name}_byte"
        kept.append(numpy_helper.from_array(packed[0], stored))
        nodes.append(helper.make_node("Cast", [stored], [f"{stored}_float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{stored}_float", name], [tensor.name]))
    kept += [numpy_helper.from_array(np.array(step), name) for name, step in steps.items()]
    nodes += list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return result
